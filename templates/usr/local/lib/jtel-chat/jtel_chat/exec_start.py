"""ExecStart of a systemd unit: the one command that it gives, and that command with one word replaced.

Read as systemd reads it (systemd.syntax(7); systemd.service(5), "Command lines"): any line ending, continued lines, comments
between them, quoted words, prefixes of the path, an empty assignment that resets. Whatever is not understood is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import masking
from .errors import Refused

_LONGEST = 1 << 20  # bytes; systemd takes no longer line, and a unit is not longer than its longest line by much
_LINE_END = re.compile(r"\r\n|\n\r|[\n\r\0]")
_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+""")
_PREFIX = re.compile(r"""["']?([@:+!|-]*)""")


def command(unit: bytes) -> str:
    """The value of ExecStart, continued lines as one. Raises Refused when there is not exactly one, showing what is there."""
    if len(unit) > _LONGEST:
        raise Refused(f"it is {len(unit)} bytes long, a unit is text of a few thousand. Is it the right file?")
    found: list[str] = []
    for value in (value for key, value in _service_lines(unit) if key == "ExecStart"):
        found = [*found, value] if value else []
    if len(found) != 1:
        raise Refused(f"it has {len(found)} ExecStart lines, expected is one{_listed(found)}")
    if any("\udc80" <= character <= "\udcff" for character in found[0]):
        raise Refused(f"its ExecStart is not UTF-8, so that systemd ignores it{_listed(found)}. Save the file as UTF-8")
    if _WORD.sub("", found[0]).strip():
        raise Refused(f"its ExecStart has a quote or backslash that nothing closes{_listed(found)}")
    if ";" in _words(found[0]):
        raise Refused(f"its ExecStart gives more than one command (;), expected is one{_listed(found)}")
    return found[0]


def replace_argument(unit: bytes, start: str, replacement: str) -> str:
    """The command with the one word that begins with `start` replaced. Raises Refused, showing the line, when it is not there once."""
    given = command(unit)
    words = _words(given)
    found = [index for index, word in enumerate(words) if _unquoted(word).startswith(start)]
    if len(found) != 1:
        elsewhere = [f"{key}={value}" for key, value in _service_lines(unit) if start in value and key != "ExecStart"]
        raise Refused(f"its ExecStart has {len(found)} words '{start}…', expected is one{_listed([given, *elsewhere])}")
    return " ".join([*words[: found[0]], replacement, *words[found[0] + 1 :]])


def program(command: str) -> str:
    """The path that a command starts, without its prefixes."""
    return _PREFIX.sub("", _unquoted(_words(command)[0]), count=1)


def expands_variables(command: str) -> bool:
    """Whether systemd replaces `${NAME}` in the command: the prefix `:` forbids it."""
    prefixes = _PREFIX.match(command)
    return ":" not in prefixes[1] if prefixes else True


def holds_password(unit: bytes) -> bool:
    """Whether a password stands in the unit; the vendor's placeholder `<password>` is none."""
    return any(masking.without_secrets(value) != value for _, value in _service_lines(unit))


def _service_lines(unit: bytes) -> Iterator[tuple[str, str]]:
    """Keys and values of [Service] in their order. What is not UTF-8 stays as surrogates."""
    section = ""
    for line in _logical_lines(unit.decode("utf-8", "surrogateescape").removeprefix("\ufeff")):
        if line.startswith("["):
            section = line
        elif section == "[Service]":
            key, _, value = line.partition("=")
            yield key.strip(), value.strip()


def _logical_lines(text: str) -> Iterator[str]:
    joined = ""
    for line in _LINE_END.split(text):
        if line.lstrip(" \t").startswith(("#", ";")):
            continue  # also between continued lines
        joined += line
        if (len(joined) - len(joined.rstrip("\\"))) % 2:
            joined = f"{joined[:-1]} "
        else:
            yield joined.strip()
            joined = ""
    yield joined.strip()


def _words(command: str) -> list[str]:
    """Words with their quotes and escapes."""
    return _WORD.findall(command)


def _unquoted(word: str) -> str:
    """A word without quotes and escapes, near enough to know it by its beginning."""
    return re.sub(r"""\\(.)|["']""", lambda match: match[1] or "", word)


def _listed(lines: list[str]) -> str:
    shown = [masking.without_secrets(line.encode("utf-8", "replace").decode()) for line in lines]
    return f": {' | '.join(shown)}" if shown else ""
