"""Changes everything that one apply changes, written ahead to a journal so that it can be put back.

Order on disk (fsync at each comma): backup and journal line, staged file, rename, directory. A run that dies between
two of them leaves the host wholly old or is put back by `journal.recover`, which runs first in every apply and at boot.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from ..access import digests, disk
from ..documents.document import Section
from ..errors import Ended, Failed, Refused, Stuck
from . import journal, originals, releases
from .releases import Release


class Transaction:
    """One transaction, used as a context manager: leaving it with an error rolls back, else commits.

    keep: whether what is changed is kept as an original, for undo. An undo itself keeps nothing.
    proven: False where only a service that loads it can show that it is good; until then it can be put back after its
    commit, too.
    """

    def __init__(self, step: str, *, keep: bool = True, proven: bool = True) -> None:
        disk.own_directory(journal.pending())
        self.step = step
        self.said: list[str] = []
        #: Called before the first change outside of our own state; an error of it leaves everything as it was.
        self.before_change: Callable[[], None] | None = None
        #: Whether this is the undo of the step.
        self.undoes = not keep
        self._proven = proven
        self._entries: list[dict[str, Any]] = []
        self._given_back: list[str] = []
        self._after: list[tuple[str, ...]] = []
        self._directory = journal.pending() / journal.name_of_next(step)
        disk.own_directory(self._directory)

    def __enter__(self) -> Transaction:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._roll_back(error)
            return
        try:
            self._keep_originals()
        except BaseException as failure:
            self._roll_back(failure)
            raise
        self._commit()
        for argv in self._after:
            if why := journal.failure(argv, timeout=180):
                self.say(f"warning: '{' '.join(argv)}' has failed: {why}. Everything else is done: run it by hand")

    def _roll_back(self, error: BaseException) -> None:
        said, complete = journal.roll_back(self._directory)
        text = "\n".join([str(error), *said])
        if not complete and not isinstance(error, Ended):
            raise Stuck(text) from error
        if said:
            raise Failed(text) from error

    def _keep_originals(self) -> None:
        """Keeps the originals until the transaction is put back: a later one finds other files there."""
        if not self.undoes:
            kept = [entry for entry in self._entries if entry.pop("keep", False)]
            index = originals.place(self.step)
            self._back_up(index, disk.stat(index), False, None)
            originals.keep(self.step, kept, self._directory, self._given_back)

    def _commit(self) -> None:
        journal.forget_besides(self._entries)
        if self._proven:
            journal.close(self._directory)
            releases.forget_unused()
        else:
            disk.own_directory(journal.unproven())
            disk.move(self._directory, journal.unproven() / self._directory.name)

    def say(self, what: str) -> None:
        """Adds a line for the person who reads the output of `pulumi up`."""
        self.said.append(what)

    def forget_original(self, path: str) -> None:
        """Forgets what was at a path once this transaction, which has put that back, commits."""
        self._given_back.append(path)

    def remember(self, fact: str, value: Any) -> None:
        """Keeps what was found of something that is no file; undo asks `originals.recalled` for it."""
        self._log({"fact": fact, "value": value, "keep": True})

    def on_rollback(self, *argv: str, words: str = "") -> None:
        """Runs a command when rolling back, after everything that this transaction changes later has been put back.

        Its failure is one of the rollback: a command that has nothing to do any more has to succeed.

        words: what a person would type instead, where that is shorter: `ufw disable`.
        """
        self._log({"command": argv, "words": words})

    def load_on_rollback(self, section: Section) -> None:
        """Has the section's kind load what was put back (`load_again`), when a command of `on_rollback` would run."""
        self._log({"kind": section.kind, "name": section.name})

    def after_commit(self, *argv: str) -> None:
        """Runs a command once everything is in place for good; its failure is said, and undoes nothing."""
        self._after.append(argv)

    def write(self, path: Path, data: bytes, mode: int, owner: tuple[int, int] = (0, 0), *, keep: bool = True) -> bool:
        """Makes `path` a regular file with these bytes and mode; False when it was one already.

        owner: uid and gid in a folder of root's. In somebody else's folder the file is his.
        keep: whether its original is kept, for undo.
        """
        if disk.is_as_wanted(path, data, mode, owner):
            return False
        self._announce(path)
        self.make_directory(path.parent)
        first = not any(each.get("path") == str(path) for each in self._entries)
        self._back_up(path, disk.stat(path), keep, digests.short(data))
        if first and disk.is_file(path):
            disk.keep_beside(path)
        disk.write(path, data, mode, owner)
        return True

    def link(self, path: Path, target: str) -> bool:
        """Makes `path` a symbolic link; False when it was this one already."""
        if disk.link_target(path) == target:
            return False
        found = disk.stat(path)
        if found and stat.S_ISDIR(found.st_mode):
            raise Refused(f"{path} is a directory, wanted is a link to {target}. Move its content away, then remove it")
        self.make_directory(path.parent)
        self._back_up(path, found, True, f"link to {target}")
        disk.link(path, target)
        return True

    def remove(self, path: Path, *, keep: bool = False) -> None:
        """Removes a file or a link, if there is one. keep: whether its original is kept, for undo."""
        if found := disk.stat(path):
            self._announce(path)
            self._back_up(path, found, keep, "absent")
            disk.remove(path)

    def remove_directory(self, path: Path) -> bool:
        """Removes an empty directory; False when it is not empty."""
        found = disk.stat(path)
        if found is None:
            return True
        if disk.names(path):
            return False
        self._log({"path": str(path), "was": "directory", "mode": stat.S_IMODE(found.st_mode)})
        return disk.remove_directory(path)

    def make_directory(self, path: Path) -> None:
        """Makes a directory (0755) with its missing parents; each belongs to whoever owns the folder that it is in."""
        for directory in reversed([path, *path.parents]):
            if disk.stat(directory) is None:
                ours = disk.STATE in [directory, *directory.parents]
                self._log({"path": str(directory), "was": "no directory", "keep": not ours})
                disk.make_directory(directory)

    def install(self, release: Release, found: Release, directory: Path) -> None:
        """Puts a stored release where `found` is now, which has to be stored as well."""
        self._announce(directory)
        self._log(
            {
                "release": str(directory),
                "was": found.stored(),
                "comes": [] if release.is_absent else list(release.entries),
            }
        )
        releases.install(release, found, directory)

    def _announce(self, path: Path) -> None:
        if self.before_change and disk.STATE not in path.parents:
            self.before_change()

    def _back_up(self, path: Path, found: Any, keep: bool, comes: str | None) -> None:
        """Notes in the journal what is at a path, with a backup of its bytes.

        comes: what the transaction puts there, a digest, `link to …` or `absent`; only over that it is put back later.
        None: over whatever is there.
        """
        entry: dict[str, Any] = {"path": str(path), "was": "absent", "keep": keep}
        entry |= {} if comes is None else {"comes": comes}
        if found is not None and stat.S_ISLNK(found.st_mode):
            entry |= {"was": "link", "target": disk.link_target(path)}
        elif found is not None:
            blob = self._directory / str(len(self._entries))
            disk.write(blob, disk.read(path))
            owner = {"uid": found.st_uid, "gid": found.st_gid}
            entry |= {"was": "file", "blob": blob.name, "mode": stat.S_IMODE(found.st_mode), **owner}
        self._log(entry)

    def _log(self, entry: dict[str, Any]) -> None:
        self._entries.append(entry)
        disk.append(self._directory / "entries", (json.dumps(entry) + "\n").encode())
        disk.synced(self._directory)
