"""Finds the chat sections that somebody pasted by hand from the vendor's page, and what else is in the way of ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from . import listening, parse, references
from .configuration import Configuration
from .listening import Bind
from .parse import Line, Section

#: The vendor's names (page "HAProxy"), for http and https.
_FRONTENDS = ("acdportal_chat_ws", "acdportal_chat_wss")
_BACKEND = "backend_chat_ws"
_CHAT_PORT = "3000"
# Lines that ours stand for, and those that do nothing by themselves.
_REPLACED = (
    "acl",
    "balance",
    "bind",
    "default_backend",
    "description",
    "mode",
    "server",
    "server-template",
    "timeout",
    "use_backend",
)
_DECIDES = ("auth", "deny", "redirect", "reject", "return", "silent-drop", "tarpit", "use-service")


class Survey(NamedTuple):
    """What our sections meet in a file.

    replaced: indexes of the lines that they replace. adopted: the sections that those make up. clashes: what keeps ours
    from taking effect, each with line number, reason and remedy: `line 4 'listen backend_chat_ws': the name …`.
    """

    replaced: list[int]
    adopted: list[Section]
    clashes: list[str]


def survey(config: Configuration, theirs: Sequence[Section], ours: Sequence[Section]) -> Survey:
    """Looks at the customer's sections, and for references at those of the files before and after, too."""
    names = {section.name for section in ours if section.keyword in parse.PROXIES}
    own = [bind for section in ours for _, bind in listening.of_section(section)]
    certain = parse.certain(theirs)
    found, others = Survey([], [], []), []
    for section in theirs:
        objection = _objection(section)
        if objection is None:
            found.replaced.extend(_lines(section))
            found.adopted.append(section)
            if section.header.number not in config.numbers_in_blocks:  # else chat runs so already: `edit.unheeded`
                found.clashes.extend(access_rules(section))
            continue
        others.append(section)
        if section.keyword in parse.PROXIES and section.name in names:
            found.clashes.append(objection)
        else:
            unusable = [*listening.impossible(section, certain), *_port_clashes(section, own, certain)]
            found.clashes.extend(dict.fromkeys(unusable))
    found.clashes.extend(_lost(others, found.adopted, ours))
    for file in (*config.before, *config.after):
        found.clashes.extend([f"{file.path}: {text}" for text in _lost(file.sections, found.adopted, ours)])
    return found


def access_rules(section: Section) -> Iterator[str]:
    """Yields each line of an adopted section that decides who reaches chat, with the remedy: what it adopts is open."""
    targets = section.named("default_backend", "use_backend")
    some = [] if any(len(line.words) == 2 for line in targets) else targets  # only those whom a condition lets in
    for line in section.content():
        if line in some or _decides(line):
            yield (
                f"{parse.shown(line)} decides who reaches chat, and takes no effect: chat's own sections take the place"
                f" of '{section.keyword} {section.name}'. Where chat may be open to all, remove the line; else restrict"
                " chat elsewhere first, in a firewall for example"
            )


def without_effect(section: Section) -> list[Line]:
    """Lists what the vendor's page does not have in such a section, and what ours do not stand for.

    That is `http-response set-header …`, say, and a `bind` of another port than that of the first one.
    """
    ports: dict[int, set[int]] = {}
    for line, bind in listening.of_section(section):
        ports.setdefault(line.at, set()).add(bind.port)
    first = next(iter(ports.values()), set())
    return [
        line
        for line in section.content()
        if line.keyword not in _REPLACED or (line.keyword == "bind" and not ports.get(line.at, set()) <= first)
    ]


def _decides(line: Line) -> bool:
    """Tells whether a line refuses or answers visitors, or lets in only those with a certificate."""
    if line.keyword == "bind":
        return ("verify", "required") in zip(line.words, line.words[1:])
    if line.keyword in ("http-request", "tcp-request"):
        action = "".join(line.words[1:2] if line.keyword == "http-request" else line.words[2:3])
        return action in _DECIDES or action.startswith("lua.")
    return line.keyword == "redirect"


def _lost(sections: Iterable[Section], adopted: Sequence[Section], ours: Sequence[Section]) -> list[str]:
    names = {section.name for section in adopted}
    lines = [line for section in sections if names for line in section.lines]
    concerned = [line for line in lines if any(name in word for name in names for word in line.words)]
    return [text for line in concerned for text in references.lost(line, adopted, ours)]


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
    content = [line.at for line in (section.header, *section.content())]
    known = set(content)
    return [line.at for line in section.lines if line.at in known or (line.at < content[-1] and not line.words)]


def _port_clashes(section: Section, ours: list[Bind], certain: set[int]) -> Iterator[str]:
    """Yields each bind, among lines that certainly count, that meets one of ours.

    HAProxy accepts that (SO_REUSEPORT): the kernel would deal the visitors out to both.
    """
    for line, bind in listening.of_section(section):
        met = any(own.port == bind.port and listening.overlap(own.address, bind.address) for own in ours)
        if met and line.at in certain:
            yield (
                f"{parse.shown(line)} in '{bind.section}' binds port {bind.port}, which is chat's: visitors would end"
                " there at random. Remove it, or set public.port to another"
            )
