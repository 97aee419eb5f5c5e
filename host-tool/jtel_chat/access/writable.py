"""Tells before anything is written whether a file can be replaced by a rename."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from . import disk, mounts, summary

_FIXED = {0x10: "immutable (chattr +i)", 0x20: "append-only (chattr +a)"}
_MARGIN = 64 << 10  # bytes that a journal's entries take


def problems_of(texts: Mapping[Path, bytes]) -> list[str]:
    """Says why texts cannot take the place of what is at their paths; nothing of what is there already."""
    return [problem for path, text in summary.differing(texts).items() for problem in problems(path, len(text))]


def problems(path: Path, size: int) -> list[str]:
    """Says why `size` bytes cannot take the place of what is at `path`, each with its remedy.

    They need room beside the file, and the file's backup needs room below `/var/lib/jtel-chat`. Says nothing where the
    folder is missing: an apply makes it.
    """
    if not disk.is_directory(path.parent, follow=True):
        return []
    found = disk.stat(path)
    return [
        *_fixed(path),
        *([_mounted(path)] if str(path) in mounts.points() else []),
        *([_read_only(path)] if disk.is_read_only(path) else []),
        *_room(path.parent, size),
        *_room(disk.STATE, found.st_size if found else 0),
    ]


def _fixed(path: Path) -> list[str]:
    """Says which attributes (chattr(1)) keep the file, or the names in its folder, from being changed."""
    return [
        f"{each} is {words}, so nothing can take its place. Ask who has set that, then: chattr -ia {each}"
        for each in (path, path.parent)
        for bit, words in _FIXED.items()
        if disk.flags(each) & bit
    ]


def _mounted(path: Path) -> str:
    return f"{path} is a mount of its own, and cannot be replaced. Unmount it, or mount its folder instead"


def _read_only(path: Path) -> str:
    return f"{path} is on a file system that is mounted read-only ({mounts.of(path)}). Mount it writable, then repeat"


def _room(folder: Path, size: int) -> list[str]:
    free, wanted = disk.free(folder), size + _MARGIN
    if free >= wanted:
        return []
    return [
        f"the file system of {folder} ({mounts.of(folder)}) has {free} bytes free, and {wanted} are needed. Make room,"
        " then repeat"
    ]
