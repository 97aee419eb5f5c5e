"""Shows why a unit has failed: the few lines of its journal that say it, and the command that shows all of them."""

from __future__ import annotations

import re

from ..programs import process
from ..text import masking, printable

_READ, _SHOWN = 200, 5  # lines
_SAYS_NOTHING = re.compile(r"(Error\(s\)|Fatal errors) found in configuration|Some protocols failed to start")
_FRAME = re.compile(r"\s+at \S|\s+\.\.\. \d+ ")
# What tells most comes first.
_TELLING = (
    re.compile(r".*\[ALERT\]"),
    re.compile(r"Caused by: "),
    re.compile(
        r"Unrecognized (?:VM )?option|Improperly specified VM option|Invalid \w+ (?:heap|stack) size"
    ),  # of java
    re.compile(r'Exception in thread "|(?:[\w$]+\.)*\w*(?:Exception|Error)(?:: |$)'),
    re.compile(r"(?i).*\b(?:fatal|severe|error|critical|emerg)\b"),
)


def why(*matches: str) -> str:
    """Gives the lines that tell most of the journal's entries that match (journalctl(1)), secrets masked."""
    options = (*matches, f"--lines={_READ}", "--output=cat", "--no-pager")
    said = telling(process.attempt("journalctl", *options).stdout) or "nothing"
    return f"its journal says\n{masking.masked(printable.block(said))}\n(all of it: journalctl {' '.join(matches)})"


def of_start(invocation: str) -> tuple[str, ...]:
    """Matches what the processes of one start of a unit have said, and systemd about it."""
    return f"_SYSTEMD_INVOCATION_ID={invocation}", "+", f"INVOCATION_ID={invocation}"


def telling(journal: str) -> str:
    """Picks at most five lines: HAProxy's alerts, causes and first lines of stack traces, errors, then the last lines.

    Of a chain of causes the last one comes first, since it is what the others came of.
    """
    lines = [line for line in journal.splitlines() if line.strip() and not _FRAME.match(line)]
    found = {pattern: [line for line in lines if pattern.match(line)] for pattern in _TELLING}
    alert, cause, *_ = _TELLING
    if alerts := [line for line in found[alert] if not _SAYS_NOTHING.search(line)]:
        return "\n".join(list(dict.fromkeys(alerts))[:_SHOWN])
    found[cause].reverse()
    first = list(dict.fromkeys(line for each in _TELLING for line in found[each]))[:_SHOWN]
    others = [line for line in lines if line not in first]
    return "\n".join([*first, *others[max(0, len(others) - _SHOWN + len(first)) :]])
