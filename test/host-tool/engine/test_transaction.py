from __future__ import annotations

import os
from pathlib import Path

import pytest
from jtel_chat.access import digests, disk
from jtel_chat.documents import document, kind
from jtel_chat.documents.document import Section
from jtel_chat.engine import journal, logbook, originals, steps
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Ended, Failed, Refused
from jtel_chat.kinds import files

OWNER = (os.getuid(), os.getgid())


def test_an_error_puts_everything_back(state: Path) -> None:
    kept, new, linked = state / "kept", state / "new/deep", state / "link"
    kept.write_bytes(b"old")
    kept.chmod(0o640)
    linked.symlink_to("old-target")
    with pytest.raises(ZeroDivisionError), Transaction("x") as change:
        change.write(kept, b"changed", 0o600, OWNER)
        change.write(kept, b"changed again", 0o600, OWNER)
        change.write(new, b"created", 0o600, OWNER)
        change.link(linked, "new-target")
        raise ZeroDivisionError
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (b"old", 0o640)
    assert not new.parent.exists()
    assert linked.readlink() == Path("old-target")
    assert not list((state / "state/journal").iterdir())


def test_a_run_that_died_is_put_back_by_the_next(state: Path) -> None:
    target = state / "file"
    target.write_bytes(b"old")
    died = Transaction("x")
    died.write(target, b"half", 0o600, OWNER)
    with open(next((state / "state/journal").iterdir()) / "entries", "a") as entries:
        entries.write('{"path": "/torn')  # the crash came in the middle of a line
    assert target.read_bytes() == b"half"
    assert len(journal.recover()) == 1
    assert target.read_bytes() == b"old"


class Loader:
    """A kind that says what it would load."""

    def load_again(self, section: Section) -> str:
        if not section.name.startswith("/"):
            raise Failed("no such place")
        return f"loaded {Path(section.name).read_text()}"


def changed_and_loaded(state: Path) -> Transaction:
    change = Transaction("x")
    for name in (str(state / "file"), "nowhere"):
        change.load_on_rollback(Section("files", name, {}))
    change.write(state / "file", b"new", 0o600, OWNER)
    return change


def test_what_was_put_back_is_loaded_again_and_the_error_says_so(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "of", lambda _: Loader())
    (state / "file").write_bytes(b"old")
    with pytest.raises(Failed) as failure, changed_and_loaded(state):
        raise Failed("it does not run")
    assert str(failure.value).splitlines() == [
        "it does not run",
        "nowhere is as it was, and was not loaded again: no such place",
        "loaded old",
    ]


def test_what_is_said_of_a_rollback_is_not_lost_behind_another_error(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind, "of", lambda _: Loader())
    (state / "file").write_bytes(b"old")
    with pytest.raises(Failed, match=r"No space left.*\n.*\nloaded old"), changed_and_loaded(state):
        raise OSError("No space left on device")


def test_a_rollback_that_is_ended_is_left_to_the_next_run(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ending = Loader()
    monkeypatch.setattr(ending, "load_again", lambda _: (_ for _ in ()).throw(Ended("ended")))
    monkeypatch.setattr(kind, "of", lambda _: ending)
    with pytest.raises(Ended), changed_and_loaded(state):
        raise Failed("it does not run")
    monkeypatch.setattr(kind, "of", lambda _: Loader())
    assert len(journal.recover()) == 3


def test_what_a_run_that_died_has_changed_is_loaded_again_but_not_at_boot(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind, "of", lambda _: Loader())
    for booting, expected in ((False, ["loaded old"]), (True, [])):
        (state / "file").write_bytes(b"old")
        changed_and_loaded(state)
        assert journal.recover(booting)[2:] == expected


def test_a_link_never_lands_inside_its_target(state: Path) -> None:
    (state / "share").mkdir()
    with Transaction("x") as change:
        assert change.link(state / "store/shared", str(state / "share"))
        assert not change.link(state / "store/shared", str(state / "share"))
    assert not list((state / "share").iterdir())


def test_a_directory_where_a_link_belongs_is_refused(state: Path) -> None:
    (state / "store").mkdir()
    with pytest.raises(Refused, match="is a directory"), Transaction("x") as change:
        change.link(state / "store", "/elsewhere")


def test_a_second_apply_changes_nothing_and_drift_is_named_once(state: Path) -> None:
    target = state / "file"
    text = f"# files: {target}\ncontent:\n\thello\n"
    assert steps.observe("x", text)["reason"].startswith("not on the host")
    assert steps.apply("x", 1, "first", text) == [f"wrote {target}"]
    assert steps.apply("x", 1, "first", text) == ["nothing to change"]
    nothing = {"problems": [], "warnings": [], "facts": {}, "alike": {}, "active": False}
    assert steps.observe("x", text) == {"generation": 1, "reason": "first", "drifted": False, "diff": "", **nothing}
    target.write_text("edited")
    target.chmod(0o600)
    drifted = steps.observe("x", text)
    assert drifted["generation"] == 2
    assert drifted["reason"] == f"content of {target} changed; mode of {target}: 0600"
    steps.apply("x", 2, drifted["reason"], text)
    assert drifted["diff"].splitlines()[-2:] == ["-hello", "+edited"]
    assert steps.observe("x", text) == {
        "generation": 2,
        "reason": drifted["reason"],
        "drifted": False,
        "diff": "",
        **nothing,
    }
    assert target.read_text() == "hello\n"


def test_a_warning_is_said_of_what_will_be_applied_and_stops_nothing(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = files.observe

    def warned(section: document.Section) -> kind.Observed:
        seen = looked(section)
        seen.warnings.append(f"{section.fields['content'].strip()} is old")
        return seen

    monkeypatch.setattr(files, "observe", warned)
    text = "# files: {}\ncontent:\n\t{}\n"
    steps.apply("x", 1, "first", text.format(state / "file", "this"))
    assert steps.observe("x", text.format(state / "file", "that"))["warnings"] == ["that is old"]
    assert not steps.observe("x", text.format(state / "file", "this"))["drifted"]


def test_undo_gives_the_original_back_and_keeps_an_edit_beside_it(state: Path) -> None:
    ours, new = state / "file", state / "new/file"
    ours.write_text("customer's")
    ours.chmod(0o640)
    text = f"# files: {ours}\ncontent:\n\tone\n\n# files: {new}\ncontent:\n\tx\n"
    steps.apply("x", 1, "first", text)
    steps.apply("x", 1, "first", text.replace("one", "two"))
    ours.write_text("edited since")
    said = steps.undo("x")
    assert (ours.read_text(), ours.stat().st_mode & 0o777) == ("customer's", 0o640)
    assert (state / "file.edited-under-jtel-chat").read_text() == "edited since"
    assert any("edited since" in line for line in said)
    assert not new.parent.exists()
    assert not (state / "state").exists()
    assert steps.undo("x") == ["x: this host does not have it, nothing to undo"]


def test_a_commit_that_finds_no_room_for_originals_puts_everything_back(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = state / "file"
    target.write_text("customer's")
    text = f"# files: {target}\ncontent:\n\tours\n"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(originals, "_refreshed", full)
        with pytest.raises(OSError, match="No space"):
            steps.apply("x", 1, "first", text)
    assert target.read_text() == "customer's"
    assert not list(journal.pending().iterdir())
    target.write_text("edited meanwhile")
    steps.apply("x", 1, "first", text)
    steps.undo("x")
    assert target.read_text() == "edited meanwhile"


def test_an_undo_that_fails_leaves_the_step_as_it_was(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = state / "file"
    target.write_text("customer's")
    steps.apply("x", 1, "first", f"# files: {target}\ncontent:\n\tours\n")

    def broken(*_: object) -> None:
        raise Failed("broken")

    monkeypatch.setattr(steps.record, "remove", broken)
    with pytest.raises(Failed):
        steps.undo("x")
    assert target.read_text() == "ours\n"


def test_what_a_new_document_no_longer_has_is_given_back(state: Path) -> None:
    kept, dropped, added = state / "kept", state / "dropped", state / "added"
    dropped.write_text("customer's")
    section = "# files: {}\ncontent:\n\tours\n"
    both = section.format(kept) + "\n" + section.format(dropped)
    steps.apply("x", 1, "first", both + "\n" + section.format(added))
    assert steps.apply("x", 1, "first", section.format(kept)) == [f"removed {added}", f"put {dropped} back"]
    assert (kept.read_text(), dropped.read_text(), added.exists()) == ("ours\n", "customer's", False)
    dropped.write_text("customer's own again")
    steps.apply("x", 1, "first", both)
    steps.undo("x")
    assert (dropped.read_text(), kept.exists()) == ("customer's own again", False)


def test_another_document_than_the_controller_has_asks_for_an_apply(state: Path) -> None:
    text = f"# files: {state / 'file'}\ncontent:\n\thello\n"
    steps.apply("x", 1, "first", text)
    seen = steps.observe("x", text.replace("hello", "newer"))
    assert (seen["generation"], seen["drifted"]) == (2, False)
    assert seen["reason"].startswith("the document is another one than on ")


def test_the_tools_undo_takes_back_what_other_steps_have_left(state: Path) -> None:
    for name in ("one", "tool", "two"):
        steps.apply(name, 1, "first", f"# files: {state / name}\ncontent:\n\tours\n")
    steps.undo("tool")
    assert not any((state / name).exists() for name in ("one", "tool", "two", "state"))


def test_a_step_that_cannot_be_taken_back_keeps_the_tool_but_no_other_step(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "tool"):
        steps.apply(name, 1, "first", f"# files: {state / name}\ncontent:\n\tours\n")
    undo = steps._undo

    def obstructed(step: str) -> list[str]:
        if step == "two":
            raise Failed("somebody has put a folder there")
        return undo(step)

    monkeypatch.setattr(steps, "_undo", obstructed)
    with pytest.raises(Failed, match="two: somebody has put a folder there"):
        steps.undo("tool")
    assert [(state / name).exists() for name in ("one", "two", "tool")] == [False, True, True]


def test_the_log_names_the_run_that_the_caller_has_announced(state: Path) -> None:
    logbook.announce("commit 1a2b\x1b[31m3c, https://ci.example/7")
    steps.apply("x", 1, "first", f"# files: {state / 'file'}\ncontent:\n\tours\n")
    assert logbook.entries()[-1]["run"] == "commit 1a2b?[31m3c, https://ci.example/7"
    logbook.announce("")
    assert logbook.caller()["run"] == ""


def test_a_full_disk_ends_no_run_that_is_done_and_tears_no_line_of_the_log(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    disk.own_directory(disk.STATE)
    logbook.note("apply", "x", "done", ["first"])
    before = (disk.STATE / "log").read_bytes()

    def full(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[:20])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(disk, "fill", full)
        logbook.note("apply", "x", "done", ["second"])
    assert "log could not be written: [Errno 28]" in capsys.readouterr().err
    assert (disk.STATE / "log").read_bytes() == before
    disk.append(disk.STATE / "log", b'{"torn by a power cut\n')
    logbook.note("apply", "x", "done", ["third"])
    assert [entry["said"] for entry in logbook.entries()] == [["first"], ["third"]]


@pytest.mark.parametrize("call", ["rename", "fsync"])
def test_a_run_that_died_within_a_write_leaves_no_staged_file(
    state: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    class PowerCut(BaseException):
        pass

    def cut(*_: object, **__: object) -> None:
        raise PowerCut

    changing = Transaction("x")
    changing.make_directory(state / "new")
    changing._back_up(state / "new/secret", None, True, digests.short(b"password"))
    with monkeypatch.context() as broken:
        broken.setattr(os, "unlink", lambda *_, **__: None)  # a process that is gone tidies nothing up
        broken.setattr(os, call, cut)
        with pytest.raises(PowerCut):
            disk.write(state / "new/secret", b"password")
    assert (state / "new/.secret.jtel-chat").read_bytes() == b"password"
    assert journal.recover()
    assert not (state / "new").exists()


def test_a_run_that_died_behind_its_commit_is_not_said_to_be_put_back(state: Path) -> None:
    change = Transaction("x")
    change.write(state / "file", b"after", 0o644)
    disk.remove(next(journal.pending().iterdir()) / "entries")
    assert journal.recover() == []
    assert (state / "file").read_bytes() == b"after"
    assert not list(journal.pending().iterdir())
