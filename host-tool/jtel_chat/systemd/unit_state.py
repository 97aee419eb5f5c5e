"""Asks systemd how a unit is: all that anybody here wants to know, in one call (systemctl(1), `show`)."""

from __future__ import annotations

from ..errors import Failed
from ..programs import process

#: When the unit stopped last, and when its process was started, in microseconds since the boot.
TIMES = ("InactiveEnterTimestampMonotonic", "ExecMainStartTimestampMonotonic")
_ASKED = (
    "ActiveState",
    "SubState",
    "UnitFileState",
    "InvocationID",
    "NeedDaemonReload",
    "MainPID",
    "DropInPaths",
    *TIMES,
)


def properties(unit: str) -> dict[str, str]:
    """Gives the unit's properties by their names, `{"ActiveState": "active", …}`; of an unknown unit they are empty.

    Raises Failed where systemd does not answer.
    """
    done = process.ask("systemctl", "show", f"--property={','.join(_ASKED)}", unit)
    if done.returncode:
        raise Failed(f"systemd does not say how {unit} is: {done.stderr.strip()}")
    return dict(line.split("=", 1) for line in done.stdout.splitlines())
