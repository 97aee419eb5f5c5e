"""Finds who listens on which TCP port: what `ss -ltnp` shows, from /proc and without a process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from ..access import disk
from . import sockets
from .sockets import Socket


@dataclass(frozen=True)
class Holder:
    """A process, and the systemd unit that it belongs to (empty where that is not known)."""

    pid: int
    program: str
    unit: str

    def __str__(self) -> str:
        return f"{self.program} (process {self.pid}{f' of {self.unit}' if self.unit else ''})"


def listening(ports: set[int]) -> list[Socket]:
    """Lists every listening socket on one of these ports."""
    return [each for each in sockets.listening() if each.port in ports]


def holder(listener: Socket, likely: Iterable[int] = ()) -> Holder | None:
    """Finds the process that holds a socket; None when it is gone, or not to be seen.

    likely: processes that are asked first.
    """
    others = (int(entry) for entry in disk.kernel_names("/proc/") if entry.isdecimal())
    for pid in (*likely, *others):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if listener.inode in sockets.inodes(pid):
                return Holder(pid, disk.kernel(f"/proc/{pid}/comm").decode(errors="replace").strip(), _unit(pid))
    return None


def _unit(pid: int) -> str:
    places = disk.kernel(f"/proc/{pid}/cgroup").decode(errors="replace").splitlines()
    return next((part for place in places for part in place.split("/") if part.endswith(".service")), "")
