"""Finds what drop-ins make of a unit: systemd reads them after it, whoever wrote them (systemd.unit(5)).

A template of a container, `systemctl edit` and packages write them; `service.d` concerns every service.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..access import disk
from ..errors import Refused
from . import unit_file, unit_state

_DECIDING = ("ExecStart", "User", "Group", "LoadCredential", "EnvironmentFile")


def of(unit: str) -> list[Path]:
    """Lists the drop-ins of a unit in the order in which systemd reads them; none of a unit that it does not know."""
    return [Path(word) for word in unit_state.properties(unit)["DropInPaths"].split()]


def findings(unit: str, given: str, ours: Iterable[Path] = ()) -> tuple[list[str], list[str]]:
    """Finds problems and warnings about what drop-ins make of the unit.

    given: how the database login reaches the process, `LoadCredential=x.args:/etc/jtel-chat/x.args`: without it the
    next start fails.
    ours: drop-ins of our own.
    """
    key, _, value = given.partition("=")
    there, taken_by, warnings = True, Path(), []
    for path in of(unit):
        if path in ours:
            continue
        for each in _assignments(path):
            if each.section != "Service" or each.key not in _DECIDING:
                continue
            if each.key == key and not each.value:
                there, taken_by = False, path
            elif each.key == key:
                there = there or each.value == value
            elif each.value:
                warnings.append(
                    f"{path} sets {each.key}, so what {unit} itself says there has no effect. Unless that is wanted,"
                    " take the line out, then: systemctl daemon-reload"
                )
    problems = [] if there else [_taken(unit, key, taken_by)]
    return problems, list(dict.fromkeys(warnings))


def _taken(unit: str, key: str, path: Path) -> str:
    return (
        f"{path} empties {key}, so {unit} would start without its database login, and chat would stay down. Take that"
        " line out, then: systemctl daemon-reload"
    )


def _assignments(path: Path) -> list[unit_file.Assignment]:
    try:
        return unit_file.assignments(disk.read(path))
    except (FileNotFoundError, Refused):
        return []  # gone since, or nothing that systemd would read as a unit
