"""Logs what was done on this host: one JSON object a line in /var/lib/jtel-chat/log, and syslog."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from ..access import disk
from ..net import origin
from ..text import printable

_LONGEST = 256 << 20  # bytes of a log that are shown


def _runs() -> Path:
    return disk.RUN / "runs"


def _log() -> Path:
    return disk.STATE / "log"


def note(action: str, step: str, outcome: str, said: list[str]) -> None:
    """Appends an entry: who, from where, what came of it."""
    import syslog

    entry = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "action": action,
        "step": step,
        **caller(),
        "outcome": outcome,
        "said": [printable.block(text) for text in said],
    }
    try:
        if disk.stat(disk.STATE):
            disk.append(_log(), (json.dumps(entry, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))
    except OSError as error:  # a full disk: what was done is done all the same, and syslog has it, too
        print(f"{_log()} could not be written: {error}", file=sys.stderr)
    syslog.openlog("jtel-chatctl")
    syslog.syslog(f"{action} {step} by {by_whom(entry)}: {outcome}")


def entries() -> list[dict[str, Any]]:
    """Lists all entries, oldest first, cleaned anew: earlier versions wrote what programs had printed as it came."""
    try:
        lines = disk.text(_log(), _LONGEST).split("\n")
    except FileNotFoundError:
        lines = []
    return [_cleaned(entry) for line in lines if (entry := _parsed(line))]


def _parsed(line: str) -> dict[str, Any] | None:
    """Reads one entry; None for half a line, which a power cut leaves."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return entry


def _cleaned(entry: dict[str, Any]) -> dict[str, Any]:
    said = [printable.block(str(text)) for text in entry["said"]]
    return {key: printable.line(str(value)) for key, value in entry.items()} | {"said": said}


def caller() -> dict[str, str]:
    """Says who calls: the user behind sudo, the address that ssh was called from, and the run (commit, URL).

    The run is the one that the same user has announced from the same address.
    """
    by, _, address = whence().partition(" ")
    return {"by": by, "from": address, "run": _announced().get(whence(), "")}


def whence() -> str:
    """Names who calls and from where: `deploy 10.1.0.5`. What a look has noted counts for the caller's next changes."""
    by = (
        os.environ.get("JTEL_CHAT_BY", "root") if origin.inside_run() else os.environ.get("SUDO_USER", "root")
    )  # which sudo itself sets
    return f"{by} {next(iter(connection().split()), 'this host')}"


def connection() -> str:
    """Finds the ssh connection of this call, `ADDRESS PORT ADDRESS PORT`, the client's first; empty without ssh.

    A run in a transient unit has no ssh above it; the call that started it tells it its own connection.
    """
    return os.environ.get("JTEL_CHAT_CONNECTION", "") if origin.inside_run() else origin.ssh_connection()


def confirm_firewall() -> None:
    """Confirms ufw where it is on trial, if this call came by a second ssh connection: so ssh still gets in."""
    if disk.stat(disk.STATE / "firewall-trial"):
        from ..firewall import trial

        trial.confirm()


def by_whom(entry: dict[str, Any]) -> str:
    """Says who: `deploy from 10.1.0.5 (commit 1a2b3c4, https://ci.example/runs/7)`."""
    run = f" ({entry['run']})" if entry.get("run") else ""
    return f"{entry['by']} from {entry['from']}{run}"


def announce(run: str) -> None:
    """Notes which run the caller's next changes belong to.

    It comes with the look: in a step's command it would be a difference every time.
    """
    who = caller()
    text = printable.line(run)[:300]
    if text != who["run"]:
        disk.make_directory(disk.RUN)
        disk.write(_runs(), json.dumps({**_announced(), whence(): text}).encode())


def _announced() -> dict[str, str]:
    runs: dict[str, str] = disk.json(_runs()) or {}
    return runs
