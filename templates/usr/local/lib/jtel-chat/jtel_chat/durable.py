"""Names of disk's that modules still use."""

from __future__ import annotations

from pathlib import Path

from . import digests, disk
from .disk import RUN, STATE, scratch

__all__ = ["RUN", "STATE", "digest", "replace", "scratch", "write_synced"]

digest = digests.short


def replace(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write."""
    disk.write(path, data, mode)


def write_synced(path: Path, data: bytes, mode: int, uid: int, gid: int) -> None:
    """Write."""
    disk.write(path, data, mode, (uid, gid))
