"""Originals: what a step found before it first changed something, kept until the step is undone.

`originals/STEP/index.json` lists, in the order of the first change, what was at each path, and the digest of what the step
last put there: another digest is somebody's edit, which undo keeps beside the file.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import durable

if TYPE_CHECKING:
    from .transaction import Transaction

_EDITED = ".edited-under-jtel-chat"


def index(step: str) -> list[dict[str, Any]]:
    """The entries of a step, oldest first."""
    try:
        entries: list[dict[str, Any]] = json.loads((_directory(step) / "index.json").read_text(encoding="utf-8"))
        return entries
    except FileNotFoundError:
        return []


def recalled(step: str, fact: str) -> Any:
    """What the step found of something that is no file (a unit's state); None when it has changed nothing there."""
    return next((entry["value"] for entry in index(step) if entry.get("fact") == fact), None)


def keep(step: str, entries: list[dict[str, Any]], journal: Path) -> None:
    """Take over the backups of a transaction that commits; the first of a path is its original."""
    directory = _directory(step)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = index(step)
    names = {_name(entry) for entry in known}
    for entry in entries:
        if _name(entry) in names:
            continue
        names.add(_name(entry))
        blob = {"blob": durable.digest(entry["path"].encode())} if "blob" in entry else {}
        if blob:
            durable.write_synced(directory / blob["blob"], (journal / entry["blob"]).read_bytes())
        known.append({**entry, **blob})
    durable.replace(directory / "index.json", (json.dumps(known, indent=1) + "\n").encode())
    refresh(step)


def refresh(step: str) -> None:
    """What is there now is what the step put there: to be called when its files were put back after its commit."""
    if known := index(step):
        # A first tree that was put back is at its place again, and no original any more.
        known = [entry for entry in known if entry.get("was") != "tree" or Path(entry["kept"]).exists()]
        for entry in known:
            if "path" in entry:
                entry["applied"] = durable.digest_of(Path(entry["path"]))
        durable.replace(_directory(step) / "index.json", (json.dumps(known, indent=1) + "\n").encode())


def put_back(step: str, transaction: Transaction, paths: list[str] | None = None) -> None:
    """Everything – or just these paths – as it was before the step, newest change first."""
    for entry in reversed(index(step)):
        if "path" in entry and (paths is None or entry["path"] in paths):
            _put_back(entry, _directory(step), transaction)


def forget(step: str, paths: list[str] | None = None) -> None:
    """After an undo – of everything, or of just these paths – has committed."""
    if paths is None:
        shutil.rmtree(_directory(step), ignore_errors=True)
    elif paths and (known := index(step)):
        left = [entry for entry in known if entry.get("path") not in paths]
        durable.replace(_directory(step) / "index.json", (json.dumps(left, indent=1) + "\n").encode())


def _put_back(entry: dict[str, Any], blobs: Path, transaction: Transaction) -> None:
    path = Path(entry["path"])
    if entry["was"] == "no directory":
        if path.is_dir() and not transaction.remove_directory(path):
            transaction.say(f"{path} stays: it holds {', '.join(sorted(each.name for each in path.iterdir())[:5])}")
        return
    now = durable.digest_of(path)
    if now not in (entry["applied"], "absent"):
        _keep_edit(path, transaction)
    if entry["was"] == "file":
        transaction.write(path, (blobs / entry["blob"]).read_bytes(), entry["mode"], f"{entry['uid']}:{entry['gid']}", keep=False)
    elif entry["was"] == "link":
        transaction.link(path, entry["target"])
    elif entry["was"] == "tree":
        transaction.replace_tree(path, Path(entry["kept"]))
    else:
        transaction.remove(path)
    transaction.say(f"put {path} back" if entry["was"] != "absent" else f"removed {path}")


def _keep_edit(path: Path, transaction: Transaction) -> None:
    edited = path.with_name(path.name + _EDITED)
    if path.is_dir():
        shutil.copytree(path, edited, symlinks=True, dirs_exist_ok=True)
    elif path.is_file():
        found = path.stat()
        transaction.write(edited, path.read_bytes(), found.st_mode & 0o7777, f"{found.st_uid}:{found.st_gid}", keep=False)
    transaction.say(f"{path} was edited since: that is kept as {edited}")


def _name(entry: dict[str, Any]) -> str:
    return entry.get("path") or f"fact {entry['fact']}"


def _directory(step: str) -> Path:
    return durable.STATE / "originals" / step
