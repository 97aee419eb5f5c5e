"""Tells whether a service's Hazelcast member is in one cluster with the others that its hazelcast.xml lists.

Members of one cluster keep TCP connections to each other, and send each other a heartbeat every 5 s. So a connection
that is still there after a second (`_LASTING`), and of a member that has just started one on which somebody talks, has
another member of our cluster at its other end. That shows what no member itself would say: where a port is blocked,
each half of the cluster looks healthy.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

from ..access import disk
from ..documents.document import Section
from ..errors import Failed
from ..net import addresses, sockets, tcp
from ..net.sockets import Socket
from ..programs import process
from . import joining
from .joining import Member, Network

_LASTING = 1.0  # seconds after which a connection is known to stay
_TALK = 4.0  # seconds between the first and the last that came over a connection in use; a greeting is over before
_WINDOWS = 3  # `cluster-within` as often, where what is found changes on and on


class _Look:
    """What one look at a cluster has found: how many members there are and should be, with lines for a person.

    A problem may pass while members join, so it is certain only when look after look has found it.
    """

    def __init__(self, *problems: str) -> None:
        self.members = 1
        self.expected = 1
        self.said: list[str] = []
        self.problems = list(problems)


class _Host(NamedTuple):
    """A host on which members are expected, by one or more addresses.

    name: what a person calls it, `chatserver2 (10.1.0.22)`.
    ports: those on which others look for a member there.
    own: it is this host.
    of_stack: it is a chat server of this stack, which should be up.
    in_range: only a range names it, `10.1.0.*`, so that it may not exist.
    later: this run restarts it after this host, so its member may still have the old configuration.
    """

    name: str
    addresses: frozenset[str]
    ports: frozenset[int]
    own: bool
    of_stack: bool
    in_range: bool
    later: bool


def verify(section: Section, just_started: bool) -> str:
    """Says how many members the cluster of a running service has: `members: 2 of 2`.

    Raises Failed when every look of `cluster-within` seconds has found the same split, or the same blocked port. What
    is younger may pass: a host that has just booted answers before it joins.

    Fields of the service: `cluster` (its hazelcast.xml), `cluster-within` (seconds), `cluster-hosts` (block: `ADDRESS
    NAME [later]`, what a person calls a host; `later`: it is restarted after this one, so its configuration may still
    be another).
    """
    network = joining.read(disk.read(Path(section.text("cluster"))))
    if network.members is None:
        return "members: unknown, since their configuration does not list them"
    hosts, traffic = _hosts(section, network.members), _Traffic() if just_started else None
    within, begun = float(section.text("cluster-within")), time.monotonic()
    since: dict[str, float] = {}
    while True:
        look, now = _look(section, network, hosts, traffic), time.monotonic()
        since = {problem: since.get(problem, now) for problem in look.problems}
        if certain := [problem for problem in look.problems if now - since[problem] >= within]:
            raise Failed("; ".join(certain))
        if not look.problems or now - begun > _WINDOWS * within:
            unsure = [f"not certain, since it changes: {problem}" for problem in look.problems]
            return "; ".join([f"members: {look.members} of {look.expected}", *look.said, *unsure])


def others(section: Section, pid: int) -> dict[str, bool]:
    """Tells of other chat servers whether the member of a running process has a connection there: `{"lb2": True}`.

    A look must not wait, so this counts every connection; `verify` tells one that stays from one that is closed at
    once.
    """
    network = joining.read(disk.read(Path(section.text("cluster"))))
    mine = [each for each in _held(pid, sockets.established()) if {each.port, each.remote_port} & set(network.ports)]
    connected = {str(each.remote) for each in mine}
    beside = addresses.beside(section.lines("cluster-hosts"))
    return {name: not connected.isdisjoint(found) for name, found in beside.items()}


def _hosts(section: Section, members: list[Member]) -> list[_Host]:
    """Finds the hosts that a member list means: one that stands there twice, by name and by address, is one."""
    until = time.monotonic() + float(section.text("cluster-within"))
    lines = (line.split() for line in section.lines("cluster-hosts"))
    names = {address: rest for host, *rest in lines for address in addresses.resolved(host)}
    own = addresses.own()
    grouped: dict[frozenset[str], list[Member]] = {}
    for member in members:
        # A thousand names that no name server answers for would take the better part of an hour.
        found = addresses.resolved(member.host) if time.monotonic() < until else set()
        grouped.setdefault(frozenset(found or [member.host]), []).append(member)
    return [
        _Host(
            name=next((f"{names[address][0]} ({address})" for address in same_host if address in names), same[0].host),
            addresses=same_host,
            ports=frozenset(port for member in same for port in member.ports),
            own=any(address in own or addresses.is_loopback(address) for address in same_host),
            of_stack=any(address in names for address in same_host),
            in_range=all(member.in_range for member in same),
            later=any("later" in names.get(address, []) for address in same_host),
        )
        for same_host, same in grouped.items()
    ]


class _Traffic:
    """Tells connections on which members talk from those that only stand.

    Members of one cluster send each other a heartbeat every 5 s (hazelcast.heartbeat.interval.seconds).
    """

    def __init__(self) -> None:
        self._bytes: dict[str, int] = {}
        self._first: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def note(self, received: dict[str, int], now: float) -> None:
        """Adds how many bytes have come over each connection until now, by its inode."""
        for inode, count in received.items():
            if count > self._bytes.get(inode, count):
                self._first.setdefault(inode, now)
                self._last[inode] = now
        self._bytes = received

    def heard(self) -> set[str]:
        """Lists the inodes of the connections that somebody uses."""
        return {inode for inode, last in self._last.items() if last - self._first[inode] >= _TALK}


def _look(section: Section, network: Network, hosts: list[_Host], traffic: _Traffic | None) -> _Look:
    """Looks once. traffic: of the looks so far, where the process has just been started."""
    pid = int(process.run("systemctl", "show", "--value", "--property=MainPID", section.name))
    earlier = _held(pid, sockets.established())
    time.sleep(_LASTING)
    lasting = _held(pid, sockets.established()) & earlier
    listening = {each.port for each in _held(pid, sockets.listening())}
    own = next((port for port in network.ports if port in listening), None)
    if own is None:
        return _Look(
            f"{section.name} listens on none of the ports {network.ports[0]}-{network.ports[-1]}: it is no Hazelcast"
            " member"
        )
    if traffic:
        traffic.note(sockets.received(network.ports), time.monotonic())
    peers = _peers(lasting, own, network.ports, traffic.heard() if traffic else None)
    answers = tcp.probe(
        (address, port)
        for host in hosts
        for address in host.addresses
        for port in host.ports
        if not (host.own and port == own)
    )
    look = _Look()
    for host in hosts:
        answered = {port: answer for (address, port), answer in sorted(answers.items()) if address in host.addresses}
        _count(look, host, answered, connected=sum(peer in host.addresses for peer in peers))
    return look


def _held(pid: int, found: list[Socket]) -> set[Socket]:
    own = sockets.inodes(pid)
    return {each for each in found if each.inode in own}


def _peers(lasting: set[Socket], own: int, ports: range, heard: set[str] | None) -> list[str]:
    """Lists the addresses of the other members of our cluster, one for each lasting connection with a member.

    Where our member has just started, only connections on which somebody talks count. A member of another cluster
    closes a connection at once, but a busy one takes seconds for that; and a connection that means the member that was
    there before may stand for long (seen with 3.12).

    heard: connections on which others talk, where our member has just started.
    """
    return [
        str(each.remote)
        for each in lasting
        if (each.remote_port in ports or each.port == own) and (heard is None or each.inode in heard)
    ]


def _count(look: _Look, host: _Host, answered: dict[int, str], connected: int) -> None:
    """Adds a host to what is seen.

    answered: what each of its ports did. connected: how many of its members are in our cluster.
    """
    listening = [port for port, answer in answered.items() if answer == tcp.ACCEPTS]
    certain = not host.own and not host.in_range
    expected = max(len(listening), int(certain or connected > 0))
    look.expected += expected
    look.members += min(connected, expected)
    if connected >= expected:
        return
    here, silent = os.uname().nodename, [port for port, answer in answered.items() if answer == tcp.SILENT]
    if listening and host.later:
        look.said.append(f"{host.name} is not in the cluster yet: it is restarted later")
    elif listening:
        look.problems.append(
            f"the cluster is split: {listening[0]}/tcp of {host.name} answers {here}, but is no member of its cluster,"
            " so chats would not cross. Compare cluster name, group password and Hazelcast's major version on both,"
            " then repeat"
        )
    elif silent and not host.of_stack:
        look.said.append(
            f"{host.name} is switched off, or a firewall keeps {here} from its port {silent[0]}: then the cluster is"
            " split"
        )
    elif silent:
        look.problems.append(
            f"{silent[0]}/tcp of {host.name} is not reachable from {here}: a firewall? The cluster would be split, and"
            f" chats would not cross. Open {silent[0]}:{silent[0] + 100}/tcp between them, then repeat"
        )
    else:
        look.said.append(f"{host.name} is not running (nothing listens there on {', '.join(map(str, answered))})")
