"""Walks to a path by open directories; the owner of each decides with whose rights the tool acts there.

- While the directories belong to root, root acts.
- From the first directory on that belongs to somebody else, that user acts, e.g. jtel below `/home/jtel`. What jtel may
  not do, the tool does not do for him. No link is followed there.
- From a directory of root's on that others may write to, root acts, but no link is followed either: others could have
  given a link of root's another name. (systemd-tmpfiles had such a fault: CVE-2018-6954.)
"""

from __future__ import annotations

import contextlib
import os
import stat as modes
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import Refused
from .account import ROOT, Account, acting_as, owning

_LINKS = 20  # links of root's that one path may lead through
_NO_FILES = ("/proc/", "/sys/", "/dev/")
_DIRECTORY = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class Place(NamedTuple):
    """A name in an open directory, and the account that acts there."""

    path: Path
    directory: int
    name: str
    account: Account


@contextlib.contextmanager
def at(path: Path, rights: Account | None = None, *, follow: bool = False) -> Iterator[Place]:
    """Opens the folder of `path`, and acts while inside with the rights of whoever owns that folder.

    rights: act with these from the root directory on.
    follow: where root has put a link into a folder of root's, go on to what it leads to, e.g. for `/etc/os-release`.

    Raises FileNotFoundError where a folder is missing, Refused where one cannot be trusted.
    """
    if not path.is_absolute() or ".." in path.parts:
        raise Refused(f"{path} is no absolute path without '..'")
    with contextlib.ExitStack() as stack:
        walk = _Walk(path, rights, stack)
        for name in path.parts[1:-1]:
            walk.enter(name)
        name = walk.last(path.name) if follow else path.name
        with errors_name(path):
            yield Place(path, walk.directory, name or ".", walk.account)


@contextlib.contextmanager
def errors_name(path: Path) -> Iterator[None]:
    """Makes errors inside name the whole path: that of a call by descriptor has the last part of it, if any."""
    try:
        yield
    except OSError as error:
        if error.errno and not os.path.isabs(str(error.filename or "")):
            error.filename = str(path)
        raise


class _Walk:
    """The walk to a path: the directory that is open now, and the account that acts in it."""

    def __init__(self, path: Path, rights: Account | None, stack: contextlib.ExitStack) -> None:
        self.path, self._rights, self._stack, self._links = path, rights, stack, 0
        self.account, self._shared = ROOT, False
        self._act_as(rights or ROOT)
        self.directory = self._open("/", None)

    def enter(self, name: str) -> None:
        """Goes into the directory `name`, also through a link of root's that may be followed."""
        descriptor = self._open(name, self.directory)
        found = os.fstat(descriptor)
        if modes.S_ISLNK(found.st_mode):
            self._follow(name, found)
            return
        if not modes.S_ISDIR(found.st_mode):
            raise NotADirectoryError(20, os.strerror(20), str(self.path))
        self.directory = descriptor
        self._judge(found)

    def last(self, name: str) -> str:
        """Follows links of root's from `name`, and returns the last name; the directory that holds it is open then."""
        while self._follows():
            try:
                found = os.stat(name or ".", dir_fd=self.directory, follow_symlinks=False)
            except FileNotFoundError:
                break
            if not modes.S_ISLNK(found.st_mode) or found.st_uid != 0 or self._links > _LINKS:
                break
            self._links += 1
            name = self._through(os.readlink(name, dir_fd=self.directory))
        return name

    def _through(self, target: str) -> str:
        """Goes into the folder of a link's target, and returns the target's own name."""
        if target.startswith("/"):
            self.directory = self._open("/", None)
        *folders, name = [part for part in Path(target).parts if part != "/"] or ["."]
        for part in folders:
            self.enter(part)
        return name

    def _judge(self, directory: os.stat_result) -> None:
        if self.account.uid != 0 or self._rights:
            return
        if directory.st_uid != 0:
            self._act_as(owning(directory.st_uid))
        else:
            self._shared |= _others_may_write(directory)

    def _follows(self) -> bool:
        """Tells whether a link of root's in this directory may be followed: nobody else can have named it."""
        return self.account.uid == 0 and not self._rights and not self._shared

    def _follow(self, name: str, link: os.stat_result) -> None:
        target = os.readlink(name, dir_fd=self.directory)
        self._links += 1
        if not self._follows() or link.st_uid != 0 or self._links > _LINKS:
            raise Refused(
                f"{self.path} leads through the link '{name}' to {target}, which is not followed. Put the folder itself"
                " there, then repeat"
            )
        self.enter(self._through(target))

    def _open(self, name: str, directory: int | None) -> int:
        try:
            descriptor = os.open(name, _DIRECTORY, dir_fd=directory)
        except PermissionError:
            raise Refused(
                f"{self.path}: {self.account.name} may not enter the folder of '{name}', and the tool acts with that"
                " user's rights"
            ) from None
        self._stack.callback(os.close, descriptor)
        return descriptor

    def _act_as(self, account: Account) -> None:
        self.account = account
        self._stack.enter_context(acting_as(account))


def _others_may_write(directory: os.stat_result) -> bool:
    """Tells whether somebody beside root can rename what root has in this directory of root's.

    An access list counts as well: it shows in the group's bits.
    """
    by_group = bool(directory.st_mode & modes.S_IWGRP) and directory.st_gid != 0
    by_all = bool(directory.st_mode & modes.S_IWOTH)
    return (by_group or by_all) and not directory.st_mode & modes.S_ISVTX


def resolved(path: Path, rights: Account) -> Path:
    """Follows all links with these rights, e.g. of a hosted share.

    Raises Refused where they lead into /proc, /sys or /dev.
    """
    with acting_as(rights):
        target = os.path.realpath(path)
    if target.startswith(_NO_FILES):
        raise Refused(f"{path} leads to {target}. Put the files themselves there, then repeat")
    return Path(target)
