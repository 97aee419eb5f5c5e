"""Keeps originals: what a step found before it first changed something, until the step is undone.

`originals/STEP/index.json` lists, in the order of the first change, what was at each path, and the digest of what the
step last put there: another digest is somebody's edit, which undo keeps beside the file. The original of a release is
kept by `releases`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..access import digests, disk, summary
from ..errors import Refused
from . import journal

if TYPE_CHECKING:
    from .transaction import Transaction

_EDITED = ".edited-under-jtel-chat"
_EDITS = 50  # of one path that are kept


def place(step: str) -> Path:
    """Names the file with the index of a step."""
    return _directory(step) / "index.json"


def index(step: str) -> list[dict[str, Any]]:
    """Lists the entries of a step, oldest first."""
    entries: list[dict[str, Any]] = disk.json(place(step)) or []
    return entries


def recalled(step: str, fact: str) -> Any:
    """Gives what the step found of something that is no file, e.g. a unit's state; None if it changed nothing there."""
    return next((entry["value"] for entry in index(step) if entry.get("fact") == fact), None)


def recalled_all(step: str, fact: str) -> list[Any]:
    """Gives what the step found of a fact, and of those whose names go on after it: `installed openjdk-17-jdk`."""
    return [
        entry["value"]
        for entry in index(step)
        if entry.get("fact") == fact or entry.get("fact", "").startswith(f"{fact} ")
    ]


def keep(step: str, entries: list[dict[str, Any]], backups: Path, given_back: list[str]) -> None:
    """Takes over the backups of a transaction that commits; the first of a path is its original.

    given_back: paths whose originals the transaction has put back, so that they are forgotten.
    """
    directory = _directory(step)
    disk.own_directory(directory)
    known = index(step)
    names = {_name(entry) for entry in known}
    for entry in entries:
        if _name(entry) in names:
            continue
        names.add(_name(entry))
        blob = {"blob": digests.short(entry["path"].encode())} if "blob" in entry else {}
        if blob:
            disk.write(directory / blob["blob"], disk.read(backups / entry["blob"]))
        known.append({**entry, **blob})
    _write(step, _refreshed([entry for entry in known if entry.get("path") not in given_back]))


def refresh(step: str) -> None:
    """Notes the files that are there now as the step's own: called after its files were put back."""
    if known := index(step):
        _write(step, _refreshed(known))


def _refreshed(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**entry, "applied": digest_of(Path(entry["path"]))} if "path" in entry and "kept" not in entry else entry
        for entry in entries
    ]


def put_back(step: str, transaction: Transaction, paths: list[str] | None = None) -> None:
    """Puts back what a step has changed, newest change first.

    paths: only these, `["/etc/haproxy/haproxy.cfg"]`; without them, everything.
    """
    for entry in reversed(index(step)):
        # `kept`: a part of a release that versions before 2026-12 kept here; `releases` has taken it over.
        if "path" in entry and "kept" not in entry and (paths is None or entry["path"] in paths):
            _put_back(entry, _directory(step), transaction)


def forget(step: str) -> None:
    """Removes the backups of a step whose undo has committed: that has removed their index."""
    disk.remove_tree(_directory(step))


def digest_of(path: Path) -> str:
    """Makes a digest of the file or link at a path; else `directory`, `absent`, or `unreadable`."""
    try:
        return "directory" if disk.is_directory(path) else summary.digest(path)
    except (OSError, Refused):
        return "unreadable"


def place_of_edit(path: Path) -> Path:
    """Finds a free name for an edit beside the edited file: `x.edited-under-jtel-chat`, then the same with `-2`.

    Edits that earlier undos have kept stay.
    """
    places = [
        path.with_name(f"{path.name}{_EDITED}{number}")
        for number in ("", *(f"-{number}" for number in range(2, _EDITS + 1)))
    ]
    for place in places:
        if not disk.is_file(place) and not disk.is_directory(place):  # a link is nobody's edit
            return place
    raise Refused(f"{places[0]} and {_EDITS - 1} further edits are kept there. Move them away, then repeat")


def _put_back(entry: dict[str, Any], blobs: Path, transaction: Transaction) -> None:
    path = Path(entry["path"])
    if entry["was"] == "no directory":
        if disk.is_directory(path) and not transaction.remove_directory(path):
            transaction.say(f"{path} stays: it holds {', '.join(disk.names(path)[:5])}")
        return
    if digest_of(path) not in (entry["applied"], "absent"):
        _keep_edit(path, transaction)
    if entry["was"] == "file":
        transaction.write(
            path, disk.read(blobs / entry["blob"]), entry["mode"], (entry["uid"], entry["gid"]), keep=False
        )
        for line in journal.owner_said(path, entry["uid"]):
            transaction.say(line)
    elif entry["was"] == "link":
        transaction.link(path, entry["target"])
    else:
        transaction.remove(path)
    transaction.say(f"put {path} back" if entry["was"] != "absent" else f"removed {path}")


def _keep_edit(path: Path, transaction: Transaction) -> None:
    """Keeps an edit beside the file: a person looks for it there."""
    found = disk.stat(path)
    if found is None or not disk.is_file(path):
        return
    edited = place_of_edit(path)
    transaction.write(edited, disk.read(path), found.st_mode & 0o777, (found.st_uid, found.st_gid), keep=False)
    transaction.say(f"{path} was edited since: that is kept as {edited}")


def _write(step: str, entries: list[dict[str, Any]]) -> None:
    disk.write(place(step), (json.dumps(entries, indent=1) + "\n").encode())


def _name(entry: dict[str, Any]) -> str:
    return entry.get("path") or f"fact {entry['fact']}"


def _directory(step: str) -> Path:
    return disk.STATE / "originals" / step
