"""Runs a look of the tool's text within limits, which its launcher (`usr/local/sbin/jtel-chatctl`) has.

The launcher starts the installed tool within them. A tool that a look has brought runs first without, and then starts
the launcher's text, which starts it anew. That first run imports next to nothing.
"""

from __future__ import annotations

import os
import sys

from . import cgroup

#: Where programs are looked for: Debian's `secure_path`, also where sudoers lacks it and would keep a caller's PATH.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def concerns(arguments: list[str]) -> bool:
    """Tells whether this call is a look that has no limits yet. Who is not root may take a survey, within his own."""
    limited = [["observe"], ["look"], *([["survey"]] if os.geteuid() == 0 else [])]
    return arguments in limited and not is_inside()


def is_inside() -> bool:
    """Tells whether this process runs within the limits."""
    unit = cgroup.unit()
    return unit.startswith("jtel-chat-look-") and unit.endswith(".scope")


def run(launcher: str, arguments: list[str]) -> None:
    """Becomes the launcher, which runs this very text with these arguments within the limits."""
    os.execv("/bin/sh", ["/bin/sh", "-c", launcher, f"text:{sys.argv[0]}", *arguments])  # noqa: S606 – no shell is to be avoided
