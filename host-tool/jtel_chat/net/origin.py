"""Finds where a call comes from, from the kernel. Variables, which a caller sets as he likes, are not asked."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from ..access import disk
from ..programs import cgroup

PROC = Path("/proc")
_RUN = re.compile(r"jtel-chat-[a-z0-9-]+-\d+\.service")
#: sshd's program for one session; a program that was replaced since (an update of openssh) still counts.
_SSHD = re.compile(r".*/(sshd|sshd-session)( \(deleted\))?")


class Process(NamedTuple):
    """One process of /proc: its program `/usr/sbin/sshd`, its real uid and its parent."""

    program: str
    uid: int
    parent: int


def inside_run() -> bool:
    """Tells whether systemd started this process in a unit of `transient.run`.

    Only there are the variables JTEL_CHAT_… ours.
    """
    return os.getppid() == 1 and bool(_RUN.fullmatch(cgroup.unit()))


def ssh_connection() -> str:
    """Finds the ssh connection above this process, `ADDRESS PORT ADDRESS PORT`, the client's first; empty without one.

    It is the socket of the nearest sshd of root among our parents. SSH_CONNECTION would be whatever a caller likes.
    """
    process = os.getpid()
    while process > 1:
        found = _process(process)
        if found is None:
            return ""
        if found.uid == 0 and _SSHD.fullmatch(found.program):
            return _connection_of(process)
        process = found.parent
    return ""


def _connection_of(process: int) -> str:
    """Finds the connection that an sshd holds.

    The sshd of a root login also holds forwarded connections. They are younger, so the first one counts.
    """
    from . import sockets

    held = sockets.inodes(process)
    connections = sorted(
        (each for each in sockets.established() if each.inode in held), key=lambda each: int(each.inode)
    )
    return next((f"{each.remote} {each.remote_port} {each.address} {each.port}" for each in connections), "")


def _process(number: int) -> Process | None:
    """Reads one process of /proc; None when it has ended, or hides."""
    try:
        program = disk.kernel_link(PROC / str(number) / "exe")
        status = disk.kernel(PROC / str(number) / "status").decode(errors="replace")
    except OSError:
        return None
    fields = dict(re.findall(r"^(PPid|Uid):\s*(\d+)", status, re.MULTILINE))
    return Process(program, int(fields["Uid"]), int(fields["PPid"]))
