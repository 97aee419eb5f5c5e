"""What a person reads of a run that has failed, in its output and in the log."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from jtel_chat import __main__ as program
from jtel_chat.access import disk, mounts
from jtel_chat.engine import journal, logbook, steps
from jtel_chat.errors import Failed


@pytest.mark.parametrize("said_more", [False, True])
def test_a_full_drive_is_named_with_its_path(state: Path, monkeypatch: pytest.MonkeyPatch, said_more: bool) -> None:
    monkeypatch.setattr(disk, "free", lambda folder: 4096)
    file = state / "file"
    failure: Exception = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
    if said_more:  # as a rollback does
        cause = failure
        failure = Failed(f"{failure}\nHAProxy runs it again as it was.")
        failure.__cause__ = cause
    assert str(file) in str(failure)
    assert program._outcome(failure)[0] == (f"The file system of {state} ({mounts.of(state)}) has 4096 bytes free.")


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error", "/x"), Failed("/x is not as it was")])
def test_the_log_has_a_run_that_could_not_put_back_what_another_left(
    state: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def recover() -> list[str]:
        raise error

    disk.own_directory(disk.STATE)
    monkeypatch.setattr(journal, "recover", recover)
    with pytest.raises(type(error)):
        steps.exclusively("apply", "java", lambda: ["not reached"])
    (entry,) = logbook.entries()
    assert (entry["step"], entry["outcome"], entry["said"]) == ("java", "failed", [str(error)])
