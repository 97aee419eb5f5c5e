"""Reads records that versions before 2026-12 wrote, with sentences for keys, as records of this version.

They are changed where they are read; the next apply of the step writes the new form. Nothing is asked of a person.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

from ..documents import declaration
from ..documents.document import Section
from ..errors import Refused

#: The form in which records are written now. 2: short keys; 3: of a package whether it is installed, not its version.
FORMAT = 3

_KEYS = (
    (r"content of (.+)", "content"),
    (r"mode of (.+)", "mode"),
    (r"owner of (.+)", "owner"),
    (r"link (.+)", "link"),
    (r"release in (.+)", "release"),
    (r"(.+) \(its source\)", "source"),
    (r"Hazelcast of (.+)", "hazelcast"),
    (r"package (.+)", "package"),
    (r"our blocks in (.+)", "blocks"),
    (r"(HAProxy) runs", "loaded"),
    (r"certificate (.+)", "certificate"),
    (r"(\S+) is", "active"),
    (r"(\S+) at boot", "enabled"),
    (r"(\S+) runs", "runs"),
    (r"rule '(.+)'", "rule"),
)

_VALUES = {
    "no link": "none",
    "the current files": "current",
    "nobody can be asked": "unknown",
    "another configuration": "other",
    "changed since HAProxy loaded it": "changed",
    "as HAProxy serves it": "served",
    "left out, ufw has IPV6=no": "no-ipv6",
}

#: What documents carried and the tool knows by itself now.
_DROPPED = {
    "files": ("owner", "mode", "checker", "exclusive"),
    "release": ("owner",),
    "secret": ("login", "run-as", "property"),
}


def upgraded(record: dict[str, Any]) -> dict[str, Any]:
    """Brings a record into the form of this version; one that has it already stays as it is."""
    if record.get("format") == FORMAT:
        return record
    if "format" in record:
        state = {key: _unversioned(key, value) for key, value in record["state"].items()}
        return {**record, "format": FORMAT, "state": state}
    sections = [_section(section) for section in record["sections"]]
    restored = [re.sub(r"put back at (\S+), .*", r"restored:\1", line) for line in record.get("restored", [])]
    items = (_item(key, value, sections) for key, value in record["state"].items())
    state = {key: _unversioned(key, value) for key, value in items}
    text = {_text_key(key): value for key, value in record.get("text", {}).items()}
    changed = {"format": FORMAT, "sections": sections, "state": state, "text": text}
    return {**record, **changed, **({"restored": restored} if restored else {})}


def _unversioned(key: str, value: str) -> str:
    return "installed" if key.startswith("package:") and value != "absent" else value


def _text_key(key: str) -> str:
    """Brings `our blocks in /etc/haproxy/haproxy.cfg` or `ufw rules of chat` into today's form; paths stay."""
    return re.sub(r"^our blocks in ", "blocks:", re.sub(r"^ufw rules of chat$", "rules:ufw", key))


def attested(loads: dict[str, str]) -> dict[str, str]:
    """Brings what was noted at a start, under paths and names of packages, into the form of this version.

    An earlier version's drop-in may call this version's tool, which notes the form of today.
    """
    return dict(_loaded(key, value) for key, value in loads.items())


def _loaded(key: str, value: str) -> tuple[str, str]:
    from . import record  # which knows this module

    if key == declaration.HOME:
        sections = [
            section for step in record.names() for section in record.sections(step) if section.kind == "release"
        ]
        return f"release:{key}", (
            _release({"kind": "release", "name": key, "fields": sections[0].fields}, value) if sections else value
        )
    if key.startswith("/"):
        return f"content:{key}", value
    return (key, value) if key == "java" or re.match("[a-z]+:", key) else (f"package:{key}", value)


def _section(section: dict[str, Any]) -> dict[str, Any]:
    dropped = _DROPPED.get(section["kind"], ())
    return {**section, "fields": {key: value for key, value in section["fields"].items() if key not in dropped}}


def _item(key: str, value: str, sections: list[dict[str, Any]]) -> tuple[str, str]:
    release = next((section for section in sections if section["kind"] == "release"), None)
    if key == "release on the share" and release:
        return f"offered:{release['fields']['from']}", value
    for pattern, aspect in _KEYS:
        if match := re.fullmatch(pattern, key):
            subject = "haproxy" if aspect == "loaded" else match[1]
            short = _release(release, value) if aspect == "release" and release else _VALUES.get(value, value)
            return f"{aspect}:{subject}", short
    return key, value


def _release(section: dict[str, Any], value: str) -> str:
    """Brings the 16 digits of an earlier version into today's 64 where they name the installed release; others stay.

    Digits that stay differ from today's, and so count as drift.
    """
    from ..kinds import release

    now = Section(**section)
    with contextlib.suppress(OSError, Refused):  # what cannot be read there is said by the look at the release itself
        return release.installed(now).digest if release.is_recorded(now, value) else value
    return value
