"""Finds what else in HAProxy's files refers to a server, a stick-table or a frontend that goes with what we replace.

HAProxy resolves these names after it has read everything, and then complains about other lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from . import parse
from .parse import Line, Section

# `srv_is_up(web/jb1)`; `src_conn_rate(web)`, `sc_http_req_rate(0,web)`, `src,table_gpc0(web)`; `fe_conn(portal)`.
_SERVER = re.compile(r"\(([^(),/]+)/([^(),/]+)[),]")
_TABLE = re.compile(r"\b(?:sc\d?_\w+|src_\w+|in_table|table_\w+)\((?:[^(),]*,)?([^(),]+)\)")
_FRONTEND = re.compile(r"\bfe_\w+\(([^(),]+)\)")


def lost(line: Line, adopted: Sequence[Section], ours: Sequence[Section]) -> Iterator[str]:
    """Yields each reference in a line that would lead nowhere, with line number, reason and remedy.

    adopted: the sections that ours replace.
    """
    names = {section.name for section in ours}
    tables = {section.name for section in adopted if section.named("stick-table")}
    for section, server in _servers(line):
        there = sorted(_servers_of(ours, section))
        if section in {each.name for each in adopted} & names and server not in there:
            yield (
                f"{parse.shown(line)} refers to the server '{server}' of {section}. Chat's own section takes the place"
                f" of that one, with the servers {', '.join(there) or '(none)'}. Name one of these there, or remove it"
            )
    for table in tables.intersection(_named(line, _TABLE, "table")):
        yield (
            f"{parse.shown(line)} uses the stick-table of {table}. Chat's own section takes the place of that one, and"
            " has no table. Put the table into a backend of its own, and name that there"
        )
    for frontend in {section.name for section in adopted if section.name not in names}:
        if frontend in _named(line, _FRONTEND):
            yield (
                f"{parse.shown(line)} refers to '{frontend}', which goes: chat is reached through"
                f" {' and '.join(section.name for section in ours if section.keyword == 'frontend')}. Name that there"
            )


def _servers(line: Line) -> list[tuple[str, str]]:
    """Lists references to servers with their sections: `track web/jb1`, `srv_is_up(web/jb1)`."""
    tracked = [word.partition("/") for before, word in zip(line.words, line.words[1:]) if before == "track"]
    found = [match for word in line.words for match in _SERVER.findall(word)]
    return [*((section, server) for section, _, server in tracked if server), *found]


def _servers_of(every: Sequence[Section], name: str) -> set[str]:
    """Lists the servers of a backend, as `server NAME …` names them."""
    return {"".join(line.words[1:2]) for section in every if section.name == name for line in section.named("server")}


def _named(line: Line, pattern: re.Pattern[str], keyword: str = "") -> set[str]:
    """Lists the names that a line has in calls like the pattern, or behind the keyword: `track-sc0 src table web`."""
    behind = {word for before, word in zip(line.words, line.words[1:]) if keyword and before == keyword}
    return behind | {name for word in line.words for name in pattern.findall(word)}
