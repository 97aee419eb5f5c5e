"""Tells whether a hazelcast.xml serves chat, and which of the rendered ones fits the Hazelcast of this host.

Fields of a `files` section with `check: hazelcast`: `jars` (block: folders, the first that holds a Hazelcast counts),
and `content-3`, `content-5` (blocks: one complete file for each major version) instead of `content`.

The library that will load a file judges it, where a Java is there that can compile: it knows imports, replacers and
every element. Elsewhere the XML is read here, for what ClientMessenger needs of it.
"""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..access import disk
from ..documents.document import Section
from ..documents.kind import Judgement
from ..errors import Refused
from ..programs import java
from ..text import printable
from . import joining, library, ports, xml
from .xml import local

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

RENDERED = ("content-3", "content-5")

_RINGBUFFER = (
    '<ringbuffer name="CHAT"><capacity>500</capacity>'
    "<backup-count>1</backup-count><async-backup-count>0</async-backup-count>"
    "<time-to-live-seconds>60</time-to-live-seconds><in-memory-format>BINARY</in-memory-format></ringbuffer>"
)
_MAP = (
    '<map name="CHATCOUNTERS"><backup-count>0</backup-count><async-backup-count>1</async-backup-count>'
    "<time-to-live-seconds>600</time-to-live-seconds>{eviction}</map>"
)
_EVICTION_3 = '<eviction-policy>LRU</eviction-policy><max-size policy="PER_NODE">5000</max-size>'
_EVICTION_5 = '<eviction eviction-policy="LRU" max-size-policy="PER_NODE" size="5000"/>'

_NEEDED = (("ringbuffer", "CHAT"), ("map", "CHATCOUNTERS"))


def content(section: Section) -> bytes:
    """Gives the rendered file for the Hazelcast of this host.

    Raises Refused when there is none, or one that nothing was rendered for.
    """
    jar = library.jar(section.lines("jars"))
    rendered = f"content-{jar.major}"
    if rendered not in RENDERED:
        raise Refused(
            f"{jar.path.name} is neither Hazelcast 3 nor 5, and only those can be rendered. Use hazelcast.source:"
            " share, with a file of your own"
        )
    return section.text(rendered).encode()


def state(section: Section) -> dict[str, str]:
    """Gives the major version that the file is rendered for: another one is drift."""
    if not any(rendered in section.fields for rendered in RENDERED):
        return {}
    try:
        return {f"hazelcast:{section.name}": library.jar(section.lines("jars")).major}
    except Refused:
        return {f"hazelcast:{section.name}": "none"}


def judge(section: Section, data: bytes, ask: bool) -> Judgement:
    """Says what speaks against writing these bytes.

    ask: who holds the member's ports, and Java (2 s), unless the file has these bytes already.
    """
    try:
        root = xml.root(data)
        network = joining.read(data)
    except Refused as refusal:
        return Judgement([str(refusal)])
    judged = _judged(section, root, data, ask)
    taken = ports.judge(network) if ask else Judgement()
    return Judgement([*judged.problems, *taken.problems], [*judged.warnings, *taken.warnings], judged.said)


def _judged(section: Section, root: Element, data: bytes, ask: bool) -> Judgement:
    """Says what speaks against the text itself."""
    path = Path(section.name)
    if not ask or (disk.is_file(path) and disk.read(path) == data):
        return Judgement(problems(data))
    try:
        jar = library.jar(section.lines("jars"))
    except Refused as refusal:
        return Judgement(problems(data), [f"only its XML was read: {refusal}"])
    return _asked(jar, root, data)


def _asked(jar: library.Jar, root: Element, data: bytes) -> Judgement:
    """Asks the library itself."""
    try:
        verdict = library.ask(jar, data)
    except Refused as refusal:
        return Judgement([str(refusal)])
    if verdict is None:
        return Judgement(problems(data, jar.major), _unasked(root))
    if verdict.refused:
        return Judgement([f"{jar.path.name} refuses it: {verdict.refused}. Repair it there, then repeat"])
    missing = [name for name in _NEEDED if verdict.facts.get(" ".join(name)) != "true"]
    return Judgement(
        _missing(missing, _major(data) or jar.major), said=[f"{jar.path.name} reads in it: {verdict.summary()}"]
    )


def problems(data: bytes, major: str = "3") -> list[str]:
    """Says what the XML by itself shows to be wrong, each with the lines to add.

    major: of Hazelcast, where the file does not say it.
    """
    try:
        root = xml.root(data)
    except Refused as refusal:
        return [str(refusal)]
    if local(root.tag) != "hazelcast":
        return [
            f"its root is <{printable.block(local(root.tag))[:40]}>, not <hazelcast>. Put the cluster's configuration"
            " there"
        ]
    if _elsewhere(root):
        return []
    # `*` in a name is Hazelcast's wildcard.
    named = [(local(element.tag), element.get("name", "")) for element in root]
    missing = [
        (tag, name)
        for tag, name in _NEEDED
        if not any(tag == other and fnmatch.fnmatchcase(name, pattern) for other, pattern in named)
    ]
    return _missing(missing, _major(data) or major)


def _missing(names: list[tuple[str, str]], major: str) -> list[str]:
    lines = {"ringbuffer": _RINGBUFFER, "map": _MAP.format(eviction=_EVICTION_3 if major == "3" else _EVICTION_5)}
    return [
        f'it has no <{tag} name="{name}">: chats would not cross the servers. Add {lines[tag]}' for tag, name in names
    ]


def _major(data: bytes) -> str | None:
    """Finds the major version that a file is written for: by its schema, or by `<group>`, which 4 has renamed."""
    if schema := re.search(rb"hazelcast-config-(\d+)\.", data):
        return schema[1].decode()
    if b"<group>" in data:
        return "3"
    return "5" if b"<cluster-name>" in data else None


def _unasked(root: Element) -> list[str]:
    """Says what was not read, since the library gave no verdict."""
    other = _elsewhere(root)
    if java.is_there():
        beside = f", without what its <{other}> brings" if other else ""
        why = "this host's Java cannot compile (older than 11, or a JRE without a compiler), or did not end in time"
        return [f"only its XML was read{beside}: {why}. A JDK can"]
    if other:
        return [f"what its <{other}> brings is not read before Java is installed; Hazelcast itself judges it then"]
    return []


def _elsewhere(root: Element) -> str:
    """Names the element by which a file gets parts of itself from elsewhere, `import`; empty without one."""
    return next((local(element.tag) for element in root if local(element.tag) in ("import", "config-replacers")), "")
