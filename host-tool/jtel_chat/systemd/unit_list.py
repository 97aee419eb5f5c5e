"""Holds the closed list of what is taken over from the vendor's unit: each directive with its section and values.

Nothing on it lets the unit do what the service's user may not do. The vendor's text lies where others write. What it
says beside the list is refused, line by line, unless a person has accepted that line word for word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ..access import account
from . import exec_start
from .unit_file import Assignment, is_plain

#: Whom the service runs as.
USER, GROUP = account.SERVICE

_ONE, _LIST, _ADDED = "the last one counts", "an empty one forgets those before", "nothing forgets one"


class _Entry(NamedTuple):
    """One directive of the list.

    values: what the whole value must match; expected: the same for a person; judge: what a pattern cannot say, as a
    reason or ''.
    """

    sections: str
    values: str
    expected: str
    several: str = _ONE
    judge: Callable[[str], str] = lambda _: ""


def _command(value: str) -> str:
    """Says why an Exec line does not run one program with the service user's rights."""
    if not exec_start.is_closed(value):
        return "has a quote or backslash that nothing closes"
    if exec_start.is_several(value):
        return "gives more than one command (;)"
    if not exec_start.is_plain_program(value):
        return (
            "does not begin with the plain path of a program: a prefix (@ - : + ! |) changes whose rights it has, or"
            " what its failure means"
        )
    return ""


def _variables(value: str) -> str:
    """Says why a list of variables is not taken: one that decides what a program loads, or a name in disguise."""
    if not exec_start.is_closed(value):
        return "has a quote or backslash that nothing closes"
    for word in exec_start.words(value):
        name = _VARIABLE.match(word)
        if not name:
            return "has a word that is no NAME=VALUE with the name in plain letters"
        if _LOADS_CODE.fullmatch(name[1]):
            return f"sets {name[1]}, which decides what code a program loads"
    return ""


_VARIABLE = re.compile(r"""["']?([A-Za-z_][A-Za-z0-9_]*)=""")
_LOADS_CODE = re.compile(r"LD_.*|PYTHON.*|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS")
_TARGET = r"(?:network|network-online|remote-fs|nss-lookup|time-sync)\.target"
_TARGETS = "network, network-online, remote-fs, nss-lookup or time-sync (.target)"
_TIME = _Entry("Service", r"infinity|[0-9][0-9a-z. ]{0,40}", "a time like 5, 5s or 1min 30s")
_LIMIT = _Entry(
    "Service", r"(?:infinity|\d{1,15}[KMGTPE]?)(?::(?:infinity|\d{1,15}[KMGTPE]?))?", "a number, or infinity"
)
_RUN = _Entry("Service", r".+", "a command", _LIST, _command)
_OUTPUT = _Entry("Service", r"journal|null|inherit|syslog", "journal, null, inherit or syslog")
# systemd takes the old places of these, too.
_START_LIMIT = _Entry("Unit Service", r"[0-9][0-9a-z. ]{0,40}", "a number or time")

_ENTRIES = {
    "Description": _Entry("Unit", r".*", "text"),
    "Documentation": _Entry(
        "Unit", r"(?:https?|file|info|man):[!-~ ]{1,500}", "addresses (http, https, file, info, man)", _LIST
    ),
    "After": _Entry("Unit", rf"{_TARGET}(?:[ \t]+{_TARGET})*", _TARGETS, _ADDED),
    "Wants": _Entry("Unit", rf"{_TARGET}(?:[ \t]+{_TARGET})*", _TARGETS, _ADDED),
    "StartLimitIntervalSec": _START_LIMIT,
    "StartLimitInterval": _START_LIMIT,
    "StartLimitBurst": _START_LIMIT,
    "StartLimitAction": _Entry("Unit Service", r"none", "none"),
    "Type": _Entry("Service", r"simple|exec|notify", "simple, exec or notify"),
    "User": _Entry("Service", USER, USER),
    "Group": _Entry("Service", GROUP, GROUP),
    "ExecStart": _RUN,
    "ExecStartPre": _RUN,
    "ExecStartPost": _RUN,
    "ExecStop": _RUN,
    "ExecStopPost": _RUN,
    "ExecReload": _RUN,
    "WorkingDirectory": _Entry("Service", r"-?(?:~|/[A-Za-z0-9._/@+=,-]*)", "a path"),
    "Restart": _Entry(
        "Service", r"no|always|on-(?:success|failure|abnormal|abort|watchdog)", "no, always, or on-failure and its like"
    ),
    "RestartSec": _TIME,
    "TimeoutSec": _TIME,
    "TimeoutStartSec": _TIME,
    "TimeoutStopSec": _TIME,
    "TimeoutAbortSec": _TIME,
    "SuccessExitStatus": _Entry("Service", r"[A-Z0-9_+ -]{1,200}", "exit codes and signals", _LIST),
    "KillMode": _Entry("Service", r"control-group|mixed|process|none", "control-group, mixed, process or none"),
    "KillSignal": _Entry("Service", r"[A-Z0-9+-]{1,15}", "a signal like SIGTERM"),
    "LimitNOFILE": _LIMIT,
    "LimitNPROC": _LIMIT,
    "LimitCORE": _LIMIT,
    "Nice": _Entry("Service", r"[+-]?\d{1,2}", "a number from -20 to 19"),
    "OOMScoreAdjust": _Entry("Service", r"[+-]?\d{1,4}", "a number from -1000 to 1000"),
    "UMask": _Entry("Service", r"[0-7]{1,4}", "a mode like 0027"),
    "StandardOutput": _OUTPUT,
    "StandardError": _OUTPUT,
    "SyslogIdentifier": _Entry("Service", r"[A-Za-z0-9._@-]{1,64}", "a name"),
    "Environment": _Entry("Service", r".+", "variables", _LIST, _variables),
    "WantedBy": _Entry("Install", r"multi-user\.target", "multi-user.target", _LIST),
}

_SECTIONS = ("Unit", "Service", "Install")


def counting(assignments: list[Assignment]) -> list[Assignment]:
    """Lists the assignments that systemd heeds.

    Of most directives that is the last one, of lists those behind the last empty one. What systemd ignores by name
    (`X-…`) is left out.
    """
    counted: list[Assignment] = []
    for each in assignments:
        entry = _ENTRIES.get(each.key)
        several = entry.several if entry else _ADDED
        if several == _ONE or (several == _LIST and not each.value):
            counted = [other for other in counted if (other.section, other.key) != (each.section, each.key)]
        is_empty = bool(entry) and not each.value
        if not is_empty and not each.section.startswith("X-") and not each.key.startswith("X-"):
            counted.append(each)
    return counted


def problem(assignment: Assignment) -> str:
    """Says why an assignment is not taken over; empty when it is."""
    entry = _ENTRIES.get(assignment.key)
    if unwritable := unwritable_because(assignment):
        return unwritable
    if entry is None:
        return f"is not on the list of what is taken over from the vendor's [{assignment.section}]"
    if assignment.section not in entry.sections.split():
        return (
            f"stands in [{assignment.section}], where systemd does not read it; its place is"
            f" [{entry.sections.split()[0]}]"
        )
    if not re.fullmatch(entry.values, assignment.value):
        return f"has another value than {entry.expected}"
    return entry.judge(assignment.value)


def unwritable_because(assignment: Assignment) -> str:
    """Says why not even a person can accept it: there is no such line in a unit. Empty when a person can."""
    if assignment.section not in _SECTIONS:
        return (
            f"stands in [{assignment.section}], which is no section of a service's unit"
            if assignment.section
            else "stands before the first section"
        )
    if not assignment.key:
        return "is no Key=Value"
    if not is_plain(assignment):
        return "is not UTF-8, or has control characters or blanks of another kind"
    return ""


def taken(assignment: Assignment) -> Assignment:
    """Writes an assignment as it is taken over: syslog has meant the journal since systemd 246."""
    if assignment.key in ("StandardOutput", "StandardError") and assignment.value == "syslog":
        return assignment._replace(value="journal")
    return assignment
