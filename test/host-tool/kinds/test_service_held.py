"""A restart that is held (clientMessenger.restart: hold)."""

from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.engine import journal, record, steps, transaction
from jtel_chat.errors import Failed, Refused
from jtel_chat.net import websocket
from unit_of_machine import UNIT, Machine, applied, apply, runs


def test_held_a_healthy_process_goes_on_and_every_look_warns_without_drift(machine: Machine) -> None:
    apply(restart="hold")
    invocation = machine.properties["InvocationID"]
    assert steps.observe("messenger-running", None)["warnings"] == []
    machine.file.write_text("two")
    [line] = apply(restart="hold")
    assert (
        line == f"restart owed: {UNIT}, {machine.file} changed since its start. It goes on with what it has loaded"
        " (clientMessenger.restart: hold); with roll, the next up restarts it"
    )
    assert machine.properties["InvocationID"] == invocation
    for content in ("three", "one"):
        look = steps.observe("messenger-running", None)
        assert (look["drifted"], look["generation"], look["warnings"]) == (False, 1, [line])
        machine.file.write_text(content)
    look = steps.observe("messenger-running", None)
    assert (look["drifted"], look["warnings"]) == (False, [])
    machine.file.write_text("two")
    assert f"restarted {UNIT}: {machine.file} changed since its start" in apply(restart="roll")
    assert runs() == "current"


@pytest.mark.parametrize("condition", ["stopped", "unhealthy"])
def test_held_a_process_that_does_not_run_or_is_not_healthy_is_started(
    machine: Machine, condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(restart="hold")
    machine.file.write_text("two")
    if condition == "stopped":
        machine.stop()
        assert steps.observe("messenger-running", None)["drifted"]
    else:
        answers = iter(["refused", None])
        monkeypatch.setattr(websocket, "handshake_problem", lambda _: next(answers, None))
    assert any(line.startswith(f"restarted {UNIT}") for line in apply(restart="hold"))
    assert runs() == "current"


def change(path: Path, content: str, step: str = "messenger") -> None:
    """A step that the process loads is applied: it writes a file that only a start can show to be good."""
    with transaction.Transaction(step, proven=False) as changing:
        changing.write(path, content.encode(), 0o644)


def unproven() -> list[str]:
    return [name.partition("-")[2] for name in disk.names(journal.unproven())]


def test_held_nothing_is_proven_until_the_restart(machine: Machine) -> None:
    apply(restart="hold")
    for content in ("two", "three"):
        change(machine.file, content)
        apply(restart="hold")
    assert unproven() == ["messenger", "messenger"]
    machine.healthy = False
    with pytest.raises(Failed, match="Put back with it: messenger"):
        apply(restart="roll")
    assert machine.file.read_text() == "one"
    machine.healthy = True
    # What was put back is not as it was applied, and no health is told of it.
    assert [line.partition(" at ")[0] for line in steps.drifted("messenger")] == ["put back"]
    with pytest.raises(Refused, match="of messenger: another run"):
        apply(restart="roll")
    change(machine.file, "four")
    applied("0123456789abcdef")
    apply(restart="roll")
    assert unproven() == []
    assert record.read("messenger-running")


def test_held_no_previous_secret_is_kept(machine: Machine, state: Path) -> None:
    secret = {"kind": "secret", "name": "/etc/jtel-chat/clientmessenger.args", "fields": {}}
    applied("", step="messenger-secret", sections=[secret])
    change(state / "password", "hunter2", "messenger-secret")
    apply(restart="hold")
    change(state / "password", "present", "messenger-secret")
    change(machine.file, "two")
    apply(restart="hold")
    assert unproven() == ["messenger"]
    assert not [path for path in (state / "state").rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    machine.healthy = False
    with pytest.raises(Failed, match=r"Put back with it: messenger\."):
        apply(restart="roll")
    assert (machine.file.read_text(), (state / "password").read_text()) == ("one", "present")
