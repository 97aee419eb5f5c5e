"""Makes text of others safe to print, log and keep: cut, and without what a terminal would obey."""

from __future__ import annotations

#: Characters of one text; of a longer one the first and the last part stay.
LIMIT = 65536


def line(text: str, limit: int = 4096) -> str:
    """Makes one line: control and bidi characters, line breaks and separators become `?`."""
    return block("".join(character if character.isprintable() else "?" for character in text), limit)


def block(text: str, limit: int = LIMIT) -> str:
    """Makes lines: as `line`, but line breaks and tabs stay. A long text says how much of it was cut."""
    text = text.replace("\r\n", "\n")
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]}\n… {len(text) - 2 * half} characters were cut here …\n{text[-half:]}"
    return "".join(character if character.isprintable() or character in "\n\t" else "?" for character in text)
