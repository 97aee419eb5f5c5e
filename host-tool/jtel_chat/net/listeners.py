"""Finds who listens on which TCP port: what `ss -ltnp` shows, from /proc and without a process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import NamedTuple

from ..access import disk
from . import sockets
from .sockets import Socket


class Holder(NamedTuple):
    """A process, and the systemd unit that it belongs to (empty where that is not known)."""

    pid: int
    program: str
    unit: str

    def __str__(self) -> str:
        return f"{self.program} (process {self.pid}{f' of {self.unit}' if self.unit else ''})"


def listening(ports: set[int]) -> list[Socket]:
    """Lists every listening socket on one of these ports."""
    return [each for each in sockets.listening() if each.port in ports]


def running(program: str) -> list[int]:
    """Lists the processes of a program, `java`: to look into each process costs more than to ask for its name."""
    return [pid for pid in _processes() if _name(pid) == program]


def holder(listener: Socket, likely: Iterable[int] = ()) -> Holder | None:
    """Finds the process that holds a socket; None when it is gone, or not to be seen.

    likely: processes that are asked first.
    """
    for pid in (*likely, *_processes()):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if listener.inode in sockets.inodes(pid):
                return Holder(pid, _name(pid), _unit(pid))
    return None


def _processes() -> list[int]:
    return [int(entry) for entry in disk.kernel_names("/proc/") if entry.isdecimal()]


def _name(pid: int) -> str:
    """Reads the name of a process; empty when it has ended."""
    with contextlib.suppress(OSError):
        return disk.kernel(f"/proc/{pid}/comm").decode(errors="replace").strip()
    return ""


def _unit(pid: int) -> str:
    places = disk.kernel(f"/proc/{pid}/cgroup").decode(errors="replace").splitlines()
    return next((part for place in places for part in place.split("/") if part.endswith(".service")), "")
