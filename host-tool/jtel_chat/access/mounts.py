"""Reads what is mounted on this host (proc_pid_mountinfo(5))."""

from __future__ import annotations

import re
from pathlib import Path

from . import disk


def problems(mount: str | None) -> list[str]:
    """Says why nothing can be copied from the share `/home/jtel/shared`: it is not mounted.

    mount: where it should be mounted; None where this host itself is its home.
    """
    if mount and mount not in points():
        return [f"the share is not mounted at {mount}. Mount it ('mount {mount}', entry in /etc/fstab), then repeat"]
    return []


def points() -> set[str]:
    """Lists the places where something is mounted: folders and single files."""
    lines = disk.kernel("/proc/self/mountinfo").decode(errors="surrogateescape").splitlines()
    return {re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), line.split(" ")[4]) for line in lines}


def of(path: Path) -> str:
    """Finds the mount that a path is in: `/home` for `/home/jtel/x`."""
    known = points()
    return next((str(each) for each in (path, *path.parents) if str(each) in known), "/")
