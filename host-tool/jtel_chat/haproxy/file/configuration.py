"""Holds a haproxy.cfg, read once, and the files that HAProxy reads before and after it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from . import marked_blocks, parse
from .marked_blocks import Piece
from .parse import Line, Section


class Configuration:
    """A text in HAProxy's language. Its lines, sections and marked blocks are read when first asked for, and once.

    path: where it lies; empty for a text that is no file. before, after: the other files that HAProxy reads, in their
    order, each text with a line end of its own at its end (with `-f 10-global.cfg -f haproxy.cfg`, `10-global.cfg` is
    before `haproxy.cfg`). numbers: those that a person knows the lines by, where they are not their places in this
    text; 0 for a line of ours that he has not seen yet.
    """

    def __init__(
        self,
        text: bytes,
        path: Path = Path(),
        before: tuple[Configuration, ...] = (),
        after: tuple[Configuration, ...] = (),
        numbers: tuple[int, ...] = (),
    ) -> None:
        self.text = text
        self.path = path
        self.before = before
        self.after = after
        self.numbers = numbers

    def __eq__(self, other: object) -> bool:
        """Compares what HAProxy reads; what a person knows the lines by does not count."""
        return isinstance(other, Configuration) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def changed(self, text: bytes) -> Configuration:
        """Gives the file another text, between the same files; the same object where the text is the same."""
        return self if text == self.text else Configuration(text, self.path, self.before, self.after)

    def numbered_as(self, file: Configuration) -> Configuration:
        """Gives the customer's lines the numbers that they have in `file`, which this is an edit of.

        A person looks there, not into a text that may never be written. Raises Refused as `pieces` does.
        """
        if self == file:
            return self
        numbers = [0] * len(self.lines)
        for line, known in zip(self.without_blocks, file.without_blocks):
            numbers[line.number - 1] = known.number
        return Configuration(self.text, self.path, self.before, self.after, tuple(numbers))

    def between(self, before: tuple[Configuration, ...], after: tuple[Configuration, ...]) -> Configuration:
        """Puts the file between others."""
        return Configuration(self.text, self.path, before, after, self.numbers)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """All lines; joined, their `raw` is the text again."""
        found = parse.lines(self._split)
        return tuple(line._replace(number=number) for line, number in zip(found, self.numbers)) or tuple(found)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The sections of this file."""
        return tuple(parse.sections(self.lines))

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Our marked blocks and what stands between them. Raises Refused when a marker stands there by itself."""
        return tuple(marked_blocks.pieces(self._split))

    @cached_property
    def blocks(self) -> tuple[Piece, ...]:
        """Our marked blocks, those with adopted lines too. Raises Refused as `pieces` does."""
        return tuple(piece for piece in self.pieces if piece.opening)

    @cached_property
    def numbers_in_blocks(self) -> frozenset[int]:
        """The numbers of the lines of our blocks. Raises Refused as `pieces` does."""
        return frozenset(number for block in self.blocks for number in block.numbers)

    @cached_property
    def without_blocks(self) -> tuple[Line, ...]:
        """The lines of the file as it would be without us, each with its number in the file as it stands.

        Raises Refused as `pieces` does.
        """
        found = parse.split(marked_blocks.without(self.pieces))
        own = [self.lines[number - 1] for number in marked_blocks.numbers(self.pieces)]
        return tuple(_moved(line, at, raw) for at, (line, raw) in enumerate(zip(own, found)))

    @cached_property
    def all_lines(self) -> tuple[Line, ...]:
        """The lines of all files that HAProxy reads. The first line of this file is at 0, the one before it at -1.

        A line of the files before has the number that it would have if they were one.
        """
        before = [line for file in self.before for line in file.lines]
        after = [line for file in self.after for line in file.lines]
        return (
            *(line._replace(at=at - len(before), number=at + 1) for at, line in enumerate(before)),
            *self.lines,
            *(line._replace(at=at) for at, line in enumerate(after, len(self.lines))),
        )

    @cached_property
    def all_sections(self) -> tuple[Section, ...]:
        """The sections of all files that HAProxy reads."""
        return tuple(parse.sections(self.all_lines))

    @cached_property
    def certain(self) -> frozenset[int]:
        """The indexes of the lines, of all files that HAProxy reads, that stand in no condition."""
        return frozenset(parse.certain(self.all_sections))

    @cached_property
    def above(self) -> tuple[Section, ...]:
        """The sections of the files before: what stands here may inherit from them."""
        return tuple(parse.sections([line for line in self.all_lines if line.at < 0]))

    @cached_property
    def below(self) -> tuple[Section, ...]:
        """The sections of the files after, which may inherit from what stands here."""
        return tuple(parse.sections([line for line in self.all_lines if line.at >= len(self.lines)]))

    @property
    def whole(self) -> bytes:
        """The text of all files that HAProxy reads."""
        return b"".join((*(file.text for file in self.before), self.text, b"\n", *(file.text for file in self.after)))

    @property
    def _identity(self) -> tuple[object, ...]:
        return self.text, self.path, self.before, self.after

    @cached_property
    def _split(self) -> list[bytes]:
        return parse.split(self.text)


def _moved(line: Line, at: int, raw: bytes) -> Line:
    """Gives a line another place and text. Reads its words anew only where a block has carried it, as a comment."""
    same = raw.rstrip(b"\r\n") == line.raw.rstrip(b"\r\n")
    return Line(at, line.number, raw, line.words if same else parse.words(raw))
