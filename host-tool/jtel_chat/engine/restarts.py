"""Tells beforehand whether applying documents may restart a chat that runs, and keeps restarts to the stack's window.

Only the controller knows the window (`maintenance` in the stack file) and whether a person has given a reason to
restart outside it. The look of an `up` brings the outcome.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from ..access import disk
from ..documents import declaration, kind
from ..documents.document import Section
from ..drain import draining
from ..errors import Refused
from ..systemd import unit_state
from ..text import printable, words
from . import logbook, observing, record, steps

#: The step whose apply restarts chat.
STEP = "messenger-running"


def due(asked: dict[str, str | None]) -> dict[str, str]:
    """Says why an apply of these documents may restart a unit that runs: `{"restarts:x.service": "java changes"}`.

    Empty where it does not. A document that is not known yet (None) counts as unchanged.
    """
    proving = next((each for each in record.sections(STEP) if kind.declared(each).proves), None)
    unit = proving.name if proving else declaration.UNIT
    if unit_state.properties(unit)["ActiveState"] != "active":
        return {}
    if not proving:
        return {f"restarts:{unit}": words.value("runs:", "unmanaged")}
    loaded = [line.split()[0] for line in proving.lines("loads")]
    changing = [f"{step} changes" for step in loaded if steps.drifted(step) or _changes(step, asked.get(step))]
    why = ", ".join([*_owed(proving), *changing])
    return {f"restarts:{unit}": why} if why else {}


def note(closed: str) -> None:
    """Notes that the caller's next applies must not restart chat, and why: `outside its maintenance window`.

    An empty text lifts that.
    """
    if closed or _noted():
        disk.make_directory(disk.RUN)
        said = printable.line(closed)[:300]
        disk.write(disk.RUN / "restarts", json.dumps({**_noted(), logbook.whence(): said}).encode())


def check(proving: Section) -> None:
    """Raises Refused where an apply would restart what runs, and its caller must not."""
    closed = _closed()
    if closed and observing.observe(proving).state.get(f"active:{proving.name}") == "active" and _owed(proving):
        raise Refused(f"{proving.name} is not restarted ({', '.join(_owed(proving))}): {closed}")


def before_change(section: Section) -> Callable[[], None] | None:
    """Gives what to call before something of the section changes; None where no running process loads it.

    It refuses what would restart chat outside the window, so that nothing is written that waits for a restart; and it
    drains this host. A secret is not in a look: this is the first to know that it changes.
    """
    drain = draining.before_change(section)
    if drain is None:
        return None

    def prepare() -> None:
        closed = _closed()
        if closed and unit_state.properties(declaration.UNIT)["ActiveState"] == "active":
            raise Refused(f"{declaration.UNIT} would have to load this, and is not restarted: {closed}")
        drain()

    return prepare


def _owed(proving: Section) -> list[str]:
    owed = observing.observe(proving).facts.get(f"owed:{proving.name}")
    return [words.value("runs:", owed)] if owed else []


def _changes(step: str, text: str | None) -> bool:
    """Tells whether a document changes something that a process loads."""
    return bool(text) and _loaded(kind.parsed(text or "")) != _loaded(record.sections(step))


def _loaded(sections: list[Section]) -> list[Section]:
    return [each for each in sections if kind.is_loaded(each)]


def _closed() -> str:
    """Says why the caller must not restart chat; empty where it may."""
    return _noted().get(logbook.whence(), "")


def _noted() -> dict[str, str]:
    noted: dict[str, str] = disk.json(disk.RUN / "restarts") or {}
    return noted
