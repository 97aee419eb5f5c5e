"""What is mounted on this host (proc_pid_mountinfo(5))."""

from __future__ import annotations

from . import disk


def problems(mount: str | None) -> list[str]:
    """Whether the share a section copies from is mounted (`/home/jtel/shared`); None where this host is its home."""
    if mount and mount not in _mount_points():
        return [f"the share is not mounted at {mount}. Mount it ('mount {mount}', entry in /etc/fstab), then repeat"]
    return []


def _mount_points() -> set[str]:
    lines = disk.kernel("/proc/self/mountinfo").decode(errors="surrogateescape").splitlines()
    return {line.split(" ")[4].replace("\\040", " ") for line in lines}
