"""Answers HAProxy's agent checks, one line a connection, whatever it is sent (configuration.txt 5.2, "agent-check").

- `drain` while a drain goes on, however often HAProxy asks: a reload forgets it.
- `ready` afterwards, to each load balancer that has heard `drain`, until it has taken that once.
- an empty line otherwise, which changes nothing. Never `up`: that would call a dead server alive (haproxy#1176).

It runs as a user of its own without network but the socket that systemd hands over, and reads one file.
"""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import time
from typing import NamedTuple, NoReturn

from ..errors import Refused
from . import state
from .state import Drain

_HANDED_OVER = 3  # sd_listen_fds(3)
_AT_ONCE = 32  # connections
_LONGEST = 1.0  # seconds of one
_MOST = 64  # addresses that are remembered
_EVERY = 2.0  # seconds after which it is noted again who has asked: less than half of state.RECENT
#: The other side has closed (poll(2)); `select` has no name for it.
_CLOSED = 0x2000
DRAIN, READY, NOTHING = b"drain\n", b"ready\n", b"\n"


class Memory(NamedTuple):
    """What the agent knows of those who ask. asked: when, as seconds since the boot. heard: `drain`, and no `ready`."""

    asked: dict[str, float]
    heard: set[str]

    def answer(self, peer: str, drain: Drain | None, now: float) -> bytes:
        """Gives the line for an address that asks."""
        self.asked[peer] = now
        if len(self.asked) > _MOST:
            oldest = min(self.asked, key=lambda each: self.asked[each])
            del self.asked[oldest]
            self.heard.discard(oldest)
        if drain and peer not in drain.spared:
            self.heard.add(peer)
            return DRAIN
        return READY if peer in self.heard and not drain else NOTHING

    def taken(self, peer: str, answer: bytes) -> None:
        """Notes that an address has read its answer."""
        if answer == READY:
            self.heard.discard(peer)


class _Talk(NamedTuple):
    """One connection that has got its answer."""

    connection: socket.socket
    peer: str
    answer: bytes
    until: float


class _Agent:
    """The connections that are open, and what is remembered beyond them."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._talks: dict[int, _Talk] = {}
        self._memory = Memory(state.asked(), state.heard())
        self._heard = set(self._memory.heard)
        self._noted = 0.0

    def serve(self) -> NoReturn:
        """Answers for ever."""
        while True:
            poll = select.poll()
            if len(self._talks) < _AT_ONCE:
                poll.register(self._listener, select.POLLIN)
            for descriptor in self._talks:
                poll.register(descriptor, _CLOSED)
            for descriptor, event in poll.poll(_LONGEST * 1000 if self._talks else None):
                if descriptor == self._listener.fileno():
                    self._accept()
                else:
                    self._end(descriptor, taken=not event & select.POLLERR)
            for descriptor in [each for each, talk in self._talks.items() if time.monotonic() > talk.until]:
                self._end(descriptor, taken=False)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it has gone meanwhile
            connection, (host, *_) = self._listener.accept()
            connection.setblocking(False)
            peer, now = _plain(host), state.now()
            answer = self._memory.answer(peer, state.current(), now)
            self._note(now)  # before it is said: a power cut must not forget who has to hear `ready`
            try:
                connection.send(answer)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                connection.close()
                return
            self._talks[connection.fileno()] = _Talk(connection, peer, answer, time.monotonic() + _LONGEST)

    def _end(self, descriptor: int, *, taken: bool) -> None:
        talk = self._talks.pop(descriptor)
        talk.connection.close()
        if taken:
            self._memory.taken(talk.peer, talk.answer)
            self._note(state.now())

    def _note(self, now: float) -> None:
        if self._memory.heard != self._heard:
            state.note(state.HEARD, sorted(self._memory.heard))
            self._heard = set(self._memory.heard)
        elif now - self._noted < _EVERY:
            return
        state.note(state.ASKED, self._memory.asked)
        self._noted = now


def run() -> NoReturn:
    """Serves the socket that systemd has handed over."""
    listener = socket.socket(fileno=_HANDED_OVER)
    listener.setblocking(False)
    _Agent(listener).serve()


def _plain(host: str) -> str:
    """Writes an address as others do: `::ffff:10.1.0.11` of a socket for both families is 10.1.0.11."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        raise Refused(f"{host} is no address") from None
    return str(getattr(address, "ipv4_mapped", None) or address)
