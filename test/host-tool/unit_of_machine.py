"""A unit and what systemd would tell about it, for tests of what a service's process has loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jtel_chat.access import disk
from jtel_chat.documents.document import Section
from jtel_chat.engine import steps
from jtel_chat.engine.migration import FORMAT
from jtel_chat.kinds import service

UNIT = "x.service"


class Machine:
    """One unit as systemd would tell about it, and one file that its process loads."""

    def __init__(self, place: Path) -> None:
        self.file = place / "loaded"
        self.now = 1_000
        self.properties = {
            **{
                "ActiveState": "inactive",
                "SubState": "dead",
                "UnitFileState": "enabled",
                "InvocationID": "",
                "NeedDaemonReload": "no",
            },
            **{"InactiveEnterTimestampMonotonic": "0", "ExecMainStartTimestampMonotonic": "0"},
        }
        self.healthy = True
        self.attests = True

    def loaded(self, steps: list[str]) -> dict[str, str]:
        return {f"content:{self.file}": self.file.read_text()} if steps else {}

    def tick(self) -> int:
        self.now += 10
        return self.now

    def stop(self) -> None:
        self.properties |= {
            **{"ActiveState": "inactive", "SubState": "dead"},
            "InactiveEnterTimestampMonotonic": str(self.tick()),
        }

    def start(self) -> None:
        if self.attests:
            service.attest(UNIT)
        self.properties |= {
            "ActiveState": "active",
            "SubState": "running",
            "InvocationID": f"run{self.now}",
            "ExecMainStartTimestampMonotonic": str(self.tick()),
        }

    def attempt(self, *argv: str, **_: Any) -> Any:
        if argv[:2] == ("systemctl", "restart"):
            if self.properties["ActiveState"] == "active":
                self.stop()
            self.start()
        return type("Done", (), {"returncode": 0, "stdout": "", "stderr": ""})()


def applied(document: str, step: str = "messenger", **more: Any) -> None:
    """The step that the process loads was applied, with a document of this digest."""
    recorded = {
        "format": FORMAT,
        "first": 1,
        "generation": 1,
        "reason": "",
        "document": document,
        "sections": [],
        "state": {},
        **more,
    }
    disk.own_directory(disk.STATE / "steps")
    disk.write(disk.STATE / f"steps/{step}.json", json.dumps(recorded).encode())


def section(**fields: str) -> Section:
    return Section(
        "service",
        UNIT,
        {"loads": "messenger 0123456789abcdef\n", "healthy": "ws://127.0.0.1:3000/", "within": "0", **fields},
    )


def text(**fields: str) -> str:
    given = {key: value for key, value in section(**fields).fields.items() if key != "loads"}
    return f"# service: {UNIT}\nloads:\n\tmessenger 0123456789abcdef\n" + "".join(
        f"{key}: {value}\n" for key, value in given.items()
    )


def apply(**fields: str) -> list[str]:
    return steps.apply("messenger-running", 1, "first", text(**fields))


def runs() -> str:
    return service.observe(section()).state[f"runs:{UNIT}"]
