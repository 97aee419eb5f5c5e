"""Putting back always ends: it writes only what differs, only over what is ours, and goes on where one file fails."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jtel_chat.access import disk
from jtel_chat.engine import journal, lock, steps
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Stuck

OWNER = (os.getuid(), os.getgid())
rename, write = os.rename, disk.write


def pending() -> list[str]:
    return disk.names(journal.pending())


def died(path: Path, data: bytes, step: str = "x") -> Transaction:
    """A run that has written a file and never came back."""
    change = Transaction(step)
    change.write(path, data, 0o600, OWNER)
    return change


def immutable(path: Path) -> Callable[..., None]:
    """os.rename on a host where nothing can take the place of this file."""

    def renamed(source: str, name: str, **directories: Any) -> None:
        if name == path.name:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        rename(source, name, **directories)

    return renamed


def test_a_file_that_cannot_be_replaced_needs_no_repair(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`chattr +i`, a mount, a full disk: what has failed once would fail again, and keep the journal for ever."""
    target = state / "haproxy.cfg"
    target.write_bytes(b"old")
    target.chmod(0o600)

    monkeypatch.setattr(os, "rename", immutable(target))
    with pytest.raises(PermissionError), Transaction("x") as change:
        change.write(target, b"new", 0o600, OWNER)
    assert target.read_bytes() == b"old"
    assert pending() == disk.names(journal.not_put_back()) == []
    assert sorted(path.name for path in state.iterdir()) == ["haproxy.cfg", "state"]


def test_what_somebody_has_edited_since_stays_and_the_old_bytes_are_kept(state: Path) -> None:
    target, other = state / "haproxy.cfg", state / "other"
    target.write_bytes(b"old")
    other.write_bytes(b"old")
    target.chmod(0o600)
    change = died(target, b"ours")
    change.write(other, b"ours", 0o600, OWNER)
    target.write_bytes(b"an administrator's")
    said = journal.recover()
    assert (target.read_bytes(), other.read_bytes()) == (b"an administrator's", b"old")
    assert f"{target} could not be put back and stays as it is: somebody has changed it since" in said
    [kept] = journal.not_put_back().iterdir()
    assert (kept / "0").read_bytes() == b"old"
    assert journal.recover() == []


def test_what_is_left_is_part_of_looks_and_of_what_a_person_asks(state: Path) -> None:
    target = state / "file"
    text = f"# files: {target}\ncontent:\n\thello\n"
    steps.apply("x", 1, "first", text)
    died(target, b"half")
    waiting = "an interrupted run of x is not put back yet: the next run does it, or jtel-chatctl recover"
    assert waiting in steps.observe("x", text)["warnings"]
    assert waiting in steps.drifted("x")
    target.write_bytes(b"edited")
    journal.recover()
    [kept] = journal.not_put_back().iterdir()
    stuck = f"{kept} holds what could not be put back. Look at it, then remove it: rm -r {kept}"
    assert stuck in steps.observe("x", text)["warnings"]
    assert stuck in steps.drifted("x")
    assert steps.observe("y", None)["warnings"] == []


def test_one_file_that_cannot_be_put_back_keeps_no_other(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = state / "first", state / "second"
    for path in (first, second):
        path.write_bytes(b"old")
        path.chmod(0o600)

    stuck = pytest.raises(Stuck, match=r"it broke\n.*second could not be put back and stays as it is")
    with stuck, Transaction("x") as change:
        change.write(first, b"new", 0o600, OWNER)
        change.write(second, b"new", 0o600, OWNER)
        monkeypatch.setattr(os, "rename", immutable(second))
        raise ValueError("it broke")
    assert (first.read_bytes(), second.read_bytes()) == (b"old", b"new")


def test_putting_back_needs_no_room_on_the_drive(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = state / "etc/haproxy.cfg"
    target.parent.mkdir()
    target.write_bytes(b"old")
    target.chmod(0o640)
    number = target.stat().st_ino

    def full(path: Path, *_: Any) -> None:
        if path.parent == target.parent:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, *_)

    with pytest.raises(ValueError, match="it broke"), Transaction("x") as change:
        change.write(target, b"new", 0o600, OWNER)
        change.write(target, b"newer", 0o600, OWNER)
        monkeypatch.setattr(disk, "write", full)
        raise ValueError("it broke")
    assert (target.read_bytes(), target.stat().st_mode & 0o777, target.stat().st_ino) == (b"old", 0o640, number)
    assert disk.names(target.parent) == ["haproxy.cfg"]


def test_nothing_is_left_beside_a_file_that_was_changed(state: Path) -> None:
    target = state / "etc/haproxy.cfg"
    target.parent.mkdir()
    target.write_bytes(b"old")
    with Transaction("x") as change:
        change.write(target, b"new", 0o600, OWNER)
        assert disk.names(target.parent) == [".haproxy.cfg.before-jtel-chat", "haproxy.cfg"]
    assert disk.names(target.parent) == ["haproxy.cfg"]


def test_the_order_of_journals_is_no_clocks(state: Path) -> None:
    """A journal of an earlier version, which counted nanoseconds, comes before all later ones."""
    target = state / "file"
    target.write_bytes(b"proven")
    target.chmod(0o600)
    earlier = died(target, b"first")
    disk.rename(journal.pending() / pending()[0], f"{10**18}-x")
    earlier._directory = journal.pending() / f"{10**18}-x"
    died(target, b"second")
    died(target, b"third")
    assert [path.name.partition("-")[0].lstrip("0") for path in journal.newest_first(journal.pending())] == [
        str(10**18 + 2),
        str(10**18 + 1),
        str(10**18),
    ]
    journal.recover()
    assert target.read_bytes() == b"proven"


def test_a_run_that_goes_on_is_no_interrupted_one(state: Path) -> None:
    with lock.held("apply x"):
        transaction = Transaction("x")
        transaction.write(state / "file", b"new", 0o644)
        assert journal.left("x") == []
    assert journal.left("x") == [
        "an interrupted run of x is not put back yet: the next run does it, or jtel-chatctl recover"
    ]
