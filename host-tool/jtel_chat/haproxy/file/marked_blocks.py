"""Makes our marked blocks for a file that belongs to somebody else, finds them there, and takes them out to the byte.

A block that adopts carries the lines whose place it took, each behind `#~ `: the file itself gives them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...errors import Refused
from . import parse

_BEGIN = b"# BEGIN jtel-chat (written by jtel-chatctl, changes made here are undone)"
_ADOPTED = b"# BEGIN jtel-chat (these lines are adopted: jtel-chatctl took their place, its undo gives them back)"
_END = b"# END jtel-chat"
# Where the file had no final newline, the one we added goes with the block.
_JOINED = b" after a line without a newline"
_CUT = b" the last one without a newline"
_OPENING = {_BEGIN, _BEGIN + _JOINED, _ADOPTED, _ADOPTED + _CUT}
_OURS = re.compile(rb"# BEGIN jtel-chat \(|# END jtel-chat$")  # also where somebody has changed what follows
_THEIRS = re.compile(rb"# BEGIN jtel-chat(?: (?!\()|$)")  # a comment of the customer's, which may have its own END
_CARRIED = b"#~"


class Piece(NamedTuple):
    """Lines of the file that stand together: a block of ours, or what is between two of them.

    opening: the marker of our block; empty for what is not ours. first: the number of its first line in the file, from
    1.
    """

    opening: bytes
    first: int
    lines: tuple[bytes, ...]

    @property
    def text(self) -> bytes:
        return b"".join(self.lines)

    @property
    def adopts(self) -> bool:
        return self.opening.startswith(_ADOPTED)

    @property
    def numbers(self) -> range:
        """The numbers of its lines in the file."""
        return range(self.first, self.first + len(self.lines))


def block(lines: list[bytes], *, eol: bytes, indent: bytes = b"", joined: bool = False) -> bytes:
    """Makes a block of these lines. joined: the text before it lacks its final newline."""
    opening = _BEGIN + (_JOINED if joined else b"")
    return (eol if joined else b"") + b"".join(
        (indent + line if line else b"") + eol for line in [opening, *lines, _END]
    )


def adopting(carried: list[bytes], eol: bytes) -> bytes:
    """Makes a block that carries lines, which take no effect any more; they keep their line ends."""
    cut = not carried[-1].endswith(b"\n")
    kept = b"".join(_carry(line) for line in carried)
    return _ADOPTED + (_CUT if cut else b"") + eol + kept + (eol if cut else b"") + _END + eol


def pieces(lines: Sequence[bytes]) -> list[Piece]:
    """Divides a file into our blocks and what is between them.

    A comment like `# BEGIN jtel-chat` is none of our markers, nor is the `# END jtel-chat` that belongs to it. Raises
    Refused when a marker stands there by itself: what is ours cannot be told then.
    """
    found: list[Piece] = []
    rest: list[bytes] = []
    opening, opened, theirs = b"", 0, 0
    for number, line in enumerate(lines, 1):
        marker = line.strip()
        known = marker == _END if opening else marker in _OPENING
        if not known and _OURS.match(marker) and not (theirs and marker == _END):
            raise _stray(marker, number) if not opening else _stray(opening, opened)
        if not opening:
            theirs += 1 if _THEIRS.match(marker) else -1 if theirs and marker == _END else 0
        if known and not opening:
            found.append(Piece(b"", number - len(rest), tuple(rest)))
            opening, opened, rest = marker, number, []
        rest.append(line)
        if known and marker == _END:
            found.append(Piece(opening, opened, tuple(rest)))
            opening, rest = b"", []
    if opening:
        raise _stray(opening, opened)
    return [piece for piece in [*found, Piece(b"", len(lines) - len(rest) + 1, tuple(rest))] if piece.lines]


def masked(piece: Piece) -> str:
    """Shows a block to a person, secrets masked: those of carried lines are somebody else's."""
    prefixes = [line[: len(line) - len(_uncarry(line))] for line in piece.lines]
    return "".join(prefix.decode() + parse.masked(line[len(prefix) :]) for prefix, line in zip(prefixes, piece.lines))


def without(every: Iterable[Piece]) -> bytes:
    """Puts a file together as it would be without us."""
    result, ours = b"", b""
    for piece in every:
        if not piece.opening or piece.adopts:
            result += ours + (b"".join(_given_back(piece)) if piece.adopts else piece.text)
            ours = b""
        # The newline that we added goes with us, but never glues two lines of others. It is that of the marker's line:
        # before an LF, a CR belongs to what the file ended with.
        if piece.opening.endswith((_JOINED, _CUT)):
            stripped = re.sub(rb"\r?\n\Z" if piece.lines[0].endswith(b"\r\n") else rb"\n\Z", b"", result)
            result, ours = stripped, result[len(stripped) :]
    return result


def numbers(every: Iterable[Piece]) -> list[int]:
    """Lists the numbers that the lines of `without` have in the file as it stands."""
    found: list[int] = []
    for piece in every:
        found += piece.numbers[1:-1] if piece.adopts else [] if piece.opening else piece.numbers
    return found


def _given_back(piece: Piece) -> list[bytes]:
    """The lines that a block carries; what somebody wrote between them is his, and comes along."""
    return [_uncarry(line) for line in piece.lines[1:-1]]


def _carry(line: bytes) -> bytes:
    return _CARRIED + (b" " if line.strip(b"\r\n") else b"") + line


def _uncarry(line: bytes) -> bytes:
    for prefix in (_CARRIED + b" ", _CARRIED):
        if line.startswith(prefix):
            return line[len(prefix) :]
    return line


def _stray(marker: bytes, number: int) -> Refused:
    text = parse.masked(marker)
    return Refused(
        f"the marker '{text}' (line {number}) has lost its counterpart, so nobody can tell which lines are ours."
        " Restore that; or, where the comment is your own, give it other words"
    )
