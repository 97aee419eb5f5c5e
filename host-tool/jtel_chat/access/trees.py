"""Lists and copies whole trees of files by descriptors.

Links and special files are refused by name.
"""

from __future__ import annotations

import os
import re
import stat as modes
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..errors import Refused
from . import disk
from .account import Account
from .place import at

_LITTER = re.compile(
    r"(?:eh)?thumbs\.db|desktop\.ini|\.ds_store|\._.*|\.nfs[0-9a-f]+|~\$.*|\.~lock\..*#|.*\.sw[op]", re.IGNORECASE
)


class Entry(NamedTuple):
    """One file or folder of a tree. name: its path below the tree, `bin/a.jar`; directories have the size 0.

    changed: when its bytes, mode, owner or names were changed last (st_ctime, in nanoseconds): nobody can set that.
    """

    name: str
    directory: bool
    mode: int
    uid: int
    size: int
    inode: int
    changed: int


def tree(path: Path, rights: Account | None = None, *, entries: int = 20_000, size: int = 1 << 30) -> list[Entry]:
    """Lists everything below a directory, parents before children; of a file just itself, with an empty name.

    Raises Refused with the name of a link or special file, and beyond so many entries or bytes; FileNotFoundError where
    nothing is.
    """
    found: list[Entry] = []
    with at(path, rights) as place:
        _collect(place.directory, place.name, "", path, found, entries)
    if sum(entry.size for entry in found) > size:
        raise Refused(f"{path} holds more than {size >> 20} MiB. Is it the right folder?")
    return found


def is_litter(name: str) -> bool:
    """Tells whether a desktop program or NFS leaves such a file in a folder by itself: `Thumbs.db`, `.nfs0001`."""
    return _LITTER.fullmatch(name) is not None


def _collect(directory: int, name: str, shown: str, root: Path, found: list[Entry], limit: int) -> None:
    state = os.stat(name, dir_fd=directory, follow_symlinks=False)
    is_directory = modes.S_ISDIR(state.st_mode)
    if not is_directory and not modes.S_ISREG(state.st_mode):
        raise Refused(
            f"{root / shown} is {disk.kind_of(state)}; only files and folders are taken. Remove it, then repeat"
        )
    if len(found) >= limit:
        raise Refused(f"{root} holds more than {limit} files. Is it the right folder?")
    if shown.count("/") > disk.DEEPEST:
        raise Refused(
            f"{root} holds folders that lie in each other more than {disk.DEEPEST} deep. Is it the right folder?"
        )
    size = 0 if is_directory else state.st_size
    mode = modes.S_IMODE(state.st_mode)
    found.append(Entry(shown, is_directory, mode, state.st_uid, size, state.st_ino, state.st_ctime_ns))
    if not is_directory:
        return
    inside = os.open(name, disk.FOLDER, dir_fd=directory)
    try:
        for each in sorted(name for name in disk.listed(inside) if not is_litter(name)):
            _collect(inside, each, f"{shown}/{each}" if shown else each, root, found, limit)
    finally:
        os.close(inside)


def copy_tree(source: Path, target: Path, mode_of: Callable[[Entry], int], rights: Account | None = None) -> None:
    """Copies a tree or a file to `target`, which must be free: nothing is renamed.

    Room for every file is reserved before the first byte is copied. The copy belongs to whoever owns the target's
    folder.

    mode_of: gives the mode of each copy.
    rights: those to read the source with.
    """
    entries = tree(source, rights)
    for entry in entries:
        _reserve(target / entry.name, entry)
    for entry in entries:
        if not entry.directory:
            _copy_file(source / entry.name, target / entry.name, entry, rights)
    for entry in reversed(entries):
        _set_mode(target / entry.name, mode_of(entry))


def _reserve(path: Path, entry: Entry) -> None:
    with at(path) as place:
        if entry.directory:
            os.mkdir(place.name, 0o700, dir_fd=place.directory)
            return
        descriptor = os.open(place.name, disk.CREATE, 0o600, dir_fd=place.directory)
        try:
            if entry.size:
                os.posix_fallocate(descriptor, 0, entry.size)
        finally:
            os.close(descriptor)


def _copy_file(source: Path, target: Path, entry: Entry, rights: Account | None) -> None:
    with disk.opened(source, entry.size, rights) as given, at(target) as place:
        descriptor = os.open(place.name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place.directory)
        try:
            for chunk in disk.chunks(given, entry.size):
                disk.fill(descriptor, chunk)
            os.ftruncate(descriptor, os.lseek(descriptor, 0, os.SEEK_CUR))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _set_mode(path: Path, mode: int) -> None:
    """Sets the mode of something that the tool has just made, by its descriptor."""
    with at(path) as place:
        descriptor = os.open(
            place.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place.directory
        )
        try:
            os.fchmod(descriptor, mode & 0o777)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
