"""Runs a look in a transient scope that limits its time, memory and tasks.

A scope, not a service: standard input and output stay the caller's, and sudo and sshd stay its parents (see `origin`).
The call that starts it only waits, and says which limit has ended it. It imports next to nothing, since every look pays
for it.
"""

from __future__ import annotations

import os
import sys

from . import cgroup

#: Limits that a slow host keeps, too: a look takes 0.7 s and 35 MB, with a Java checker 2.8 s and 112 MB.
SECONDS = 180
_MEMORY = "1G"
_PROPERTIES = {
    "RuntimeMaxSec": f"{SECONDS}s",
    "TimeoutStopSec": "5s",
    "MemoryMax": _MEMORY,
    "MemorySwapMax": "0",
    "TasksMax": "256",
}
_UNIT = "jtel-chat-look-"
#: Where programs are looked for: Debian's `secure_path`, also where sudoers lacks it and would keep a caller's PATH.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def concerns(arguments: list[str]) -> bool:
    """Tells whether this call is a look that has no limits yet. Who is not root may take a survey, within his own."""
    limited = [["observe"], ["look"], *([["survey"]] if os.geteuid() == 0 else [])]
    return arguments in limited and not is_inside()


def is_inside() -> bool:
    """Tells whether this process runs within the limits."""
    unit = cgroup.unit()
    return unit.startswith(_UNIT) and unit.endswith(".scope")


def run(arguments: list[str]) -> int:
    """Runs this very program with these arguments within the limits; returns its exit code, or 3 at a limit."""
    if os.geteuid() != 0:
        return _refused("only root can look at this host. Use sudo")
    code = os.spawnvpe(os.P_WAIT, "systemd-run", _command(arguments), {**os.environ, "PATH": PATH, "LC_ALL": "C.UTF-8"})  # noqa: S606 – subprocess would take time
    if code >= 0:
        return code
    # systemd sends SIGTERM, then SIGKILL, to a scope that runs too long; the kernel sends SIGKILL for too much memory.
    why = (
        f"it took longer than {SECONDS} s"
        if code == -15
        else f"it was killed (signal {-code}), as what needs more than {_MEMORY} of memory is"
    )
    return _refused(
        f"the look was ended: {why}. See what was running then: journalctl --since -10min, dmesg; then repeat"
    )


def _refused(why: str) -> int:
    """Reports a refusal in the same form as `main`, which is not imported yet."""
    print(f"{os.uname().nodename}: {why}", file=sys.stderr)
    return 3


def _command(arguments: list[str]) -> list[str]:
    """Writes the command line. The program is named as it was started: a path, or the descriptor of its text."""
    return [
        *("systemd-run", "--scope", "--quiet", "--collect", f"--unit={_UNIT}{os.getpid()}"),
        *(f"--property={name}={value}" for name, value in _PROPERTIES.items()),
        *(sys.executable, "-I", sys.argv[0], *arguments),
    ]
