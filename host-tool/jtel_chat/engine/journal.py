"""Keeps journals of transactions, so that changes can be put back after a failure, a crash or a boot.

A journal is a folder of root's, `/var/lib/jtel-chat/journal/00000000000000000007-haproxy`: the file `entries`, with a
line of JSON for each change, and the old bytes of replaced files. The numbers count upwards and do not depend on the
clock.

A journal is in one of three folders:

- `journal/`: its transaction has not ended. The next run, or a boot, puts it back.
- `unproven/`: its transaction has committed what only a start of the service can show to be good.
- `not-put-back/`: something in it could not be put back, e.g. since somebody has made a folder of that name. It is kept
  for a person, with all that it holds.

Putting back writes only what differs, and only over what the transaction itself wrote: a later edit of somebody's
stays. What cannot be put back is reported and skipped, so that the rest, other steps and a boot go on.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..access import disk, summary, trees
from ..access.account import owning
from ..documents.document import Section
from ..errors import Ended, Failed, Refused
from ..programs import process
from . import lock


def pending() -> Path:
    """Names the folder with the journals of transactions that have not ended."""
    return disk.STATE / "journal"


def unproven() -> Path:
    """Names the folder with the journals of what is committed, but not yet proven by a healthy start of the service."""
    return disk.STATE / "unproven"


def not_put_back() -> Path:
    """Names the folder with the journals of which something could not be put back, for a person to look at."""
    return disk.STATE / "not-put-back"


def name_of_next(step: str) -> str:
    """Names a new journal: its number comes after all others, also after those of earlier versions (nanoseconds)."""
    numbers = [_number(name) for place in (pending(), unproven(), not_put_back()) for name in disk.names(place)]
    return f"{max(numbers, default=0) + 1:020}-{step}"


def _number(name: str) -> int:
    number = name.partition("-")[0]
    return int(number) if number.isdecimal() else 0


def left(step: str) -> list[str]:
    """Says what earlier runs of a step have left undone, for a person.

    While a run goes on, its own journal is no such thing, and it has put back the others.
    """
    going = lock.is_held()
    waiting = [] if going else [place for place in newest_first(pending()) if _step(place) == step and entries(place)]
    stuck = [place for place in newest_first(not_put_back()) if _step(place) == step]
    return [
        *(
            f"an interrupted run of {step} is not put back yet: the next run does it, or jtel-chatctl recover"
            for _ in waiting
        ),
        *(f"{place} holds what could not be put back. Look at it, then remove it: rm -r {place}" for place in stuck),
    ]


def _step(journal: Path) -> str:
    return journal.name.partition("-")[2]


def recover(booting: bool = False) -> list[str]:
    """Rolls back what earlier runs left unfinished, newest first, and returns lines for a person.

    The caller holds the host's lock.

    booting: services have not started yet, so no command is sent to them.
    """
    said: list[str] = []
    for directory in newest_first(pending()):
        if not entries(directory):  # it died before its first change, or behind its last: it has committed
            close(directory)
            continue
        said += [f"put back what an interrupted run of {_step(directory)} had begun", *roll_back(directory, booting)[0]]
    return said


def proven() -> None:
    """Removes the unproven journals: a service has loaded what was committed, and is healthy."""
    from . import releases  # which knows journals

    disk.remove_tree(unproven())
    releases.forget_unused()


def forget(steps: list[str]) -> None:
    """Removes the unproven journals of these steps, which are put back no more."""
    for directory in newest_first(unproven()):
        if _step(directory) in steps:
            close(directory)


def disproven() -> tuple[list[str], list[str]]:
    """Puts back what was committed since the last proof, newest first.

    Returns the steps that it belonged to, and lines for a person.
    """
    steps: list[str] = []
    said: list[str] = []
    for directory in newest_first(unproven()):
        steps.append(_step(directory))
        said += roll_back(directory)[0]
    return list(dict.fromkeys(steps)), said


def newest_first(place: Path) -> list[Path]:
    """Lists the journals in a folder, `8-haproxy` before `7-tool`."""
    return [place / name for name in sorted(disk.names(place), key=_number, reverse=True)]


def roll_back(directory: Path, booting: bool = False) -> tuple[list[str], bool]:
    """Puts everything back, the last change first, and closes the journal.

    Returns lines on what a person has to know, and whether everything is as it was.
    """
    said: list[str] = []
    refused = 0
    for entry in _once_each_path(entries(directory)):
        try:
            said += _put_back(entry, directory, booting)
        except Ended:
            raise
        except Exception as error:  # noqa: BLE001 – whatever it is, the others have to be put back
            refused += 1
            said.append(
                str(error)
                if "command" in entry
                else f"{_subject(entry)} could not be put back and stays as it is: {error}"
            )
    if refused:
        said.append(f"what was not put back is kept: {_keep(directory)}")
    else:
        close(directory)
    return said, not refused


def entries(directory: Path) -> list[dict[str, Any]]:
    """Lists the entries of a journal, oldest first, without a line that a crash has torn: its change was not made."""
    return list(_parsed(directory))


def _once_each_path(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yields the entries, the last one first, but each file only once: it goes back to its first state at once.

    For the states in between there may be no room. `comes`: the digests of everything that the transaction has put
    there.
    """
    paths: dict[str, list[dict[str, Any]]] = {}
    for entry in found:
        if _is_file(entry):
            paths.setdefault(entry["path"], []).append(entry)
    for entry in reversed(found):
        if not _is_file(entry):
            yield entry
        elif changes := paths.pop(entry["path"], []):
            known = all("comes" in each for each in changes)  # versions before 2026-12 did not note it
            yield {**changes[0], "comes": [each["comes"] for each in changes] if known else None}


def _is_file(entry: dict[str, Any]) -> bool:
    return "path" in entry and entry["was"] in ("file", "link", "absent")


def forget_besides(found: list[dict[str, Any]]) -> None:
    """Removes what the transaction has kept beside the files that it has changed."""
    for path in dict.fromkeys(entry["path"] for entry in found if "blob" in entry):
        disk.forget_beside(Path(path))


def _parsed(directory: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = disk.text(directory / "entries", 64 << 20).splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def close(directory: Path) -> None:
    """Ends a transaction in one step: without its list of entries, a journal means nothing any more."""
    disk.remove(directory / "entries")
    disk.remove_tree(directory)


def _keep(directory: Path) -> Path:
    kept = not_put_back() / directory.name
    disk.own_directory(kept.parent)
    disk.move(directory, kept)
    return kept


def _subject(entry: dict[str, Any]) -> str:
    return str(entry.get("path") or entry.get("release") or entry.get("name", "an entry"))


def _put_back(entry: dict[str, Any], blobs: Path, booting: bool) -> list[str]:
    """Undoes one change; a second time does nothing."""
    if "release" in entry:
        from . import releases

        return releases.put_back(entry)
    if "kept" in entry:
        return _put_back_kept(Path(entry["path"]), Path(entry["kept"]), entry["was"])
    if "path" in entry:
        return _put_back_path(entry, blobs)
    if "command" in entry and not (booting and entry["command"][0] == "systemctl"):
        _run(entry["command"], entry.get("words"))
    elif "kind" in entry and not booting:
        return [_load_again(Section(entry["kind"], entry["name"], {}))]
    return []


def _run(command: list[str], words: str | None) -> None:
    """Runs a command that takes a change back. Raises Failed with what it said.

    words: what a person would type instead of the command.
    """
    if why := failure(command, timeout=120):
        raise Failed(
            f"'{words or ' '.join(command)}' would have taken a change of this run back, and has failed: {why}. Run it"
            " by hand"
        )


def failure(command: Sequence[str], timeout: float) -> str:
    """Runs a command and says why it failed; empty where it did not.

    Where systemd does not have a unit (5, systemctl(1)), there was nothing to stop or to restart.
    """
    done = process.attempt(*command, timeout=timeout)
    nothing_runs = done.returncode == 5 and tuple(command[:2]) in (("systemctl", "stop"), ("systemctl", "try-restart"))
    if not done.returncode or nothing_runs:
        return ""
    said = (done.stderr.strip() or done.stdout.strip())[-2000:]
    return f"exit code {done.returncode}{f', {said}' if said else ''}"


def _put_back_path(entry: dict[str, Any], blobs: Path) -> list[str]:
    path = Path(entry["path"])
    disk.remove_staged(path)
    if entry["was"] == "no directory":
        disk.remove_directory(path)  # where it is not empty, it holds what somebody else put there
    elif entry["was"] == "directory":
        disk.make_directory(path, entry["mode"])
    else:
        return _put_back_file(path, entry, blobs)
    return []


def _put_back_file(path: Path, entry: dict[str, Any], blobs: Path) -> list[str]:
    """Puts a file or a link back. Raises Refused where somebody has changed it since."""
    old = disk.read(blobs / entry["blob"], 1 << 62) if entry["was"] == "file" else b""
    ids = (entry.get("uid", 0), entry.get("gid", 0))
    if _is_back(path, entry, old):
        disk.forget_beside(path)
        return []
    if entry.get("comes") is not None and summary.digest(path) not in entry["comes"]:
        disk.forget_beside(path)
        raise Refused("somebody has changed it since")
    if entry["was"] == "link":
        disk.link(path, entry["target"])
    elif entry["was"] == "absent":
        disk.remove(path)
    elif not disk.return_beside(path, old, entry["mode"], ids):
        disk.write(path, old, entry["mode"], ids)
    disk.forget_beside(path)
    return owner_said(path, ids[0]) if entry["was"] == "file" else []


def _is_back(path: Path, entry: dict[str, Any], old: bytes) -> bool:
    """Tells whether a file is as it was before: then nothing is written, since a write may just have failed."""
    if entry["was"] == "file":
        return disk.is_as_wanted(path, old, entry["mode"], (entry["uid"], entry["gid"]))
    return disk.link_target(path) == entry["target"] if entry["was"] == "link" else disk.stat(path) is None


def owner_said(path: Path, was: int) -> list[str]:
    """Says that a file was put back as another user's than before: in a folder of jtel's every file becomes jtel's."""
    account = disk.owner(path)
    if account.uid in (0, was):
        return []
    return [f"{path} was put back as {account.name}'s; before, it was {owning(was).name}'s"]


def _put_back_kept(path: Path, kept: Path, was: str) -> list[str]:
    """Copies back a tree that versions before 2026-12 kept beside its place, with the rights of the folder's owner."""
    if was != "tree":
        disk.remove_tree(path)
        return []
    if disk.stat(kept) is None:
        return []  # it died before the first rename
    staged = path.with_name(disk.staged_name(path.name))
    disk.remove_tree(staged)
    trees.copy_tree(kept, staged, lambda entry: entry.mode)
    disk.remove_tree(path)
    disk.rename(staged, path.name)
    return []


def _load_again(section: Section) -> str:
    """Has a kind load what was put back. A failure becomes a line for a person, so that the rest is put back, too."""
    from ..documents import kind  # which knows transactions

    try:
        return kind.of(section).load_again(section)
    except Ended:
        raise
    except (OSError, Refused, Failed) as error:
        return f"{section.name} is as it was, and was not loaded again: {error}"
