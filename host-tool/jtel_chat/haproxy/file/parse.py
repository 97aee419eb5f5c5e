"""Reads lines, words and sections of a haproxy.cfg as HAProxy does.

Source: configuration.txt, "Configuration file format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...text import masking

_KEYWORDS = re.compile(
    "global|defaults|frontend|backend|listen|userlist|peers|resolvers|cache|mailers|program|ring|http-errors|fcgi-app"
    "|log-forward|log-profile|crt-store|traces|acme|healthcheck"
)
#: What shares one set of names: HAProxy 2.6 tells a frontend from a backend, 3.3 refuses that too.
PROXIES = ("frontend", "backend", "listen", "log-forward")

_QUOTED = rb"""\\x[0-9a-fA-F]{2}|\\[^\r]|\\(?=\r|$)|"(?:\\[^\r]|[^"\\\r])*"?|'[^'\r]*'?"""
_WORD = re.compile(rb"\s*((?:" + _QUOTED + rb"|[^\s\"'\\#])+)")
_BRANCHES = (".else", ".elif")
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)")
_CONTROL = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_SHOWN = 120  # characters of a line in a message


class Line(NamedTuple):
    """One line of a file.

    at: its place among the lines that are read together, from 0. number: its number in the file that a person sees,
    from 1. raw: its bytes with the line end. words: unquoted, without the comment; none on a blank or comment line.
    """

    at: int
    number: int
    raw: bytes
    words: tuple[str, ...]

    @property
    def keyword(self) -> str:
        return self.words[0] if self.words else ""


class Section(NamedTuple):
    """A section: its header as the first line, and all lines up to the next header."""

    keyword: str
    name: str
    lines: tuple[Line, ...]

    @property
    def header(self) -> Line:
        return self.lines[0]

    def content(self) -> list[Line]:
        """The lines with words below the header, without `.if` and its like.

        Leaves out what follows an `.else` or `.elif` of the condition that the header stands in: where the header
        counts, HAProxy does not read those lines.
        """
        found: list[Line] = []
        depth, other_branch = 0, False
        for line in self.lines[1:]:
            if line.keyword == ".if":
                depth += 1
            elif line.keyword == ".endif":
                depth, other_branch = max(depth - 1, 0), other_branch and depth > 0
            elif line.keyword in _BRANCHES:
                other_branch = other_branch or depth == 0
            elif line.words and not line.keyword.startswith(".") and not other_branch:
                found.append(line)
        return found

    def named(self, *keywords: str) -> list[Line]:
        """The lines that begin with one of the keywords."""
        return [line for line in self.content() if line.keyword in keywords]


def split(text: bytes) -> list[bytes]:
    """Cuts a text behind each LF; nothing else ends a line, and a backslash does not continue one."""
    return re.findall(rb"[^\n]*\n|[^\n]+", text)


def lines(raw: Sequence[bytes]) -> list[Line]:
    """Reads the words of every line that `split` has cut."""
    return [Line(at, at + 1, line, words(line)) for at, line in enumerate(raw)]


def words(line: bytes) -> tuple[str, ...]:
    """Reads the words of a line: `bind "a b" # c` has `bind` and `a b`.

    Resolves quotes and escapes (configuration.txt, "Quoting and escaping"), but no variables. A CR is a blank at the
    start of the line and behind another blank; anywhere else it ends the line, and so does NUL (src/tools.c,
    parse_line).
    """
    text, found, at = re.split(rb"[\n\0]", line, maxsplit=1)[0], [], 0
    while match := _WORD.match(text, at):
        found.append(re.sub(_QUOTED, _unquoted, match[1]).decode("utf-8", "surrogateescape"))
        at = match.end()
        if text[at : at + 1] == b"\r":
            break
    return tuple(found)


def sections(every: Sequence[Line]) -> list[Section]:
    """Groups lines into sections, in their order; what stands before the first header is in none."""
    starts = [index for index, line in enumerate(every) if _KEYWORDS.fullmatch(line.keyword)]
    return [_section(tuple(every[start:end])) for start, end in zip(starts, [*starts[1:], len(every)])]


def inherited(every: Sequence[Section], section: Section) -> list[Section]:
    """Lists the defaults that a section inherits from, nearest first: those that it names, else the last above it."""
    above = [each for each in every if each.keyword == "defaults" and each.header.at < section.header.at]
    if origin := _origin(section):
        above = [each for each in above if each.name == origin]
    elif section.keyword == "defaults":
        return []
    return [above[-1], *inherited(every, above[-1])] if above else []


def mode(every: Sequence[Section], section: Section) -> str:
    """Finds the mode of a section, set in itself or in its defaults: `http`; empty when none is, which means tcp."""
    for each in [section, *inherited(every, section)]:
        if modes := each.named("mode"):
            return " ".join(modes[-1].words[1:2])
    return ""


def is_origin(section: Section, every: Sequence[Section]) -> bool:
    """Tells whether another section names these defaults (`frontend NAME from DEFAULTS`)."""
    return section.name != "" and any(_origin(each) == section.name for each in every)


def unconditional(section: Section) -> Iterator[tuple[Line, Line]]:
    """Yields each line below the header, paired with the line before which ours may be inserted.

    That is the line itself, or, inside a condition, the line that opens it: what stands before that takes effect
    whether the condition holds or not. Of `.if feature(LUA)`, `use_backend lua`, `.endif` and `use_backend web`, the
    second is paired with the first, and the last with itself. Inside nested conditions it is the outermost `.if`.
    Ends where the condition ends that the section itself stands in, or goes on to its next branch.
    """
    depth, opened = 0, section.header
    for line in section.lines[1:]:
        if line.keyword == ".if":
            opened = line if depth == 0 else opened
            depth += 1
        elif line.keyword == ".endif":
            depth -= 1
        if depth < 0 or (depth == 0 and line.keyword in _BRANCHES):
            return  # the section stands inside an .if: what follows counts for other sections, too, or only for them
        yield line, opened if depth else line


def conditional(every: Sequence[Section]) -> set[int]:
    """Lists the indexes of the headers that stand inside a condition; `every` holds all sections up to its end."""
    found: set[int] = set()
    depth = 0  # of what is closed further below
    for section in reversed(every):
        for line in reversed(section.lines):
            depth = max(depth + {".endif": 1, ".if": -1}.get(line.keyword, 0), 0)
        if depth:
            found.add(section.header.at)
    return found


def certain(every: Sequence[Section]) -> set[int]:
    """Lists the indexes of the lines that stand in no condition, headers too; `every` as for `conditional`.

    Of the others, only the running HAProxy knows which count: `.if streq("$HOSTNAME",lb1)` may be of the other host.
    """
    inside = conditional(every)
    found: set[int] = set()
    for section in every:
        if section.header.at not in inside:
            found.add(section.header.at)
            found.update(line.at for line, outside in unconditional(section) if line is outside)
    return found


def shown(line: Line) -> str:
    """Shows a line to a person, secrets masked: `line 4 'listen backend_chat_ws'`."""
    text = masked(line.raw).strip()
    where = f"line {line.number}" if line.number else "our line"
    return f"{where} '{text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}'"


def said(word: str) -> str:
    """Gives a word as HAProxy's messages and a person's screen have it: what is not UTF-8 in it is replaced."""
    return word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def masked(line: bytes) -> str:
    """Masks the passwords and tokens in a line: `stats auth admin:…`."""
    return masking.masked_line(line.decode("utf-8", "replace"))


def _origin(section: Section) -> str:
    words = section.header.words
    return "".join(words[words.index("from", 2) + 1 :][:1]) if "from" in words[2:] else ""


def _section(content: tuple[Line, ...]) -> Section:
    header = content[0].words
    return Section(header[0], header[1] if len(header) > 1 else "", content)


def _unquoted(match: re.Match[bytes]) -> bytes:
    text = match[0]
    if text.startswith(b"'"):
        return text.strip(b"'")
    if text.startswith(b'"'):
        return _ESCAPE.sub(_unescaped, text.removeprefix(b'"').removesuffix(b'"'))
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(match: re.Match[bytes]) -> bytes:
    """Resolves one escape: `\\ ` is a blank, and a backslash that escapes nothing stays, as in the pattern `\\.js`."""
    character = match[1]
    if character.startswith(b"x") and len(character) == 3:
        return bytes([int(character[1:], 16)])
    return _CONTROL.get(character, character if character in b" #\\'\"$" else b"\\" + character)
