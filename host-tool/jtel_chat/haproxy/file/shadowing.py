"""Finds what in the portal's frontend keeps WhatsApp's requests from our rules, as far as its text tells.

`tcp-request`, `http-request` and `redirect` rules run before every `use_backend`, wherever they stand
(configuration.txt, "Proxies").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import conditions, parse
from .configuration import Configuration
from .parse import Line, Section
from .portal_frontend import PATHS

# In the order in which HAProxy runs them; a rule that lets a request pass ends its own set only.
_CONNECTION = (("tcp-request", "connection"), ("tcp-request", "session"))  # which has no path yet
_RULE_SETS = (
    *_CONNECTION,
    ("tcp-request", "content"),
    ("monitor-uri",),
    ("http-request",),
    ("stats", "uri"),
    ("redirect",),
)
_WITHOUT_ACTION = ("monitor-uri", "stats", "redirect")  # their lines answer requests
_TAKES = ("deny", "reject", "redirect", "return", "silent-drop", "tarpit", "auth", "use-service")
_WANTS = ("expect-proxy", "expect-netscaler-cip")  # a header before the connection, which TynTec's way may add
_LETS_PASS = ("allow", "accept")
_REWRITES = (
    "set-path",
    "set-pathq",
    "set-uri",
    "replace-path",
    "replace-pathq",
    "replace-uri",
)  # normalize-uri leaves our paths as they are


def shadowing(config: Configuration, portal: str) -> list[str]:
    """Says why requests for PATHS would not reach our rules in the portal's frontend: each reason with line and remedy.

    A condition that only a running HAProxy can decide is not reported.
    """
    taken: dict[Line, list[str]] = {}
    for path in PATHS:
        for request in _requests(config, portal, path):
            for line in request.takers:
                taken.setdefault(line, []).append(path)
    return [_reason(line, paths) for line, paths in sorted(taken.items(), key=lambda each: each[0].at)]


def suspects(config: Configuration, portal: str, path: str) -> list[str]:
    """Shows the rules that may keep a request for `path` from ours: `line 3 'http-request deny unless …'`.

    Only a running HAProxy knows whether they do.
    """
    lines = {line for request in _requests(config, portal, path) for line in request.suspects}
    return [_shown(line) for line in sorted(lines, key=lambda each: each.at)]


def choosy(config: Configuration, portal: str, path: str) -> list[str]:
    """Shows those of the suspects that may let TynTec's request pass, and not the same one from this host."""
    lines = {line for request in _requests(config, portal, path) for line in request.choosy}
    return [_shown(line) for line in sorted(lines, key=lambda each: each.at)]


class _Request:
    """A request on its way through the rules before ours.

    takers: what surely keeps it from ours, at most one line of each rule set. suspects: what may. choosy: those of the
    suspects where that depends on who sends it.
    """

    def __init__(self, path: str) -> None:
        self.takers: list[Line] = []
        self.suspects: list[Line] = []
        self.choosy: list[Line] = []
        self._path: str | None = path  # as the rules have made it; None where only a running HAProxy knows it
        self._rewriter: Line | None = None

    def pass_through(self, rules: list[tuple[Section, Line]], rule_set: tuple[str, ...]) -> None:
        """Applies the rules of one set, each given with the section where it stands."""
        sure, by_sender = True, False
        for section, line in rules:
            verdict = _holds(line, "" if rule_set in _CONNECTION else self._path, section)
            action, *values = line.words[len(rule_set) :] or [""]
            takes = action in _TAKES or line.keyword in _WITHOUT_ACTION
            if verdict is False:
                continue
            asks_who = conditions.asks_who(line.words, section)
            if action in _WANTS:
                self._suspect(line, True)
            if action.startswith("lua."):  # may do anything
                self._suspect(line, True)
                self._path, sure = None, False
            if takes and verdict and sure:
                self.takers.append(line)
                return
            if takes:
                self._suspect(line, asks_who or by_sender)
            elif action in _LETS_PASS and verdict and sure:
                return
            elif action in _LETS_PASS:
                sure, by_sender = False, by_sender or asks_who
            elif action in _REWRITES:
                self._rewrite(line, action, values, sure and verdict is True)

    def _suspect(self, line: Line, choosy: bool) -> None:
        self.suspects.append(line)
        self.choosy += [line] if choosy else []

    def arrive(self) -> None:
        """Ends the way, at our rules, which look at the path as it is now."""
        if self._rewriter and self._path and self._path not in PATHS:
            self.takers.append(self._rewriter)

    def _rewrite(self, line: Line, action: str, values: list[str], sure: bool) -> None:
        path = _rewritten(action, values, self._path)
        if path and path == self._path:
            return
        self._path, self._rewriter = (path if sure else None), line
        if not self._path:
            self.suspects.append(line)


def _requests(config: Configuration, portal: str, path: str) -> Iterator[_Request]:
    """Sends a request for `path` through each section that is the portal."""
    every = [*config.above, *config.sections]
    for section in config.sections:
        if section.keyword in ("frontend", "listen") and section.name == portal:
            yield _sent(path, [*reversed(parse.inherited(every, section)), section])


def _sent(path: str, chain: list[Section]) -> _Request:
    """Sends a request through the rules of `chain`: what the portal inherits from, the furthest first, and itself."""
    request = _Request(path)
    certain = [(each, line) for each in chain for line, outside in parse.unconditional(each) if line is outside]
    for rule_set in _RULE_SETS:
        request.pass_through(
            [(each, line) for each, line in certain if line.words[: len(rule_set)] == rule_set], rule_set
        )
    request.arrive()
    return request


def _holds(line: Line, path: str | None, section: Section) -> conditions.Verdict:
    """Tells whether a line applies. ACLs are those of the section where it stands, also in defaults."""
    if line.keyword not in ("monitor-uri", "stats"):
        return conditions.holds(line.words, path, section)
    if path is None:
        return None
    return line.words[1:2] == (path,) if line.keyword == "monitor-uri" else path.startswith(line.words[2:3])


def _rewritten(action: str, values: list[str], path: str | None) -> str | None:
    """Gives the path after a rule that applies; None where only a running HAProxy knows it.

    That fills in a format with `%`. A rule on the URI sees the path alone over HTTP/1.1, and a whole URI over HTTP/2.
    """
    try:
        wanted = values[0] if action.startswith("set-") else _replaced(path, values[0], values[1])
    except (re.error, IndexError):
        return None
    return None if "%" in wanted or action.endswith("-uri") else wanted.partition("?")[0]


def _replaced(path: str | None, pattern: str, text: str) -> str:
    """Does what `replace-path` does: where the pattern matches anywhere, the text replaces the whole path."""
    if path is None:
        return "%"
    match = re.search(pattern, path)
    return match.expand(text.replace(r"\0", r"\g<0>")) if match else path


def _shown(line: Line) -> str:
    """Shows a line without its condition, which may ask for a key that nobody should read here."""
    where = "a file that HAProxy reads before, " if line.at < 0 else ""
    return where + re.sub(r"\s(if|unless)\s.*", r" \1 …'", parse.shown(line))


def _reason(line: Line, paths: list[str]) -> str:
    does = "changes the path of" if {*line.words} & {*_REWRITES} else "answers"
    condition = "its condition holds for them" if {"if", "unless"} & set(line.words) else "it has no condition"
    return (
        f"{_shown(line)} {does} {' and '.join(paths)} before our rules are looked at ({condition}): WhatsApp's messages"
        f" would not arrive. Except them there: {{ path {' '.join(PATHS)} }}"
    )
