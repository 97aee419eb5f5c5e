"""TCP as the kernel shows it: the sockets of one process (proc(5), /proc/PID/net/tcp), and who answers where."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

ACCEPTS, REFUSES, SILENT = "accepts", "refuses", "silent"

_ESTABLISHED, _LISTENING = "01", "0A"
_PATIENCE = 5.0  # seconds; longer than the kernel looks for a host that is off in the same network (3 s)
_AT_ONCE = 32


@dataclass(frozen=True)
class Connection:
    """One established connection of a process; inode tells it from a later one between the same ends."""

    inode: str
    local_port: int
    peer: str
    peer_port: int


@dataclass(frozen=True)
class Sockets:
    """What a process has open: ports on which it listens, and connections."""

    listening: frozenset[int]
    connected: frozenset[Connection]


def sockets(pid: int) -> Sockets:
    """The TCP sockets of a process; none when it has ended."""
    owned = _inodes(pid)
    lines = [line for table in ("tcp", "tcp6") for line in _table(pid, table) if line[9] in owned]
    listening = frozenset(_end(line[1])[1] for line in lines if line[3] == _LISTENING)
    connected = frozenset(Connection(line[9], _end(line[1])[1], *_end(line[2])) for line in lines if line[3] == _ESTABLISHED)
    return Sockets(listening, connected)


def probe(places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Connect to addresses and ports, side by side: whether each accepts, refuses (so does a host that is off) or is silent."""
    from concurrent.futures import ThreadPoolExecutor

    wanted = list(places)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(_answer, wanted)))


def addresses(host: str) -> frozenset[str]:
    """A host's addresses; none when its name is unknown."""
    try:
        return frozenset(str(found[4][0]) for found in socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP))
    except socket.gaierror:
        return frozenset()


def is_own(address: str) -> bool:
    """Whether an address is one of this host's: only those can be bound to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probing, contextlib.suppress(OSError):
        probing.bind((address, 0))
        return True
    return False


def _answer(place: tuple[str, int]) -> str:
    try:
        with socket.create_connection(place, timeout=_PATIENCE):
            return ACCEPTS
    except (TimeoutError, socket.timeout):  # two classes until Python 3.10
        return SILENT
    except OSError:
        return REFUSES


def _inodes(pid: int) -> set[str]:
    found: set[str] = set()
    with contextlib.suppress(OSError):  # it ends meanwhile
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found


def _table(pid: int, name: str) -> list[list[str]]:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/net/{name}", encoding="ascii") as file:
        return [line.split() for line in file.readlines()[1:]]
    return []


def _end(text: str) -> tuple[str, int]:
    """`0100007F:1645` as address and port: words of the host's byte order. IPv4 within IPv6 – what Java has – as IPv4."""
    host, _, port = text.partition(":")
    raw = b"".join(struct.pack("=I", int(host[start : start + 8], 16)) for start in range(0, len(host), 8))
    address = ipaddress.ip_address(raw)
    return str(getattr(address, "ipv4_mapped", None) or address), int(port, 16)
