"""Checks the sections of a document against what their kinds declare.

Each kind declares its fields once; unknown, missing and malformed ones are refused here, and so are names that the kind
does not own.

The types of `render/kinds.ts` are made from the same declarations (`npm run kinds`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ..errors import Refused
from .document import Section

#: Where ClientMessenger lives on every chat server (vendor page "CHAT role").
HOME = "/home/jtel/ClientMessenger"
#: ClientMessenger's unit.
UNIT = "jtel-clientmessenger.service"
#: A place on the host: `/home/jtel/shared/hazelcast.xml`. Without blanks, line breaks and what shells and systemd read.
PATH = r"/(?!.*(?:^|/)\.\.(?:/|$))[A-Za-z0-9._/@+=,-]*"
#: A folder of jars that a document may name: the installed release's, or the one on a share.
JARS = rf"{HOME}/bin|{PATH}/JTELCarrierPortal/Utils/Install/ClientMessenger/bin"
#: A name or an address: `acd-dbm`, `10.1.0.31`, `fd00::1`.
HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+"
NUMBER = r"[0-9]{1,9}"
DIGEST = r"[0-9a-f]{16}"
#: Which release a host has: the one that is there, the one on the share, or exactly this one.
RELEASE = rf"hold|follow|{DIGEST}|[0-9a-f]{{64}}"


class Field(NamedTuple):
    """One field of a kind. pattern: what the whole value must match; in a block, each line of it.

    form: `line` (`key: value`), `lines` (a block of lines) or `text` (a block as it is, of any lines where pattern is
    empty).
    """

    pattern: str
    form: str = "line"
    required: bool = False


class Declaration(NamedTuple):
    """What a section of one kind may say, and what the engine has to know of the kind.

    names: pattern of the section's name, and so of the paths that it may own.
    secret: fields that are never kept, shown or named by a digest.
    proves: whether applying it shows that what its process loads is good. Until such a proof, what was committed can
    still be put back.
    loaded: whether a process reads it when it starts: `always`, `named` (with the field `loaded-by`), or `never`.
    """

    names: str
    fields: Mapping[str, Field]
    secret: frozenset[str] = frozenset()
    proves: bool = False
    loaded: str = "never"


LOADED_BY = Field(re.escape(UNIT))


def check(section: Section, declaration: Declaration) -> None:
    """Raises Refused with everything in the section that its kind does not declare."""
    problems = [*_name_problems(section, declaration), *_field_problems(section, declaration)]
    if problems:
        raise Refused(
            "; ".join(f"document: section '{section.kind}: {section.name}': {problem}" for problem in problems)
        )


def _name_problems(section: Section, declaration: Declaration) -> list[str]:
    if owns(section.name, declaration):
        return []
    return [f"the kind {section.kind} owns nothing of this name"]


def owns(name: str, declaration: Declaration) -> bool:
    """Tells whether a section of the kind may have this name."""
    return re.fullmatch(declaration.names, name) is not None


def _field_problems(section: Section, declaration: Declaration) -> list[str]:
    known = ", ".join(declaration.fields) or "none"
    unknown = [
        f"'{key}' is no field of {section.kind} (known: {known})"
        for key in section.fields.keys() - declaration.fields.keys()
    ]
    missing = [
        f"lacks '{key}'" for key, each in declaration.fields.items() if each.required and key not in section.fields
    ]
    malformed = [
        f"'{key}' has a value that is none: {_shown(section, key, declaration)}"
        for key, each in declaration.fields.items()
        if key in section.fields and not _fits(section.fields[key], each)
    ]
    return [*sorted(unknown), *missing, *malformed]


def _fits(value: str, declared: Field) -> bool:
    if declared.form == "line":
        return "\n" not in value and re.fullmatch(declared.pattern, value) is not None
    lines = value.rstrip("\n").split("\n") if value.strip() else []
    if any("\0" in line or "\r" in line for line in lines):
        return False
    return not declared.pattern or all(re.fullmatch(declared.pattern, line) for line in lines)


def _shown(section: Section, key: str, declaration: Declaration) -> str:
    return "(secret)" if key in declaration.secret else repr(section.fields[key][:80])
