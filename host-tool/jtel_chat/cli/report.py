"""Answers a person who is logged in on the host: status, check, diff, log, release-lock."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

from ..engine import lock, logbook, owner, record, steps
from ..errors import Refused
from ..text import printable, words

_END = 30  # seconds that a run gets to put back what it had begun


def run(command: str, values: list[str]) -> int:
    """Runs one of the commands and returns its exit code."""
    as_json = "--json" in values
    names = [value for value in values if value != "--json"]
    if command == "status":
        return _status(as_json)
    if command == "check":
        return _check()
    if command == "diff":
        return _diff(names)
    if command == "log":
        return _log(as_json)
    return _release_lock()


def _status(as_json: bool) -> int:
    found: dict[str, dict[str, Any]] = {}
    for name in record.names():
        recorded = record.read(name) or {}
        drift, facts = steps.compared(name)
        found[name] = {key: recorded.get(key) for key in ("generation", "applied", "by", "from", "run")} | {
            "drift": drift,
            "facts": facts,
        }
        if releases := [value for key, value in recorded.get("state", {}).items() if key.startswith("release:")]:
            found[name]["release"] = releases[0][:16]
    if as_json:
        print(json.dumps(found, indent=1))
        return 0
    for name, step in found.items():
        release = f"  release {step['release']}" if "release" in step else ""
        _say(
            f"{name:18} {step['applied']}  by {logbook.by_whom(step)}{release}"
            f"  {'; '.join(step['drift']) or 'as applied'}"
        )
        for key, value in step["facts"].items():
            _say(f"{'':18} {words.fact(key, value)}")
    if belongs := owner.read():
        _say(f"this host belongs to {belongs[0]}")
    if not found:
        _say("this host has no steps of the CHAT role")
    if lock.is_held():
        _say(f"a run is going on: {lock.holder()}")
    return 0


def _check() -> int:
    found = [f"{name}: {item}" for name in record.names() for item in steps.drifted(name)]
    _say(*(found or ["everything is as it was applied"]))
    return 1 if found else 0


def _diff(names: list[str]) -> int:
    if unnamed := [name for name in names if not steps.is_name(name)]:
        raise Refused(
            f"'{unnamed[0]}' is no name for a step. The steps of this host: {', '.join(record.names()) or 'none'}"
        )
    for name in names or record.names():
        if diff := steps.observe(name, None)["diff"]:
            _say(f"# {name}\n{diff}")
    return 0


def _log(as_json: bool) -> int:
    for entry in logbook.entries():
        if as_json:
            print(json.dumps(entry))
            continue
        _say(
            f"{entry['time']}  {entry['action']} {entry['step']} by {logbook.by_whom(entry)}: {entry['outcome']}",
            *(f"    {line}" for line in entry["said"]),
        )
    return 0


def _release_lock() -> int:
    """Ends the run that holds the lock, which rolls back; after a kill, systemd's ExecStopPost puts everything back."""
    process = lock.holding_process()
    if process is None:
        print("the lock is free")
        return 0
    _say(f"ending {lock.holder()}")
    for number in (signal.SIGTERM, signal.SIGKILL):
        os.kill(process, number)
        deadline = time.monotonic() + _END
        while lock.is_held() and time.monotonic() < deadline:
            time.sleep(0.1)
        if not lock.is_held():
            _say(*steps.recover_all())
            return 0
    raise Refused(f"process {process} holds the lock and does not end. Look at it: ps -fp {process}")


def _say(*lines: str) -> None:
    """Prints lines, cleaned of control characters: what programs and callers have said stands in them, too."""
    print(printable.block("\n".join(lines)))
