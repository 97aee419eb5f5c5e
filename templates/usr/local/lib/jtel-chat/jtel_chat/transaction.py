"""Transactions: everything that one apply changes, written ahead to a journal so that it can be put back.

Order on disk (fsync at each comma): backup and journal line, staged file, rename, directory. A run that dies between two
of them leaves the host wholly old or is put back by `recover`, which runs first in every apply.
"""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from . import process
from .errors import Refused

STATE = Path("/var/lib/jtel-chat")
JOURNAL = STATE / "journal"


class Transaction:
    """Use as a context manager: leaving it with an error rolls back, else commits."""

    def __init__(self, step: str) -> None:
        JOURNAL.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.said: list[str] = []
        self._directory = JOURNAL / f"{time.time_ns()}-{step}"
        self._directory.mkdir(mode=0o700)
        self._entries = 0
        _sync_directory(JOURNAL)

    def __enter__(self) -> Transaction:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            _roll_back(self._directory)
        shutil.rmtree(self._directory)
        _sync_directory(JOURNAL)

    def say(self, what: str) -> None:
        """A line for the person who reads the output of `pulumi up`."""
        self.said.append(what)

    def on_rollback(self, *argv: str) -> None:
        """Run a command when rolling back – after everything that is changed later in this transaction has been put back."""
        self._log({"command": argv})

    def write(self, path: Path, data: bytes, mode: int, owner: str = "root:root") -> bool:
        """Make `path` a regular file with these bytes, mode and owner; False when it already was."""
        uid, gid = ids(owner)
        found = _stat(path)
        if found and not path.is_symlink() and (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (mode, uid, gid) and path.read_bytes() == data:
            return False
        self.make_directory(path.parent, uid, gid)
        self._back_up(path)
        staged = path.with_name(f".{path.name}.jtel-chat")
        with open(os.open(staged, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fchown(file.fileno(), uid, gid)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        staged.rename(path)
        _sync_directory(path.parent)
        return True

    def link(self, path: Path, target: str) -> bool:
        """Make `path` a symbolic link; False when it already was. Renames over an old link: `ln -s` would land inside its target."""
        if path.is_symlink() and os.readlink(path) == target:
            return False
        if path.is_dir() and not path.is_symlink():
            raise Refused(f"{path} is a directory, wanted is a link to {target}. Move its content away, then remove it")
        self.make_directory(path.parent, 0, 0)
        self._back_up(path)
        staged = path.with_name(f".{path.name}.jtel-chat")
        staged.unlink(missing_ok=True)
        staged.symlink_to(target)
        staged.rename(path)
        _sync_directory(path.parent)
        return True

    def replace_tree(self, path: Path, staged: Path, kept: Path) -> None:
        """Put the directory `staged` where `path` is and the old tree where `kept` is, all on one file system."""
        shutil.rmtree(kept, ignore_errors=True)
        kept.parent.mkdir(mode=0o755, exist_ok=True)
        self._log({"path": str(path), "was": "tree" if path.exists() else "absent", "kept": str(kept)})
        if path.exists():
            path.rename(kept)
        staged.rename(path)
        _sync_directory(path.parent)

    def make_directory(self, path: Path, uid: int, gid: int) -> None:
        """A new directory, 0755, with the parents that are missing."""
        for directory in reversed([path, *path.parents]):
            if not directory.exists():
                self._log({"path": str(directory), "was": "absent"})
                directory.mkdir(mode=0o755)
                os.chown(directory, uid, gid)

    def _back_up(self, path: Path) -> None:
        found = _stat(path)
        entry: dict[str, Any] = {"path": str(path), "was": "absent"}
        if path.is_symlink():
            entry |= {"was": "link", "target": os.readlink(path)}
        elif found:
            blob = self._directory / str(self._entries)
            _write_synced(blob, path.read_bytes())
            entry |= {"was": "file", "blob": blob.name, "mode": found.st_mode & 0o7777, "uid": found.st_uid, "gid": found.st_gid}
        self._log(entry)

    def _log(self, entry: dict[str, Any]) -> None:
        with open(self._directory / "entries", "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
        _sync_directory(self._directory)
        self._entries += 1


def recover() -> list[str]:
    """Roll back what earlier runs left unfinished, newest first. To be called under the host's lock."""
    left = sorted(JOURNAL.iterdir(), reverse=True) if JOURNAL.exists() else []
    for directory in left:
        _roll_back(directory)
        shutil.rmtree(directory)
    return [directory.name for directory in left]


def ids(owner: str) -> tuple[int, int]:
    """`user:group` as numbers. Raises Refused when the host does not know them."""
    user, _, group = owner.partition(":")
    if user.isdecimal() and group.isdecimal():
        return int(user), int(group)
    try:
        return pwd.getpwnam(user).pw_uid, grp.getgrnam(group or user).gr_gid
    except KeyError:
        raise Refused(f"this host has no user and group '{owner}'. The jtel base installation creates it: install that first") from None


def _roll_back(directory: Path) -> None:
    entries = directory / "entries"
    lines = entries.read_text(encoding="utf-8").splitlines() if entries.exists() else []
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # torn by a crash: what it announces has not been done
        if "command" in entry:
            process.attempt(*entry["command"], timeout=120)
        else:
            _put_back(directory, entry)


def _put_back(directory: Path, entry: dict[str, Any]) -> None:
    path = Path(entry["path"])
    path.with_name(f".{path.name}.jtel-chat").unlink(missing_ok=True)
    if "kept" in entry:
        _put_back_tree(path, Path(entry["kept"]), entry["was"])
    elif entry["was"] == "absent":
        with contextlib.suppress(OSError):  # a directory that is not empty holds what somebody else put there
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    else:
        staged = path.with_name(f".{path.name}.jtel-chat")
        if entry["was"] == "link":
            staged.symlink_to(entry["target"])
        else:
            _write_synced(staged, (directory / entry["blob"]).read_bytes())
            os.chown(staged, entry["uid"], entry["gid"])
            os.chmod(staged, entry["mode"])
        staged.rename(path)
    if path.parent.exists():
        _sync_directory(path.parent)


def _put_back_tree(path: Path, kept: Path, was: str) -> None:
    if was == "tree" and not kept.exists():
        return  # died before the first rename
    shutil.rmtree(path, ignore_errors=True)
    if was == "tree":
        kept.rename(path)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None


def _write_synced(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
