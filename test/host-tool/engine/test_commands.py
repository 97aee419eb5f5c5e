"""Commands of a transaction: when it is rolled back, and after its commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.engine import journal
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Failed, Stuck
from jtel_chat.programs import process


def test_a_command_of_a_rollback_that_fails_keeps_the_journal_and_is_named(state: Path) -> None:
    with pytest.raises(Stuck) as stuck, Transaction("x") as change:
        change.on_rollback("sh", "-c", f"touch {state}/first")
        change.on_rollback("sh", "-c", "echo ufw was not free >&2; exit 1", words="ufw disable")
        change.on_rollback("/nonexistent/ufw", "delete")
        raise Failed("the next rule failed")
    kept = disk.names(journal.not_put_back())
    assert str(stuck.value).splitlines() == [
        "the next rule failed",
        "'/nonexistent/ufw delete' would have taken a change of this run back, and has failed: exit code 127,"
        " /nonexistent/ufw: not found. Run it by hand",
        "'ufw disable' would have taken a change of this run back, and has failed: exit code 1, ufw was not free."
        " Run it by hand",
        f"what was not put back is kept: {journal.not_put_back()}/{kept[0]}",
    ]
    assert (state / "first").exists()
    assert not disk.names(journal.pending())


@pytest.mark.parametrize(
    ("command", "code", "fails"),
    [("stop", 5, False), ("try-restart", 5, False), ("start", 5, True), ("stop", 1, True), ("stop", 0, False)],
)
def test_a_unit_that_is_not_there_needs_no_stop(
    state: Path, monkeypatch: pytest.MonkeyPatch, command: str, code: int, fails: bool
) -> None:
    done = subprocess.CompletedProcess((), code, "", "Unit is not loaded")
    monkeypatch.setattr(process, "attempt", lambda *_, **__: done)
    with pytest.raises(Failed) as failed, Transaction("x") as change:
        change.on_rollback("systemctl", command, "gone.timer")
        raise Failed("broken")
    assert isinstance(failed.value, Stuck) == fails
    with Transaction("x") as change:
        change.after_commit("systemctl", command, "gone.timer")
    assert bool(change.said) == fails


def test_what_fails_after_the_commit_is_said(state: Path) -> None:
    with Transaction("x") as change:
        change.after_commit("sh", "-c", "exit 3")
    assert change.said == ["warning: 'sh -c exit 3' has failed: exit code 3. Everything else is done: run it by hand"]
