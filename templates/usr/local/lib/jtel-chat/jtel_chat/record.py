"""What was applied: one record per step under /var/lib/jtel-chat/steps, written by the step's own transaction."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from . import durable, logbook
from .document import Section
from .durable import STATE
from .kind import Observed
from .transaction import Transaction

_STEPS = STATE / "steps"


def names() -> list[str]:
    """The steps that this host has."""
    return sorted(path.stem for path in _STEPS.glob("*.json"))


def read(step: str) -> dict[str, Any] | None:
    """generation, reason, sections, state; None when this host does not have the step."""
    try:
        record: dict[str, Any] = json.loads(_path(step).read_text(encoding="utf-8"))
        return record
    except (FileNotFoundError, ValueError):
        return None


def sections(step: str) -> list[Section]:
    """The sections as they were applied (of a secret without its content)."""
    return [Section(**section) for section in (read(step) or {"sections": []})["sections"]]


def write(step: str, launch: tuple[int, str], document: str, applied: list[Section], seen: Observed, transaction: Transaction) -> None:
    """Replace the step's record. launch: generation and reason; document: the digest of its text."""
    generation, reason = launch
    content = {
        "generation": generation,
        "reason": reason,
        "document": document,
        "first": (read(step) or {}).get("first", time.time_ns()),
        "applied": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **logbook.caller(),
        "sections": [_public(section) for section in applied],
        "state": seen.state,
        "text": seen.text,
    }
    transaction.write(_path(step), (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode(), 0o600, keep=False)


def mark_restored(step: str) -> None:
    """A step whose files were put back after its commit is not what the controller believes: the next observation says so."""
    recorded = read(step)
    if recorded:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        recorded["restored"] = [f"put back at {at}, since the service was not healthy with it"]
        durable.replace(_path(step), (json.dumps(recorded, indent=1, ensure_ascii=False) + "\n").encode())


def remove(step: str, transaction: Transaction) -> None:
    """Forget a step that is undone."""
    transaction.remove(_path(step))


def absence(step: str) -> str:
    """Why the step has to be applied although this host has no record of it. Stable until something changes, new after a loss."""
    place = next(path for path in (_STEPS, STATE, STATE.parent) if path.is_dir())
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(place.stat().st_mtime))
    machine = Path("/etc/machine-id").read_text().strip()[:8] if Path("/etc/machine-id").exists() else "unknown"
    return f"not on the host (machine {machine}, boot {boot()}, no record since {since})"


def boot() -> str:
    """Short name of this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]


def _path(step: str) -> Path:
    return _STEPS / f"{step}.json"


def _public(section: Section) -> dict[str, Any]:
    fields = {key: value for key, value in section.fields.items() if (section.kind, key) != ("secret", "content")}
    return {"kind": section.kind, "name": section.name, "fields": fields}
