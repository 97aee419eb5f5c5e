"""Finds the chat sections that somebody pasted by hand from the vendor's page, and what else is in the way of ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import listening, parse
from .listening import Bind
from .parse import Line, Section

#: The vendor's names (page "HAProxy"), for http and https.
_FRONTENDS = ("acdportal_chat_ws", "acdportal_chat_wss")
_BACKEND = "backend_chat_ws"
_CHAT_PORT = "3000"


def survey(theirs: Sequence[Section], ours: Sequence[Section]) -> tuple[list[int], list[str]]:
    """Finds the indexes of the lines that our sections replace, and what keeps ours from taking effect.

    Each obstacle has line number, reason and remedy: `line 4 'listen backend_chat_ws': the name … is ours, …`.
    """
    names = {section.name for section in ours if section.keyword in parse.PROXIES}
    own = [bind for section in ours for _, bind in listening.of_section(section)]
    replaced: list[int] = []
    clashes: list[str] = []
    for section in theirs:
        objection = _objection(section)
        if objection is None:
            replaced += _lines(section)
        else:
            clashes += [objection] if section.keyword in parse.PROXIES and section.name in names else []
            clashes += dict.fromkeys(_port_clashes(section, own))
    return replaced, clashes


def _objection(section: Section) -> str | None:
    """Says why a section is none that the vendor's page tells to paste, so not ours to replace; None when it is one."""
    if section.keyword == "frontend" and section.name in _FRONTENDS:
        targets = section.named("default_backend", "use_backend")
        other = next((line for line in targets if line.words[1:2] != (_BACKEND,)), None if targets else section.header)
        return _taken(section, other, f"it does not lead to {_BACKEND} only") if other else None
    if section.keyword == "backend" and section.name == _BACKEND:
        servers = section.named("server", "server-template")
        other = next((line for line in servers if _port(line) != _CHAT_PORT), None)
        return _taken(section, other, f"a chat server listens on {_CHAT_PORT}") if other else None
    return _taken(section, section.header, "it is no chat block")


def _taken(section: Section, line: Line, why: str) -> str:
    return f"{parse.shown(line)}: the name {section.name} is ours, and {why}. Rename it, and what refers to it"


def _port(server: Line) -> str:
    """Reads the port of a `server NAME ADDRESS` or `server-template PREFIX RANGE ADDRESS` line; empty without one."""
    address = server.words[3 if server.keyword == "server-template" else 2 :][:1]
    return "".join(address).rpartition(":")[2]


def _lines(section: Section) -> list[int]:
    """Lists the indexes of a section's lines from its header to its last setting, without `.if` and its like.

    Comments and blank lines after that belong to what follows.
    """
    last = [section.header, *section.content()][-1]
    return [line.index for line in section.lines if line.index <= last.index and not line.keyword.startswith(".")]


def _port_clashes(section: Section, ours: list[Bind]) -> Iterator[str]:
    """Yields each bind that meets one of ours.

    HAProxy accepts that (SO_REUSEPORT): the kernel would deal the visitors out to both.
    """
    for line, bind in listening.of_section(section):
        if any(own.port == bind.port and listening.overlap(own.address, bind.address) for own in ours):
            yield (
                f"{parse.shown(line)} in '{bind.section}' binds port {bind.port}, which is chat's: visitors would end"
                " there at random. Remove it, or set public.port to another"
            )
