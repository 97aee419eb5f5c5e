"""Runs other programs with a bounded time, bounded output, the C locale and no terminal."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import IO, Any

from .. import moment
from ..access.account import Account
from ..errors import Failed
from ..text import printable

#: What programs say is read, so it has to be English: LANGUAGE of a host's /etc/default/locale would win over C.UTF-8
#: (gettext(3)). needrestart would restart services – ClientMessenger among them – behind our back.
ENVIRONMENT = {
    **os.environ,
    "LC_ALL": "C.UTF-8",
    "LANGUAGE": "",
    "DEBIAN_FRONTEND": "noninteractive",
    "NEEDRESTART_MODE": "l",
}

#: Exit code of a program that did not end in time, as timeout(1) gives it.
HANGS = 124
#: Bytes of each stream that are kept, where a caller does not ask for more.
LIMIT = 64 << 10
#: For what lists all packages or rules of a host.
MUCH = 16 << 20

_CHUNK = 64 << 10


def attempt(
    *argv: str,
    timeout: float = 60,
    text: str | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
    limit: int = LIMIT,
    account: Account | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, whatever its exit code.

    One that is not there gives 127, one that must not be run 126, one that hangs HANGS.

    environment: variables beside ours.
    limit: bytes of standard output that are kept; of what says more, the first and the last part stay, and a line
    between them says how much was cut. Standard error is always kept up to LIMIT, and without control characters.
    account: whose rights the program has, for one that is not root's own.
    """
    out, errors, returncode = _run(argv, timeout, text, environment, limit, account)
    return subprocess.CompletedProcess(argv, returncode, out.text(), printable.block(errors.text()))


def run(*argv: str, timeout: float = 60, limit: int = LIMIT) -> str:
    """Runs a program, and returns the whole of its standard output.

    Raises Failed with what the program said, or where it has said more than `limit` bytes.
    """
    out, errors, returncode = _run(argv, timeout, None, {}, limit)
    if returncode:
        said = printable.block(errors.text().strip() or out.text().strip())[-2000:]
        raise Failed(f"'{' '.join(argv)}' failed with exit code {returncode}: {said}")
    if out.cut:
        raise Failed(
            f"'{' '.join(argv)}' says more than {limit} bytes, which nobody expects of it. Run it by hand to see why"
        )
    return out.text()


def ask(*argv: str, timeout: float = 60, limit: int = LIMIT) -> subprocess.CompletedProcess[str]:
    """Runs a program that changes nothing, as `attempt` does; the same call once in a look (moment.py)."""
    return moment.once(("answer", argv), lambda: attempt(*argv, timeout=timeout, limit=limit))


def ends(*argv: str, within: float) -> bool:
    """Tells whether a program ends within some seconds. One that not even a kill ends is left behind."""
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(argv, stdin=quiet, stdout=quiet, stderr=quiet, env=ENVIRONMENT, start_new_session=True)
    try:
        child.wait(within)
    except subprocess.TimeoutExpired:
        _kill(child)
        return False
    return True


class _Kept:
    """The first and the last part of a stream; the bytes between them are only counted."""

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._waiting = 0  # bytes in the tail
        self.cut = 0

    def add(self, data: bytes) -> None:
        """Adds further bytes."""
        room = self._half - len(self._head)
        self._head += data[:room]
        if rest := data[max(room, 0) :]:
            self._tail.append(rest)
            self._waiting += len(rest)
        while self._waiting > self._half:
            oldest, excess = self._tail.popleft(), self._waiting - self._half
            if len(oldest) > excess:
                self._tail.appendleft(oldest[excess:])
            dropped = min(len(oldest), excess)
            self._waiting -= dropped
            self.cut += dropped

    def text(self) -> str:
        """Gives what is kept."""
        between = f"\n… {self.cut} bytes were cut here …\n".encode() if self.cut else b""
        return (bytes(self._head) + between + b"".join(self._tail)).decode("utf-8", "replace")


def _run(
    argv: tuple[str, ...],
    timeout: float,
    text: str | None,
    environment: Mapping[str, str],
    limit: int,
    account: Account | None = None,
) -> tuple[_Kept, _Kept, int]:
    out, errors = _Kept(limit), _Kept(LIMIT)
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**ENVIRONMENT, **environment},
            cwd="/",  # as systemd starts them; a login's own directory may be closed to them
            start_new_session=True,  # so that what it has started ends with it
            **_identity(account),
        )
    except FileNotFoundError:
        errors.add(f"{argv[0]}: not found".encode())
        return out, errors, 127
    except PermissionError as error:
        errors.add(f"{argv[0]}: {error.strerror}".encode())
        return out, errors, 126
    with child:
        try:
            returncode = _talk(child, time.monotonic() + timeout, text, out, errors)
        except subprocess.TimeoutExpired:
            _kill(child)
            errors = _Kept(LIMIT)
            errors.add(f"no end after {timeout:.0f} s".encode())
            return _Kept(limit), errors, HANGS
        except BaseException:
            _kill(child)
            raise
    return out, errors, returncode


def _identity(account: Account | None) -> dict[str, Any]:
    """Gives the user and groups that Popen shall run a program with; nothing where the tool itself is not root."""
    if account is None or os.geteuid() != 0:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": list(account.groups)}


def _talk(child: subprocess.Popen[bytes], deadline: float, text: str | None, out: _Kept, errors: _Kept) -> int:
    """Writes a program's input and reads its output, side by side, until it has ended. Raises TimeoutExpired."""
    assert child.stdout and child.stderr
    given = memoryview((text or "").encode())
    with selectors.DefaultSelector() as selector:
        _await(selector, child.stdout, selectors.EVENT_READ, out)
        _await(selector, child.stderr, selectors.EVENT_READ, errors)
        if child.stdin:
            _await(selector, child.stdin, selectors.EVENT_WRITE, None)
        while selector.get_map():
            for key, _ in selector.select(_left(child, deadline)):
                stream, kept = key.data
                given, goes_on = (given, _read(key.fd, kept)) if kept else _write(key.fd, given)
                if not goes_on:
                    selector.unregister(stream)
                    _close(stream)
    return child.wait(_left(child, deadline))


def _await(selector: selectors.BaseSelector, stream: IO[bytes], event: int, kept: _Kept | None) -> None:
    os.set_blocking(stream.fileno(), False)
    selector.register(stream, event, (stream, kept))


def _left(child: subprocess.Popen[bytes], deadline: float) -> float:
    """Counts the seconds until the deadline. Raises TimeoutExpired after it."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise subprocess.TimeoutExpired(child.args, 0)
    return left


def _read(descriptor: int, kept: _Kept) -> bool:
    """Reads what is there; False when nothing more will come."""
    data = os.read(descriptor, _CHUNK)
    kept.add(data)
    return bool(data)


def _write(descriptor: int, given: memoryview) -> tuple[memoryview, bool]:
    """Writes a part of the input; returns the rest, and whether there is any. A program may not read its input."""
    try:
        given = given[os.write(descriptor, given) :] if given else given
    except BrokenPipeError:
        given = given[:0]
    return given, bool(given)


def _close(stream: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):
        stream.close()


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Kills the program and all processes that it has started and that have not left its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
