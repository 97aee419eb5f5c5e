"""Keeps what was applied: a record for each step in /var/lib/jtel-chat/steps, written by the step's own transaction."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from .. import moment
from ..access import digests, disk
from ..documents import kind
from ..documents.document import Section
from ..documents.kind import Observed
from . import logbook
from .migration import FORMAT, upgraded
from .transaction import Transaction


def _steps() -> Path:
    return disk.STATE / "steps"


def names() -> list[str]:
    """Lists the steps that this host has."""
    return [name[: -len(".json")] for name in disk.names(_steps()) if name.endswith(".json")]


def read(step: str) -> dict[str, Any] | None:
    """Reads a step's record: generation, reason, sections, state; None when this host does not have the step."""
    return moment.once(("record", step), lambda: _read(step))


def _read(step: str) -> dict[str, Any] | None:
    record: dict[str, Any] | None = disk.json(place(step))
    return upgraded(record) if record else None


def sections(step: str) -> list[Section]:
    """Lists a step's sections as they were applied; those of a secret lack its content."""
    return [Section(**section) for section in (read(step) or {"sections": []})["sections"]]


def write(
    step: str, launch: tuple[int, str], document: str, applied: list[Section], seen: Observed, transaction: Transaction
) -> None:
    """Replaces the step's record. launch: generation and reason; document: the digest of its text."""
    generation, reason = launch
    content = {
        "format": FORMAT,
        "generation": generation,
        "reason": reason,
        "document": document,
        "first": (read(step) or {}).get("first") or _next(),
        "applied": _now(),
        **logbook.caller(),
        "sections": [_public(section) for section in applied],
        "state": seen.state,
        "text": texts(seen),
    }
    transaction.write(place(step), _text(content), 0o600, keep=False)


def texts(seen: Observed) -> dict[str, str]:
    """Reads what a person is shown of what was seen, by `content:/etc/x` or the path."""
    return {key: read() for key, read in seen.text.items()}


def _next() -> int:
    """Counts on from the steps that are there: they are undone in the opposite order, whatever the clock says."""
    return max((read(name) or {}).get("first", 0) for name in names()) + 1 if names() else 1


def document_digest(text: str, sections: list[Section]) -> str:
    """Makes a digest of the document as it was sent; empty if it is secret: passwords could be tried against it."""
    return "" if any(kind.declared(section).secret for section in sections) else digests.short(text.encode())


def is_as_named(step: str, digest: str) -> bool:
    """Tells whether a step is applied as `digest` names it: its document's, or of a secret the fingerprint.

    A step whose files were put back after its commit is not.
    """
    recorded = read(step)
    if recorded is None or "restored" in recorded:
        return False
    return digest in ([recorded["document"]] if recorded["document"] else recorded["state"].values())


def mark_restored(step: str) -> None:
    """Notes that a step's files were put back after its commit, which Pulumi does not know: the next look says so."""
    if recorded := read(step):
        recorded["restored"] = [f"restored:{_now()}"]
        disk.write(place(step), _text(recorded))


def remove(step: str, transaction: Transaction) -> None:
    """Forgets a step that is undone."""
    transaction.remove(place(step))


def absence(step: str) -> str:
    """Says why the step has to be applied although this host has no record of it.

    The sentence stays the same until something changes, and is another one after the records were lost again.
    """
    places = (disk.stat(place) for place in (_steps(), disk.STATE, disk.STATE.parent))
    since = next(found.st_mtime for found in places if found)
    try:
        machine = disk.text(Path("/etc/machine-id")).strip()[:8]
    except FileNotFoundError:
        machine = "unknown"
    return f"not on the host (machine {machine}, boot {boot()}, no record since {time_of(since)})"


def boot() -> str:
    """Gives a short name of this boot."""
    return disk.kernel("/proc/sys/kernel/random/boot_id").decode().strip()[:8]


def place(step: str) -> Path:
    """Names the file of a step's record."""
    return _steps() / f"{step}.json"


def _text(record: dict[str, Any]) -> bytes:
    return (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _now() -> str:
    return time_of(time.time())


def time_of(seconds: float) -> str:
    """Writes a time as records have it, e.g. `2026-11-26T07:08:20Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _public(section: Section) -> dict[str, object]:
    fields = {key: value for key, value in section.fields.items() if key not in kind.declared(section).secret}
    return {"kind": section.kind, "name": section.name, "fields": fields}
