"""Reads the text of a systemd unit as systemd does (systemd.syntax(7)): its assignments, and those that count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import Refused

_LONGEST = 1 << 16  # bytes
_MOST = 1000  # assignments: which of them count takes time by the square of their number
_LINE_END = re.compile(r"\r\n|\n\r|[\n\r\0]")
_BLANKS = " \t"  # to systemd; Python strips more


class Assignment(NamedTuple):
    """`Nice=5` of a section `Service`. number: its first line. A line that is no assignment has an empty key."""

    number: int
    section: str
    key: str
    value: str

    @property
    def text(self) -> str:
        """Writes the assignment as one line, whatever its shape in the file."""
        return f"{self.key}={self.value}" if self.key else self.value


def assignments(unit: bytes) -> list[Assignment]:
    """Lists all assignments in their order; continued lines as one, without comments. No UTF-8 stays as surrogates."""
    if len(unit) > _LONGEST:
        raise Refused(f"it is {len(unit)} bytes long, a unit is text of a few thousand. Is it the right file?")
    section, found = "", []
    for number, line in _logical_lines(unit.decode("utf-8", "surrogateescape").removeprefix("\ufeff")):
        if line.startswith("["):
            section = line[1:-1] if line.endswith("]") else line
        elif line:
            key, equals, value = (part.strip(_BLANKS) for part in line.partition("="))
            found.append(Assignment(number, section, key, value) if equals else Assignment(number, section, "", line))
        if len(found) > _MOST:
            raise Refused(f"it has more than {_MOST} lines, a unit has some dozens. Is it the right file?")
    return found


def is_plain(assignment: Assignment) -> bool:
    """Tells whether systemd reads the assignment's text back as this one line: UTF-8 without control characters."""
    return assignment.text.replace("\t", " ").isprintable()


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    joined, first = "", 0
    for number, line in enumerate(_LINE_END.split(text), 1):
        if line.lstrip(_BLANKS).startswith(("#", ";")):
            continue  # also between continued lines
        first = first or number
        joined += line
        if (len(joined) - len(joined.rstrip("\\"))) % 2:
            joined = f"{joined[:-1]} "
        else:
            yield first, joined.strip(_BLANKS)
            joined, first = "", 0
    yield first, joined.strip(_BLANKS)
