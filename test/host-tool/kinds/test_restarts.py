"""A restart of a running chat is told beforehand, and is refused where the caller's window is closed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.engine import logbook, restarts, steps
from jtel_chat.errors import Refused
from unit_of_machine import UNIT, Machine, applied, apply

KEY = f"restarts:{UNIT}"


@pytest.fixture
def runs(machine: Machine) -> Machine:
    """Chat runs, and has loaded what was applied."""
    apply()
    return machine


def test_a_process_that_runs_what_the_host_has_is_not_restarted(runs: Machine) -> None:
    assert restarts.due({"messenger": None, "java": None}) == {}


def test_what_the_process_has_not_loaded_is_the_reason(runs: Machine) -> None:
    runs.file.write_text("two")
    assert restarts.due({}) == {KEY: f"{runs.file} changed since its start"}


def test_a_chat_that_was_installed_by_hand_is_restarted_by_the_first_run(runs: Machine) -> None:
    (disk.STATE / "steps/messenger-running.json").unlink()
    assert restarts.due({}) == {"restarts:jtel-clientmessenger.service": "it was started before it was managed"}


def test_a_document_counts_where_a_process_loads_what_it_changes(
    runs: Machine, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "drifted", lambda _: [])
    file, script = ({"kind": "files", "name": str(state / name), "fields": {}} for name in ("conf", "script"))
    file["fields"] = {"content": "one\n", "loaded-by": "jtel-clientmessenger.service"}
    script["fields"] = {"content": "one\n"}
    applied("0123456789abcdef", sections=[file, script])

    def asked(conf: str, text: str) -> dict[str, str]:
        loaded = "loaded-by: jtel-clientmessenger.service"
        document = (
            f"# files: {file['name']}\ncontent:\n\t{conf}\n{loaded}\n# files: {script['name']}\ncontent:\n\t{text}\n"
        )
        return restarts.due({"messenger": document})

    assert asked("one", "one") == {}
    assert asked("one", "two") == {}
    assert asked("two", "one") == {KEY: "messenger changes"}


def test_outside_the_window_an_apply_leaves_the_process_and_says_what_to_do(runs: Machine) -> None:
    before = runs.properties["InvocationID"]
    runs.file.write_text("two")
    restarts.note("outside its window")
    with pytest.raises(Refused, match=r"is not restarted .*changed since its start.*: outside its window"):
        apply()
    assert runs.properties["InvocationID"] == before
    restarts.note("")
    assert any("restarted" in line for line in apply())


def test_outside_the_window_what_does_not_run_is_started_and_others_are_not_held_back(
    runs: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    restarts.note("outside its window")
    runs.stop()
    assert any("restarted" in line for line in apply())
    runs.file.write_text("two")
    monkeypatch.setattr(logbook, "whence", lambda: "alice 10.1.0.9")
    assert any("restarted" in line for line in apply())


def test_outside_the_window_nothing_is_written_that_waits_for_a_restart(runs: Machine, state: Path) -> None:
    def change(name: str, *fields: str) -> list[str]:
        return steps.apply(name, 1, "first", "\n".join([f"# files: {state / name}", "content:", "\tnew", *fields, ""]))

    restarts.note("outside its window")
    loaded = "loaded-by: jtel-clientmessenger.service"
    with pytest.raises(Refused, match="would have to load this, and is not restarted: outside its window"):
        change("secret", loaded)
    assert not (state / "secret").exists()
    assert change("script")
    runs.stop()
    assert change("secret", loaded)


def test_nothing_is_noted_where_there_is_no_window(runs: Machine) -> None:
    restarts.note("")
    assert not (disk.RUN / "restarts").exists()
    restarts.note("outside its window")
    assert json.loads((disk.RUN / "restarts").read_text()) == {logbook.whence(): "outside its window"}


def test_a_loaded_step_that_was_edited_is_healed_with_a_restart(runs: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "drifted", lambda step: ["content changed"] if step == "messenger" else [])
    assert restarts.due({}) == {KEY: "messenger changes"}
