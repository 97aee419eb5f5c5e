"""Transactions: everything that one apply changes, written ahead to a journal so that it can be put back.

Order on disk (fsync at each comma): backup and journal line, staged file, rename, directory. A run that dies between two
of them leaves the host wholly old or is put back by `recover`, which runs first in every apply and at boot.
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

from . import durable, originals, process
from .document import Section
from .errors import Ended, Failed, Refused


def _journal() -> Path:
    return durable.STATE / "journal"


def _unproven() -> Path:
    return durable.STATE / "unproven"


class Transaction:
    """Use as a context manager: leaving it with an error rolls back, else commits.

    keep: whether what is changed is kept as an original, for undo. An undo itself keeps nothing.
    proven: False where only a service that loads it can show that it is good; until then it can be put back after its commit, too.
    """

    def __init__(self, step: str, *, keep: bool = True, proven: bool = True) -> None:
        durable.STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
        _journal().mkdir(mode=0o700, exist_ok=True)
        self.step = step
        self.said: list[str] = []
        self._keep = keep
        self._proven = proven
        self._entries: list[dict[str, Any]] = []
        self._after: list[tuple[str, ...]] = []
        self._directory = _journal() / f"{time.time_ns()}-{step}"
        self._directory.mkdir(mode=0o700)
        durable.sync_directory(_journal())

    def __enter__(self) -> Transaction:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        said = _roll_back(self._directory) if error is not None else []
        if error is None and self._keep:
            originals.keep(self.step, [entry for entry in self._entries if entry.pop("keep", False)], self._directory)
        if error is None and not self._proven:
            _unproven().mkdir(mode=0o700, exist_ok=True)
            self._directory.rename(_unproven() / self._directory.name)
        else:
            _close(self._directory)
        durable.sync_directory(_journal())
        if error is None and self._proven:
            _discard(self._entries)
        for argv in self._after if error is None else []:
            process.attempt(*argv, timeout=180)
        if said:
            raise Failed("\n".join([str(error), *said])) from error

    def say(self, what: str) -> None:
        """A line for the person who reads the output of `pulumi up`."""
        self.said.append(what)

    def remember(self, fact: str, value: Any) -> None:
        """Keep what was found of something that is no file; undo asks `originals.recalled` for it."""
        self._log({"fact": fact, "value": value, "keep": True})

    def on_rollback(self, *argv: str) -> None:
        """Run a command when rolling back – after everything that is changed later in this transaction has been put back."""
        self._log({"command": argv})

    def load_on_rollback(self, section: Section) -> None:
        """Have the section's kind load what was put back (`load_again`), at the same moment as a command of `on_rollback`."""
        self._log({"kind": section.kind, "name": section.name})

    def after_commit(self, *argv: str) -> None:
        """Run a command once everything is in place for good; its failure undoes nothing."""
        self._after.append(argv)

    def write(self, path: Path, data: bytes, mode: int, owner: str = "root:root", *, keep: bool = True) -> bool:
        """Make `path` a regular file with these bytes, mode and owner; False when it already was. keep: its original, for undo."""
        uid, gid = ids(owner)
        found = _stat(path)
        if found and not path.is_symlink() and (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (mode, uid, gid) and path.read_bytes() == data:
            return False
        self.make_directory(path.parent, uid, gid)
        self._back_up(path, keep)
        durable.replace(path, data, mode, uid, gid)
        return True

    def link(self, path: Path, target: str) -> bool:
        """Make `path` a symbolic link; False when it already was."""
        if path.is_symlink() and os.readlink(path) == target:
            return False
        if path.is_dir() and not path.is_symlink():
            raise Refused(f"{path} is a directory, wanted is a link to {target}. Move its content away, then remove it")
        self.make_directory(path.parent, 0, 0)
        self._back_up(path, keep=True)
        durable.replace_link(path, target)
        return True

    def stage(self, path: Path) -> Path:
        """A free place for a tree that `replace_tree` will move; what is left there goes when this run fails."""
        durable.remove_tree(path)
        self._log({"path": str(path), "was": "absent", "kept": ""})
        return path

    def replace_tree(self, path: Path, staged: Path | None) -> None:
        """Put the tree or file `staged` (same file system), or nothing, where `path` is.

        What was there goes to `<parent>.original`, later ones to `<parent>.previous`.
        """
        first = not any(entry.get("path") == str(path) for entry in originals.index(self.step))
        kept = path.parent.with_name(f"{path.parent.name}.{'original' if first else 'previous'}") / path.name
        self.remove(kept)
        self._log({"path": str(path), "was": "tree" if path.exists() else "absent", "kept": str(kept), "keep": True})
        if path.exists():
            kept.parent.mkdir(mode=0o755, exist_ok=True)
            path.rename(kept)
        if staged:
            staged.rename(path)
        durable.sync_directory(path.parent)

    def remove(self, path: Path, *, keep: bool = False) -> None:
        """Remove what is at `path`, a whole tree too; nothing when nothing is there. keep: a file's original, for undo."""
        if path.is_dir() and not path.is_symlink():
            kept = path.with_name(f".{path.name}.removed")
            durable.remove_tree(kept)
            self._log({"path": str(path), "was": "tree", "kept": str(kept), "discard": True})
            path.rename(kept)
        elif _stat(path):
            self._back_up(path, keep)
            path.unlink()
            durable.sync_directory(path.parent)

    def remove_directory(self, path: Path) -> bool:
        """Remove an empty directory; False when it is not empty."""
        if any(path.iterdir()):
            return False
        found = path.stat()
        self._log({"command": ["install", "-d", "-m", f"{found.st_mode & 0o7777:o}", "-o", str(found.st_uid), "-g", str(found.st_gid), str(path)]})
        path.rmdir()
        return True

    def make_directory(self, path: Path, uid: int, gid: int) -> None:
        """A new directory, 0755, with the parents that are missing."""
        for directory in reversed([path, *path.parents]):
            if not directory.exists():
                self._log({"path": str(directory), "was": "no directory", "keep": durable.STATE not in [directory, *directory.parents]})
                directory.mkdir(mode=0o755)
                os.chown(directory, uid, gid)

    def _back_up(self, path: Path, keep: bool) -> None:
        found = _stat(path)
        entry: dict[str, Any] = {"path": str(path), "was": "absent", "keep": keep}
        if path.is_symlink():
            entry |= {"was": "link", "target": os.readlink(path)}
        elif found:
            blob = self._directory / str(len(self._entries))
            durable.write_synced(blob, path.read_bytes())
            entry |= {"was": "file", "blob": blob.name, "mode": found.st_mode & 0o7777, "uid": found.st_uid, "gid": found.st_gid}
        self._log(entry)

    def _log(self, entry: dict[str, Any]) -> None:
        self._entries.append(entry)
        with open(self._directory / "entries", "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
        durable.sync_directory(self._directory)


def recover(booting: bool = False) -> list[str]:
    """Roll back what earlier runs left unfinished, newest first; lines for a person. To be called under the host's lock.

    booting: services have not started yet, so they are not told.
    """
    said: list[str] = []
    for directory in sorted(_journal().iterdir(), reverse=True) if _journal().exists() else []:
        said += [f"put back what the interrupted run '{directory.name}' had begun", *_roll_back(directory, booting)]
        _close(directory)
    return said


def proven() -> None:
    """What was committed since the last proof is good: a service has loaded it and is healthy."""
    for directory in _unproven().iterdir() if _unproven().exists() else []:
        _discard(_read(directory))
    shutil.rmtree(_unproven(), ignore_errors=True)


def disproven() -> list[str]:
    """Put back what was committed since the last proof, newest first; the steps that it belonged to."""
    left = sorted(_unproven().iterdir(), reverse=True) if _unproven().exists() else []
    for directory in left:
        _roll_back(directory)
        _close(directory)
    return list(dict.fromkeys(directory.name.partition("-")[2] for directory in left))


def ids(owner: str) -> tuple[int, int]:
    """`user:group`, by name or number, as numbers. Raises Refused when the host does not know them."""
    user, _, group = owner.partition(":")
    if user.isdecimal() and group.isdecimal():
        return int(user), int(group)
    try:
        return pwd.getpwnam(user).pw_uid, grp.getgrnam(group or user).gr_gid
    except KeyError:
        raise Refused(f"this host has no user and group '{owner}'. The jtel base installation creates it: install that first") from None


def _roll_back(directory: Path, booting: bool = False) -> list[str]:
    """Put everything back, the last change first; what the kinds say that loaded it again."""
    said: list[str] = []
    for entry in reversed(_read(directory)):
        if "path" in entry:
            durable.put_back(entry, directory)
        elif "command" in entry and not (booting and entry["command"][0] == "systemctl"):
            process.attempt(*entry["command"], timeout=120)
        elif "kind" in entry and not booting:
            said.append(_load_again(Section(entry["kind"], entry["name"])))
    return said


def _load_again(section: Section) -> str:
    """What does not load must not keep the rest from being put back."""
    from . import kind  # which knows transactions

    try:
        return kind.of(section).load_again(section)
    except Ended:
        raise
    except (OSError, Refused, Failed) as error:
        return f"{section.name} is as it was, and was not loaded again: {error}"


def _read(directory: Path) -> list[dict[str, Any]]:
    """What a journal announces, oldest first; a line torn by a crash announces what has not been done."""
    path, entries = directory / "entries", []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        with contextlib.suppress(ValueError):
            entries.append(json.loads(line))
    return entries


def _discard(entries: list[dict[str, Any]]) -> None:
    """Trees that were removed for good."""
    for entry in entries:
        if entry.get("discard"):
            shutil.rmtree(entry["kept"], ignore_errors=True)


def _close(directory: Path) -> None:
    """The end of a transaction is one step: without its list of entries, a journal means nothing any more."""
    (directory / "entries").unlink(missing_ok=True)
    durable.sync_directory(directory)
    shutil.rmtree(directory)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None
