"""Tells whose this host is, from `/var/lib/jtel-chat/owner`: the name of a stack for people, and the id in its state.

`jtel-chat/dev 3f1c2b7a-…` belongs to the one state that has this id, whatever the stack is called by now. Without an id
the host belongs to the next stack of that name that applies: versions before 2026-12 wrote none, and `jtel-chatctl
adopt` takes it out. That notes the former owner in a second line, `before: jtel-chat/dev 3f1c2b7a-…`: to him the host
does not belong any more.

The step `tool` writes the file, and so makes the stack that applies it the owner.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ..access import disk
from . import logbook, record

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BEFORE = "before: "


class Owner(NamedTuple):
    """A stack. name: `jtel-chat/dev`. id: the one in its state, empty where none is known."""

    name: str
    id: str = ""

    def __str__(self) -> str:
        """Names it for people: `jtel-chat/dev (state 3f1c2b7a)`."""
        return f"{self.name} (state {self.id[:8]})" if self.id else self.name


def path() -> Path:
    """Names the file that says whose the host is."""
    return disk.STATE / "owner"


def is_name(name: str) -> bool:
    """Tells whether a word can be a stack's name, `PROJECT/STACK`."""
    return _NAME.fullmatch(name) is not None


def read() -> tuple[Owner, Owner | None] | None:
    """Gives the owner, and whom the host was taken over from since his last apply; None on a host that nobody owns."""
    if disk.stat(path()) is None:
        return None
    first, *others = disk.read(path(), 4096).decode(errors="replace").splitlines() or [""]
    before = next((_parsed(line[len(_BEFORE) :]) for line in others if line.startswith(_BEFORE)), None)
    return _parsed(first), before


def handed_over(name: str, found: Owner) -> str:
    """Makes the content that gives the host to the next stack of that name which applies."""
    return f"{name}\n{_BEFORE}{' '.join(filter(None, (found.name, found.id)))}\n"


def problems(wanted: str) -> list[str]:
    """Says that the host belongs to another stack than the one whose document says `wanted`."""
    found, this = read(), _parsed(wanted)
    if found is None or _is_his(this, *found):
        return []
    owner, before = found
    given = f" (by jtel-chatctl adopt, in place of {before})" if before else ""
    command = _command(this.name, older=not owner.id and not before)
    return [  # Pulumi cuts a line behind some 400 characters: the command comes before what may be long
        f"this host belongs to {owner}{given}, not to {this if this.id else f'{this} (its state is new)'}. Correct its"
        " address here, or take it out of the other stack. If that one's state is lost, or this stack is to have the"
        f" host, run there: {command}. Then repeat.{_last_applied()}"
    ]


def warnings(wanted: str) -> list[str]:
    """Says whose the host was, where `jtel-chatctl adopt` has given it to the stack whose document says `wanted`."""
    found = read()
    if found is None or found[1] is None or not _is_his(_parsed(wanted), *found):
        return []
    return [f"this host was given to {found[0]} by jtel-chatctl adopt, in place of {found[1]}: the next up owns it"]


def _is_his(stack: Owner, owner: Owner, before: Owner | None) -> bool:
    if owner.id:
        return owner.id == stack.id
    given_away = before is not None and before.id != "" and before.id == stack.id
    return owner.name == stack.name and not given_away


def _parsed(line: str) -> Owner:
    name, _, number = line.strip().partition(" ")
    return Owner(
        name if is_name(name) else "something that is no stack's name", number if _ID.fullmatch(number) else ""
    )


def _command(name: str, *, older: bool) -> str:
    """Names the command that gives the host to a stack; the tool of versions that wrote no id has none of its own."""
    return f"echo '{name}' | sudo tee {path()}" if older else f"sudo jtel-chatctl adopt {name}"


def _last_applied() -> str:
    newest = max((record.read(step) or {} for step in record.names()), key=lambda each: each["applied"], default=None)
    return f" Last applied there: {newest['applied']} by {logbook.by_whom(newest)}" if newest else ""
