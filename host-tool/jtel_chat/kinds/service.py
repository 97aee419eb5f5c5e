"""Keeps a service enabled, running with the current files, and healthy.

A section is `# service: UNIT` with `loads` (block: `STEP DIGEST`, the steps whose sections the process loads when it
starts), `healthy` (ws://ADDRESS:PORT/PATH), `within` (seconds until it must be healthy), `restart` (`roll`, the
default, or `hold`: a process that is healthy on older files goes on, and its restart stays owed), `cluster` and its
companions (see hazelcast/cluster.py).

A restart is owed when the process runs something else than the host has now: before each start a unit of its own
(`unit.ATTEST`) notes what is about to be loaded. File times cannot tell: a restored content has a new one.
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

from ..access import disk
from ..documents import declaration
from ..documents.declaration import DIGEST, HOST, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..drain import draining
from ..engine import migration, observing, originals, record
from ..engine.transaction import Transaction
from ..errors import Failed, Refused
from ..net import websocket
from ..programs import process
from ..systemd import unit_journal, unit_state
from ..text import words

DECLARATION = Declaration(
    names=re.escape(declaration.UNIT),
    fields={
        "loads": Field(rf"[a-z][a-z0-9-]{{0,40}} {DIGEST}", "lines"),
        "healthy": Field(r"ws://127\.0\.0\.1:[0-9]{1,5}/", required=True),
        "within": Field("[0-9]{1,4}", required=True),
        "restart": Field("roll|hold"),
        "cluster": Field(re.escape(f"{declaration.HOME}/conf/hazelcast.xml")),
        "cluster-within": Field("[0-9]{1,4}"),
        "cluster-hosts": Field(rf"(?:{HOST}) \S+(?: later)?", "lines"),
    },
    proves=True,
)

_SETTLE = 1.0  # seconds that a healthy process must live on

# What a process runs, as the state has it: `runs:jtel-clientmessenger.service` is `changed:content:/etc/x,java`.
CURRENT, STOPPED, UNMANAGED, UNATTESTED, CHANGED, RELOAD = (
    "current",
    "stopped",
    "unmanaged",
    "unattested",
    "changed",
    "reload",
)


def observe(section: Section) -> Observed:
    unit = section.name
    seen = unit_state.properties(unit)
    runs = what_runs(section, seen)
    held = _holds(section) and runs != STOPPED
    updated = not held and _is_of_system(runs)
    # Neither a restart that is held nor an update of the system's packages is drift.
    state = {
        f"active:{unit}": seen["ActiveState"],
        f"enabled:{unit}": seen["UnitFileState"],
        f"runs:{unit}": "held" if held else CURRENT if updated else runs,
    }
    owed = {f"owed:{unit}": runs} if runs != CURRENT else {}
    port = _port_problems(section, seen)
    others = _others(section, seen)
    return Observed(
        state=state,
        problems=port if runs == STOPPED else [],
        warnings=[
            *([_owed(unit, runs)] if held and owed else []),
            *([f"restart owed: {unit}, {why(runs)}. The next up restarts it"] if updated else []),
            *(port if runs != STOPPED else []),
            *_split(section, others),
        ],
        owed=[f"{unit}: {why(runs)}"] if updated else [],
        facts=owed | _sessions(section) | _members(section, others),
    )


def _sessions(section: Section) -> dict[str, str]:
    """Counts the connections of others to the service: visitors and agents, and a load balancer's pooled ones."""
    from ..net import sockets

    port = int(section.text("healthy").rstrip("/").rpartition(":")[2])
    clients = [each for each in sockets.established() if each.port == port and not each.remote.is_loopback]
    return {f"sessions:{section.name}": str(len(clients))}


def apply(section: Section, transaction: Transaction) -> None:
    unit = section.name
    transaction.remember(
        unit,
        {
            "enabled": _property(unit, "UnitFileState") == "enabled",
            "active": _property(unit, "ActiveState") == "active",
        },
    )
    if _property(unit, "UnitFileState") != "enabled":
        transaction.on_rollback("systemctl", "disable", unit)
        process.run("systemctl", "enable", unit)
        transaction.say(f"enabled {unit}")
    _note_loads(section)
    reason = owes_restart(section)
    if reason and _may_stay(section, reason):
        transaction.say(_owed(unit, reason))
        return
    if reason:
        draining.drain()
        _restart(unit, reason, transaction)
    _await_health(section)
    if still := owes_restart(section):
        raise Failed(f"{unit} was restarted, but still: {why(still)}")
    transaction.say(f"{unit} is healthy")
    if "cluster" in section.fields:
        from ..hazelcast import cluster

        transaction.say(cluster.verify(section, just_started=reason is not None))


def undo(section: Section, transaction: Transaction) -> None:
    """Stops and disables the unit where it was so before; a service that ran goes on until its old files are back."""
    unit = section.name
    before = originals.recalled(transaction.step, unit) or {"enabled": True, "active": True}
    if not before["active"]:
        process.run("systemctl", "stop", unit, timeout=180)
        transaction.say(f"stopped {unit}, as before")
    if not before["enabled"]:
        process.run("systemctl", "disable", unit)
        transaction.say(f"disabled {unit}, as before")


def run_again(section: Section) -> str:
    """Starts a service on the files that were put back, if it is meant to run, and says how it is then."""
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
    return f"{unit} is healthy again on its old files."


def attest(unit: str) -> None:
    """Notes what a process that is about to start will load. A unit of its own runs this before every start."""
    seen = unit_state.properties(unit)
    begun = _now()
    if seen["InvocationID"] and os.environ.get("INVOCATION_ID") == seen["InvocationID"]:
        attested: dict[str, Any] = {
            "invocation": seen["InvocationID"]
        }  # the drop-in of an earlier version called us, within the start
    # systemd 254 and later starts a unit again that has failed without calling it inactive in between.
    elif seen["ActiveState"] in ("inactive", "failed") or seen["SubState"].startswith("auto-restart"):
        attested = {"boot": record.boot(), "begun": begun}
    else:
        return  # it runs, and what it has loaded is noted: somebody has asked for a start of what is started
    attested["loads"] = _loaded(disk.text(_loads() / unit).split())
    attested["ended"] = _now()
    for directory in (disk.RUN, _attested()):
        disk.make_directory(directory)
    disk.write(_attested() / unit, json.dumps(attested).encode(), 0o644)


def what_runs(section: Section, seen: dict[str, str] | None = None) -> str:
    """Says what the running process has loaded, compared with the host's files: one of the words above.

    seen: the unit's properties, where they are known.
    """
    seen = seen or unit_state.properties(section.name)
    if seen["ActiveState"] != "active":
        return STOPPED
    attested = disk.json(_attested() / section.name)
    if not attested:
        return UNMANAGED
    if not _is_of_this_start(attested, seen):
        return UNATTESTED
    if changed := _changed(attested, _loaded(_loaded_steps(section))):
        return f"{CHANGED}:{','.join(changed)}"
    return RELOAD if seen["NeedDaemonReload"] == "yes" else CURRENT


def owes_restart(section: Section) -> str | None:
    """Says what the process runs where that is not what the host's files say; None when it is."""
    runs = what_runs(section)
    return None if runs == CURRENT else runs


def why(runs: str) -> str:
    """Says the reason of an owed restart, for a person."""
    return words.value("runs:", runs)


def is_proven(section: Section) -> bool:
    """Tells whether the process has loaded what was applied; where its restart is held, it has not."""
    return owes_restart(section) is None


def _attested() -> Path:
    """Names the folder where starts note what they load."""
    return disk.RUN / "attested"


def _owed(unit: str, runs: str) -> str:
    return (
        f"restart owed: {unit}, {why(runs)}. It goes on with what it has loaded (clientMessenger.restart: hold); with"
        " roll, the next up restarts it"
    )


def _is_of_system(runs: str) -> bool:
    """Tells whether only system packages are newer than what the process has loaded: nobody has edited anything."""
    changed = runs.removeprefix(f"{CHANGED}:").split(",") if runs.startswith(CHANGED) else []
    return bool(changed) and all(key == "java" or key.startswith("package:") for key in changed)


def _port_problems(section: Section, seen: dict[str, str]) -> list[str]:
    """Says that another program listens where the service will, which would start and never be healthy."""
    if not observing.is_looking():
        return []
    from ..net import listeners

    port = int(section.text("healthy").rstrip("/").rpartition(":")[2])
    found = []
    for listener in listeners.listening({port}):
        holder = listeners.holder(listener, [int(seen.get("MainPID", "0"))])
        if holder is None or holder.unit != section.name:
            who = holder or "something that is not to be seen"
            found.append(f"port {port} of {section.name} is held by {who}. Free it: end that program, then repeat")
    return list(dict.fromkeys(found))


def _others(section: Section, seen: dict[str, str]) -> dict[str, bool] | None:
    """Tells which other chat servers its Hazelcast member is connected to; None where nobody wants to know."""
    if not observing.is_looking() or seen["ActiveState"] != "active" or "cluster" not in section.fields:
        return None
    from ..hazelcast import cluster

    try:
        return cluster.others(section, int(seen.get("MainPID", "0")))
    except (OSError, Refused):
        return None  # the file's own step says what is wrong with it


def _members(section: Section, others: dict[str, bool] | None) -> dict[str, str]:
    """Says how many of the stack's members the cluster has, this one among them: `2/2`."""
    return {} if others is None else {f"members:{section.name}": f"{1 + sum(others.values())}/{1 + len(others)}"}


def _split(section: Section, others: dict[str, bool] | None) -> list[str]:
    """Warns that chats do not cross to another server now: an apply that touches one server only looks at no others."""
    names = " and ".join(name for name, connected in (others or {}).items() if not connected)
    if not names:
        return []
    return [
        f"{section.name} is not connected to Hazelcast's member on {names}: chats do not cross between them. Is it up"
        " there, and do both have the same hazelcast.xml? Then restart one of them: systemctl restart"
        f" {section.name}"
    ]


def _holds(section: Section) -> bool:
    return section.fields.get("restart") == "hold"


def _may_stay(section: Section, runs: str) -> bool:
    """Tells whether a process goes on with what it has loaded: a person says so, and it is healthy."""
    if not _holds(section) or runs == STOPPED:
        return False
    try:
        _await_health(section)
    except Failed:
        return False
    return True


def _restart(unit: str, reason: str, transaction: Transaction) -> None:
    process.attempt("systemctl", "daemon-reload")  # somebody may have edited a drop-in and not said so
    process.attempt("systemctl", "reset-failed", unit)
    done = process.attempt("systemctl", "restart", unit, timeout=180)
    if done.returncode:
        said, _, _ = done.stderr.strip().partition("\n")
        of_start = unit_journal.of_start(_property(unit, "InvocationID"))
        raise Failed(f"{unit} does not start ({said}); {unit_journal.why(*of_start)}")
    transaction.say(f"restarted {unit}: {why(reason)}")


def _is_of_this_start(attested: dict[str, Any], seen: dict[str, str]) -> bool:
    """Tells whether an attestation was made for the process that runs: between the unit's last stop and its start.

    An earlier version's drop-in made it within the start, and noted that by its invocation.
    """
    if "invocation" in attested:
        return bool(attested["invocation"] == seen["InvocationID"])
    stopped, started = int(seen["InactiveEnterTimestampMonotonic"]), int(seen["ExecMainStartTimestampMonotonic"])
    return bool(attested["boot"] == record.boot() and stopped <= attested["begun"] and attested["ended"] <= started)


def _changed(attested: dict[str, Any], now: dict[str, str]) -> list[str]:
    """Lists what differs between then and now, by its short key."""
    then = migration.attested(attested["loads"]) if "invocation" in attested else attested["loads"]
    return sorted(item for item in now.keys() | then.keys() if now.get(item) != then.get(item))


def _now() -> int:
    """Reads the time as systemd's monotonic time stamps have it, in µs."""
    return time.monotonic_ns() // 1000


def _note_loads(section: Section) -> None:
    disk.own_directory(_loads())
    disk.write(_loads() / section.name, " ".join(_loaded_steps(section)).encode())


def _loads() -> Path:
    """Names the folder with the steps that a unit loads, noted before its first restart, before any record."""
    return disk.STATE / "loads"


def _loaded_steps(section: Section) -> list[str]:
    return [line.split()[0] for line in section.lines("loads")]


def _loaded(steps: list[str]) -> dict[str, str]:
    from ..documents import kind

    loads: dict[str, str] = {}
    for step in steps:
        for section in record.sections(step):
            # The database is not asked: no process loads its answer, and a start must not wait for it.
            if kind.is_loaded(section):
                loads |= observing.observe(section).loaded
    return loads


def _await_health(section: Section) -> None:
    unit, url = section.name, section.text("healthy")
    deadline = time.monotonic() + float(section.text("within"))
    invocation = _property(unit, "InvocationID")
    of_start = unit_journal.of_start(invocation)
    while True:
        problem = websocket.handshake_problem(url)
        if _property(unit, "InvocationID") != invocation or _property(unit, "ActiveState") == "failed":
            raise Failed(f"{unit} died after its start; {unit_journal.why(*of_start)}")
        if problem is None:
            break
        if time.monotonic() > deadline:
            raise Failed(f"{unit} runs, but {url} is not healthy ({problem}); {unit_journal.why(*of_start)}")
        time.sleep(0.2)
    time.sleep(_SETTLE)
    if _property(unit, "InvocationID") != invocation or _property(unit, "ActiveState") != "active":
        raise Failed(f"{unit} died within {_SETTLE:.0f} s of being healthy; {unit_journal.why(*of_start)}")


def _property(unit: str, name: str) -> str:
    return process.run("systemctl", "show", "--value", f"--property={name}", unit).strip()
