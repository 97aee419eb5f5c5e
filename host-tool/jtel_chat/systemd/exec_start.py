"""Finds the one command in a unit's ExecStart, and replaces one word of it.

Read as systemd reads it (systemd.syntax(7); systemd.service(5), "Command lines"): any line ending, continued lines,
comments between them, quoted words, prefixes of the path, an empty assignment that resets. Whatever is not understood
is refused.
"""

from __future__ import annotations

import re

from ..errors import Refused
from ..text import masking
from . import unit_file

_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^ \t"'\\])+""")
_PLAIN = re.compile(r"""(["']?)[/A-Za-z0-9_][A-Za-z0-9_/.@+=,:~-]*\1""")
_PREFIX = re.compile(r"""["']?([@:+!|-]*)""")


def command(unit: bytes) -> str:
    """Gives the value of ExecStart, continued lines as one.

    Raises Refused when there is not exactly one, showing what is there.
    """
    found: list[str] = []
    for value in (value for key, value in _service_lines(unit) if key == "ExecStart"):
        found = [*found, value] if value else []
    if len(found) != 1:
        raise Refused(f"it has {len(found)} ExecStart lines, expected is one{_listed(found)}")
    if any("\udc80" <= character <= "\udcff" for character in found[0]):
        raise Refused(f"its ExecStart is not UTF-8, so that systemd ignores it{_listed(found)}. Save the file as UTF-8")
    if not is_closed(found[0]):
        raise Refused(f"its ExecStart has a quote or backslash that nothing closes{_listed(found)}")
    if is_several(found[0]):
        raise Refused(f"its ExecStart gives more than one command (;), expected is one{_listed(found)}")
    return found[0]


def replace_argument(unit: bytes, start: str, replacement: str) -> str:
    """Replaces the one word of the command that begins with `start`.

    Raises Refused, showing the line, when it is not there once.
    """
    given = command(unit)
    found = [word for word in words(given) if _unquoted(word).startswith(start)]
    if len(found) != 1:
        elsewhere = [f"{key}={value}" for key, value in _service_lines(unit) if start in value and key != "ExecStart"]
        raise Refused(f"its ExecStart has {len(found)} words '{start}…', expected is one{_listed([given, *elsewhere])}")
    return " ".join(replacement if word == found[0] else word for word in words(given))


def with_java_options(command: str, options: list[str]) -> str:
    """Sets these options in a command that starts java, whatever it says about them itself; other commands stay.

    Of an option that is there twice the JVM heeds the last one: the command's own ones are replaced where they stand.
    """
    given = words(command)
    place = 2 if "@" in _prefixes(command) else 1  # behind argv[0]
    if program(command).rpartition("/")[2] != "java" or len(given) < place:
        return command
    replaced = [
        next((ours for ours in options if _sets_the_same(_unquoted(word), ours)), word) for word in given[place:]
    ]
    return " ".join([*given[:place], *options, *replaced])


def program(command: str) -> str:
    """Gives the path that a command starts, without its prefixes."""
    return _PREFIX.sub("", _unquoted(words(command)[0]), count=1)


def expands_variables(command: str) -> bool:
    """Tells whether systemd replaces `${NAME}` in the command: the prefix `:` forbids it."""
    return ":" not in _prefixes(command)


def holds_password(unit: bytes) -> bool:
    """Tells whether a password stands in the unit; the vendor's placeholder `<password>` is none."""
    return any(masking.without_secrets(value) != value for _, value in _service_lines(unit))


def words(command: str) -> list[str]:
    """Divides a command into words, with their quotes and escapes."""
    return _WORD.findall(command)


def is_closed(command: str) -> bool:
    """Tells whether every quote and backslash of a command belongs to a word."""
    return not _WORD.sub("", command).strip(" \t")


def is_several(command: str) -> bool:
    """Tells whether a word `;` makes it more than one command, each with prefixes of its own."""
    return ";" in words(command)


def is_plain_program(command: str) -> bool:
    r"""Tells whether its first word is a program without prefixes.

    systemd looks for prefixes behind quotes and escapes, too (`"\x2b/bin/true"`).
    """
    return bool(_PLAIN.fullmatch(words(command)[0]))


def _service_lines(unit: bytes) -> list[tuple[str, str]]:
    """Lists keys and values of [Service] in their order."""
    return [(each.key, each.value) for each in unit_file.assignments(unit) if each.section == "Service"]


def _prefixes(command: str) -> str:
    found = _PREFIX.match(command)
    return found[1] if found else ""


def _sets_the_same(word: str, option: str) -> bool:
    """Tells whether two words set the same option of the JVM, such as `-XX:+UsePerfData` and `-XX:-UsePerfData`.

    So do `-XX:ErrorFile=/x` and `-XX:ErrorFile=/y`.
    """
    bare = [each.removeprefix("-XX:").lstrip("+-").partition("=")[0] for each in (word, option)]
    return word.startswith("-XX:") and bare[0] == bare[1]


def _unquoted(word: str) -> str:
    """Takes quotes and escapes from a word, near enough to know it by its beginning."""
    return re.sub(r"""\\(.)|["']""", lambda match: match[1] or "", word)


def _listed(lines: list[str]) -> str:
    shown = [masking.without_secrets(line.encode("utf-8", "replace").decode()) for line in lines]
    return f": {' | '.join(shown)}" if shown else ""
