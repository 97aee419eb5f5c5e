"""What an undo gives back is what was there before the first apply that was not put back or undone."""

from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat.engine import journal, originals, record, steps
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Failed

TEXT = "# files: {}\ncontent:\n\tours\n"


class PowerCut(BaseException):
    """The run is gone; what it had not done yet is never done."""


def cut(*_: object) -> None:
    raise PowerCut


def test_a_crash_behind_the_commit_of_an_undo_leaves_no_original(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = state / "file"
    target.write_text("of 2019")
    steps.apply("x", 1, "first", TEXT.format(target))
    with monkeypatch.context() as broken, pytest.raises(PowerCut):
        broken.setattr(originals, "forget", cut)
        steps.undo("x")
    assert (target.read_text(), record.read("x")) == ("of 2019", None)
    target.write_text("of 2027")
    steps.apply("x", 1, "again", TEXT.format(target))
    steps.undo("x")
    assert target.read_text() == "of 2027"


def test_a_crash_before_the_commit_of_an_apply_leaves_no_original(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, other = state / "file", state / "other"
    target.write_text("of 2019")
    steps.apply("x", 1, "first", TEXT.format(other))
    both = f"{TEXT.format(other)}\n{TEXT.format(target)}"
    with monkeypatch.context() as broken, pytest.raises(PowerCut):
        broken.setattr(Transaction, "_commit", cut)
        steps.apply("x", 1, "second", both)
    steps.recover_all()
    assert target.read_text() == "of 2019"
    target.write_text("of 2027")
    steps.apply("x", 1, "again", both)
    steps.undo("x")
    assert (target.read_text(), other.exists()) == ("of 2027", False)


def test_a_crash_while_a_section_is_dropped_keeps_its_original_until_that_is_committed(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, other = state / "file", state / "other"
    target.write_text("of 2019")
    steps.apply("x", 1, "first", f"{TEXT.format(other)}\n{TEXT.format(target)}")
    with monkeypatch.context() as broken, pytest.raises(PowerCut):
        broken.setattr(Transaction, "_commit", cut)
        steps.apply("x", 1, "second", TEXT.format(other))
    steps.recover_all()
    assert target.read_text() == "ours\n"
    steps.undo("x")
    assert target.read_text() == "of 2019"


def test_what_no_healthy_start_has_proven_leaves_no_original(state: Path) -> None:
    target = state / "file"
    target.write_text("of 2019")
    text = f"# files: {target}\nloaded-by: jtel-clientmessenger.service\ncontent:\n\tours\n"
    steps.apply("x", 1, "first", text)
    assert journal.disproven() == (["x"], [])
    assert target.read_text() == "of 2019"
    target.write_text("of 2027")
    steps.apply("x", 1, "again", text)
    steps.undo("x")
    assert target.read_text() == "of 2027"


def test_a_step_that_is_undone_is_put_back_no_more(state: Path) -> None:
    target = state / "file"
    text = f"# files: {target}\nloaded-by: jtel-clientmessenger.service\ncontent:\n\tours\n"
    steps.apply("other", 1, "first", TEXT.format(state / "other"))
    steps.apply("x", 1, "first", text)
    journal.proven()
    steps.apply("x", 1, "second", text.replace("ours", "newer"))
    steps.undo("x")
    assert journal.disproven() == ([], [])
    assert not target.exists()
    assert originals.index("x") == []


def test_an_undo_that_fails_keeps_the_originals(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = state / "file"
    target.write_text("of 2019")
    steps.apply("x", 1, "first", TEXT.format(target))
    with monkeypatch.context() as broken, pytest.raises(Failed):
        broken.setattr(record, "remove", lambda *_: (_ for _ in ()).throw(Failed("broken")))
        steps.undo("x")
    steps.undo("x")
    assert target.read_text() == "of 2019"
