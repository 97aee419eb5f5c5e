"""Looks that end: each runs in a transient scope with limits of time, memory and tasks.

A scope, not a service: standard input and output stay the caller's, and sudo and sshd stay its parents (see `origin`).
"""

from __future__ import annotations

import os
import subprocess
import sys

from . import origin, process
from .errors import Refused

#: A look takes 0.2 s to 3 s and 40 MB, with a Java checker 110 MB; this is what a slow host may need of each.
SECONDS = 180
_MEMORY = "1G"
_PROPERTIES = {
    "RuntimeMaxSec": f"{SECONDS}s",
    "TimeoutStopSec": "5s",
    "MemoryMax": _MEMORY,
    "MemorySwapMax": "0",
    "TasksMax": "256",
}


def run(arguments: list[str]) -> int:
    """This very program with these arguments, within the limits; its exit code. Raises Refused when they ended it."""
    return _judged(subprocess.call(_command(arguments), env=process.ENVIRONMENT, close_fds=False))


def is_inside() -> bool:
    """Whether this process runs within the limits."""
    return origin.inside_look()


def _command(arguments: list[str]) -> list[str]:
    """The program is named as it was started: a path, or the descriptor of the text that came along (hence close_fds=False)."""
    return [
        *("systemd-run", "--scope", "--quiet", "--collect", f"--unit=jtel-chat-look-{os.getpid()}"),
        *(f"--property={name}={value}" for name, value in _PROPERTIES.items()),
        *(sys.executable, "-I", sys.argv[0], *arguments),
    ]


def _judged(code: int) -> int:
    """A scope that runs too long is sent SIGTERM, then SIGKILL; the kernel sends the latter to what wants too much memory."""
    if code >= 0:
        return code
    why = f"it took longer than {SECONDS} s" if code == -15 else f"it was killed (signal {-code}), as what needs more than {_MEMORY} of memory is"
    raise Refused(f"the look was ended: {why}. See what was running then: journalctl --since -10min, dmesg; then repeat")
