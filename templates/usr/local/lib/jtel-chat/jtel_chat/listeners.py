"""Who listens on which TCP port: what `ss -ltnp` shows, from /proc and without a process."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LISTEN = "0A"


@dataclass(frozen=True)
class Listener:
    """address: `0.0.0.0`, `::` or one of the host's. inode: the socket's, by which its process is found."""

    address: str
    port: int
    inode: str


@dataclass(frozen=True)
class Holder:
    """A process, and the systemd unit that it belongs to (empty where that is not known)."""

    pid: int
    program: str
    unit: str

    def __str__(self) -> str:
        return f"{self.program} (process {self.pid}{f' of {self.unit}' if self.unit else ''})"


def listening(ports: set[int]) -> list[Listener]:
    """Every listening socket on one of these ports."""
    found = []
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        path = Path("/proc/net") / table
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            words = line.split()
            address, _, port = words[1].partition(":")
            if words[3] == _LISTEN and int(port, 16) in ports:
                found.append(Listener(_address(address, family), int(port, 16), words[9]))
    return found


def holder(listener: Listener, likely: Iterable[int] = ()) -> Holder | None:
    """The process that holds a socket; None when it is gone, or not to be seen. likely: processes that are asked first."""
    others = (int(entry) for entry in os.listdir("/proc") if entry.isdecimal())
    for pid in (*likely, *others):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if _has(pid, listener.inode):
                return Holder(pid, Path(f"/proc/{pid}/comm").read_text().strip(), _unit(pid))
    return None


def _has(pid: int, inode: str) -> bool:
    directory = f"/proc/{pid}/fd"
    for descriptor in os.listdir(directory):
        with contextlib.suppress(OSError):  # closed meanwhile
            if os.readlink(f"{directory}/{descriptor}") == f"socket:[{inode}]":
                return True
    return False


def _unit(pid: int) -> str:
    places = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    return next((part for place in places for part in place.split("/") if part.endswith(".service")), "")


def _address(text: str, family: int) -> str:
    """Four bytes at a time, in the machine's order (proc(5), /proc/net/tcp)."""
    words = [text[at : at + 8] for at in range(0, len(text), 8)]
    return socket.inet_ntop(family, b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words))
