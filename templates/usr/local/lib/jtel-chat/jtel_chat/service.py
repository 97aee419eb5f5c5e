"""`# service: UNIT` – enabled, running with the current files, and healthy.

Fields: `loads` (block: `STEP DIGEST`, the steps whose sections the process loads when it starts), `healthy` (ws://ADDRESS:PORT/PATH),
`within` (seconds until it must be healthy), `cluster` and its companions (see the module of that name).

A restart is owed when the process runs something else than the host has now: its own start attested what it loaded
(`attest`, called by the unit's drop-in before the program). File times cannot tell: a restored content has a new one.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from . import durable, masking, originals, process, record, websocket
from .document import Section
from .errors import Failed
from .kind import Observed
from .transaction import Transaction

_ATTESTED = durable.RUN / "attested"
_SETTLE = 1.0  # seconds that a healthy process must live on


def observe(section: Section) -> Observed:
    unit = section.name
    seen = _properties(unit)
    owed = owes_restart(section, seen)
    state = {f"{unit} is": seen["ActiveState"], f"{unit} at boot": seen["UnitFileState"]}
    return Observed(state=state | {f"{unit} runs": owed or "the current files"})


def apply(section: Section, transaction: Transaction) -> None:
    unit = section.name
    transaction.remember(unit, {"enabled": _property(unit, "UnitFileState") == "enabled", "active": _property(unit, "ActiveState") == "active"})
    if _property(unit, "UnitFileState") != "enabled":
        transaction.on_rollback("systemctl", "disable", unit)
        process.run("systemctl", "enable", unit)
        transaction.say(f"enabled {unit}")
    reason = restarted = owes_restart(section)
    if reason:
        _loads().mkdir(mode=0o700, exist_ok=True)
        durable.replace(_loads() / unit, " ".join(_loaded_steps(section)).encode())
        process.attempt("systemctl", "reset-failed", unit)
        done = process.attempt("systemctl", "restart", unit, timeout=180)
        if done.returncode:
            raise Failed(f"{unit} does not start: {_journal(unit)}")
        transaction.say(f"restarted {unit}: {reason}")
    _await_health(section)
    if reason := owes_restart(section):
        raise Failed(f"{unit} was restarted, but still: {reason}")
    transaction.say(f"{unit} is healthy")
    if "cluster" in section.fields:
        from . import cluster

        transaction.say(cluster.verify(section, just_started=restarted is not None))


def undo(section: Section, transaction: Transaction) -> None:
    """Stopped and disabled again where it was so before; a service that ran goes on until its old files are back."""
    unit = section.name
    before = originals.recalled(transaction.step, unit) or {"enabled": True, "active": True}
    if not before["active"]:
        process.run("systemctl", "stop", unit, timeout=180)
        transaction.say(f"stopped {unit}, as before")
    if not before["enabled"]:
        process.run("systemctl", "disable", unit)
        transaction.say(f"disabled {unit}, as before")


def run_again(section: Section) -> str | None:
    """Start a service on the files that were put back, if it is meant to run; what is wrong with it there, too."""
    unit = section.name
    process.attempt("systemctl", "daemon-reload")
    process.attempt("systemctl", "reset-failed", unit)
    if _property(unit, "UnitFileState") != "enabled":
        return f"{unit} was not running before."
    process.attempt("systemctl", "restart", unit, timeout=180)
    try:
        _await_health(section)
    except Failed as failure:
        return f"It is not healthy on its old files either: {failure}"
    return None


def attest(unit: str) -> None:
    """Note what the process that is about to start will load. Runs as ExecStartPre, so it must never fail the start."""
    _ATTESTED.mkdir(mode=0o755, parents=True, exist_ok=True)
    loads = _loaded((_loads() / unit).read_text().split())
    staged = _ATTESTED / f".{unit}"
    staged.write_text(json.dumps({"invocation": os.environ.get("INVOCATION_ID", ""), "loads": loads}))
    staged.rename(_ATTESTED / unit)


def owes_restart(section: Section, seen: dict[str, str] | None = None) -> str | None:
    """Why the running process is not what the host's files say; None when it is. seen: the unit's properties, where they are known."""
    unit = section.name
    seen = seen or _properties(unit)
    if seen["ActiveState"] != "active":
        return "it was not running"
    try:
        attested = json.loads((_ATTESTED / unit).read_text())
    except (OSError, ValueError):
        return "it was started before it was managed"
    if attested["invocation"] != seen["InvocationID"]:
        return "it was started without our drop-in"
    now = _loaded(_loaded_steps(section))
    changed = sorted(name for name in now.keys() | attested["loads"].keys() if now.get(name) != attested["loads"].get(name))
    if changed:
        return f"{', '.join(changed)} changed since its start"
    return "systemd has not read its unit again" if seen["NeedDaemonReload"] == "yes" else None


def _loads() -> Path:
    """Which steps a unit loads: noted before its first restart, when there is no record yet."""
    return durable.STATE / "loads"


def _loaded_steps(section: Section) -> list[str]:
    return [line.split()[0] for line in section.lines("loads")]


def _loaded(steps: list[str]) -> dict[str, str]:
    from . import kind

    loads: dict[str, str] = {}
    for step in steps:
        for section in record.sections(step):
            # Of whole files only those that say so: updatesc.sh comes with the program, but is none of its own.
            # And a start must not wait for a look at the database, whose answer no process loads.
            if section.kind not in ("files", "database") or "loaded-by" in section.fields:
                loads |= kind.observe(section).loaded
    return loads


def _await_health(section: Section) -> None:
    unit, url = section.name, section.text("healthy")
    deadline = time.monotonic() + float(section.text("within"))
    invocation = _property(unit, "InvocationID")
    while True:
        problem = websocket.handshake_problem(url)
        if _property(unit, "InvocationID") != invocation or _property(unit, "ActiveState") == "failed":
            raise Failed(f"{unit} died after its start: {_journal(unit)}")
        if problem is None:
            break
        if time.monotonic() > deadline:
            raise Failed(f"{unit} runs, but {url} is not healthy ({problem}): {_journal(unit)}")
        time.sleep(0.2)
    time.sleep(_SETTLE)
    if _property(unit, "InvocationID") != invocation or _property(unit, "ActiveState") != "active":
        raise Failed(f"{unit} died within {_SETTLE:.0f} s of being healthy: {_journal(unit)}")


def _properties(unit: str) -> dict[str, str]:
    lines = process.run("systemctl", "show", "--property=ActiveState,UnitFileState,InvocationID,NeedDaemonReload", unit).splitlines()
    return dict(line.split("=", 1) for line in lines)


def _property(unit: str, name: str) -> str:
    return process.run("systemctl", "show", "--value", f"--property={name}", unit).strip()


def _journal(unit: str) -> str:
    text = process.attempt("journalctl", f"--unit={unit}", "--lines=12", "--output=cat", "--no-pager").stdout.strip()
    return masking.masked(masking.printable(text))
