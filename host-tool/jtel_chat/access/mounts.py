"""What is mounted on this host (proc_pid_mountinfo(5))."""

from __future__ import annotations

import re
from pathlib import Path

from . import disk


def problems(mount: str | None) -> list[str]:
    """Whether the share a section copies from is mounted (`/home/jtel/shared`); None where this host is its home."""
    if mount and mount not in points():
        return [f"the share is not mounted at {mount}. Mount it ('mount {mount}', entry in /etc/fstab), then repeat"]
    return []


def points() -> set[str]:
    """Where something is mounted: folders and single files."""
    lines = disk.kernel("/proc/self/mountinfo").decode(errors="surrogateescape").splitlines()
    return {re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), line.split(" ")[4]) for line in lines}


def of(path: Path) -> str:
    """The mount that a path is in: `/home`."""
    known = points()
    return next((str(each) for each in (path, *path.parents) if str(each) in known), "/")
