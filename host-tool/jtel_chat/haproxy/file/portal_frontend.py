"""Finds the place for WhatsApp's rules in the portal's https frontend, and the lines there that they replace."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from ...errors import Refused
from . import parse
from .parse import Line, Section

#: What TynTec calls (vendor page "WhatsApp").
PATHS = ("/incoming", "/delivery")


class Place(NamedTuple):
    """The place of some of our rules in a section.

    before: index of the line that they precede. like: the line whose indentation they take. rules: which. replaced:
    indexes of the lines that they replace.
    """

    before: int
    like: Line
    rules: tuple[Line, ...]
    replaced: tuple[int, ...]


def find(own: Sequence[Section], name: str, *, above: Sequence[Section], taken: Collection[str] = ()) -> list[Section]:
    """Finds the portal: `frontend NAME` or `listen NAME`, several where HAProxy 1.x allowed a name twice.

    own: the sections of the file. above: those of the files that HAProxy reads before it. taken: the names of chat's
    sections, of which none is a portal. Raises Refused when there is no portal, or when it cannot carry rules.
    """
    every = [*above, *own]
    proxies = [section for section in own if section.keyword in ("frontend", "listen") and section.name not in taken]
    found = [section for section in proxies if section.name == name]
    if not found:
        there = ", ".join(f"{section.name} (line {section.header.number})" for section in proxies) or "none at all"
        why = (
            f"the portal cannot be '{name}', which is the name of chat's own section: /incoming and /delivery come to"
            " another frontend"
            if name in taken
            else f"there is no 'frontend {name}' (nor 'listen {name}'), which has to carry /incoming and /delivery"
        )
        raise Refused(f"{why}. Frontends here: {there}. Name yours in whatsapp.frontend")
    for section in found:
        if (mode := parse.mode(every, section)) != "http":
            why = f"its mode is {mode}" if mode else "it has no 'mode http', nor have its defaults"
            raise Refused(
                f"{parse.shown(section.header)} cannot tell /incoming from other requests: {why}, and HAProxy then sees"
                " no paths. Give it 'mode http', or name another frontend in whatsapp.frontend"
            )
    return found


def places(section: Section, rules: Sequence[Line]) -> list[Place]:
    """Finds the places of the rules: one for all of them, or one for the ACLs and one for the route.

    Raises Refused when a line there means something else by the name of our ACL.
    """
    names = {line.words[1] for line in rules if line.keyword == "acl"}
    backends = {line.words[1] for line in rules if line.keyword == "use_backend"}
    replaced = [line for line in section.content() if _pasted(line, names, backends)]
    indexes = tuple(line.at for line in replaced)
    route = _route(section, set(indexes))
    acls = _before_its_user(section, names, replaced)
    if acls is None or acls[0] >= route[0]:
        return [Place(*route, tuple(rules), indexes)]
    return [
        Place(*acls, tuple(line for line in rules if line.keyword == "acl"), indexes),
        Place(*route, tuple(line for line in rules if line.keyword != "acl"), ()),
    ]


def _pasted(line: Line, names: set[str], backends: set[str]) -> bool:
    """Tells whether a line is one that the vendor's page says to paste, which ours replaces."""
    if line.keyword == "acl" and line.words[1:2] and line.words[1] in names:
        if not _on_our_paths(line):
            raise Refused(
                f"{parse.shown(line)} gives the name {line.words[1]}, which our rules use, another meaning. Rename it"
                " there, and where it is used"
            )
        return True
    if line.keyword != "use_backend" or line.words[2:3] != ("if",) or not set(line.words[3:]) <= names | {"or", "||"}:
        return False
    if line.words[1] not in backends:
        raise Refused(
            f"{parse.shown(line)} sends WhatsApp's requests elsewhere. Remove it, or leave WhatsApp out of the stack"
        )
    return True


def _on_our_paths(acl: Line) -> bool:
    """Tells whether an ACL means our paths: `acl NAME path /incoming`, also as path_beg, with flags or both paths."""
    patterns = [word.rstrip("/").lower() for word in acl.words[3:] if word.startswith("/")]
    flags = [word for word in acl.words[3:] if not word.startswith("/")]
    return (
        acl.words[2:3] in (("path",), ("path_beg",))
        and bool(patterns)
        and set(patterns) <= set(PATHS)
        and set(flags) <= {"-i", "--", "-m", "str", "beg"}
    )


def _route(section: Section, replaced: set[int]) -> tuple[int, Line]:
    """Finds the index before which the route goes, and the line whose indentation it takes.

    The first use_backend that matches wins: ours, for two exact paths, stands before the customer's first one. Behind
    it HAProxy warns of every `http-request` and `redirect`, which it runs earlier all the same.
    """
    content = _content(section)
    before = next(((line, outside) for line, outside in content if line.keyword == "use_backend"), None)
    if before is None and content and content[-1][0].keyword == "default_backend":
        before = content[-1]
    if before:
        return _start_of_run(before[1].at, replaced), before[0]
    closed = [line for line, outside in content if line is outside]
    last = closed[-1] if closed else section.header
    return last.at + 1, next((line for line in reversed(closed) if not line.keyword.startswith(".")), last)


def _before_its_user(section: Section, names: set[str], replaced: list[Line]) -> tuple[int, Line] | None:
    """Finds the place of the ACLs before a rule of the customer's that needs those which ours replace.

    HAProxy has to know an ACL before it is used.
    """
    content = _content(section)
    users = (line for line, _ in content if line not in replaced and names & {word.lstrip("!") for word in line.words})
    user = next(users, None)
    if user is None or not replaced:
        return None
    first = min(user, replaced[0], key=lambda line: line.at)
    outside = next(outside for line, outside in content if line is first)
    return _start_of_run(outside.at, {line.at for line in replaced}), first


def _content(section: Section) -> list[tuple[Line, Line]]:
    return [(line, outside) for line, outside in parse.unconditional(section) if line.words and line.keyword != ".if"]


def _start_of_run(index: int, replaced: set[int]) -> int:
    """Goes up from a line to the first of the pasted rules that stand together with it, so not between them."""
    while index in replaced and index - 1 in replaced:
        index -= 1
    return index
