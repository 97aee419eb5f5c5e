from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.engine import lock, steps


def test_the_holder_of_the_lock_is_the_process_not_what_a_run_calls_itself(state: Path) -> None:
    with lock.held("apply x by deploy from this host (process 1, since never)"):
        assert lock.holding_process() == os.getpid()


def test_whoever_waits_for_a_lock_that_is_removed_takes_the_new_one(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, opened, lockable = threading.Event(), [], disk.lockable

    def noted(path: Path) -> int:
        opened.append(lockable(path))
        waits.set()
        return opened[-1]

    def wait() -> None:
        with lock.held("the next run"):
            opened.append(lock.holding_process())

    waiting = threading.Thread(target=wait)
    with lock.held("the last undo"):
        monkeypatch.setattr(disk, "lockable", noted)
        waiting.start()
        waits.wait()
        disk.remove_tree(disk.RUN)
    waiting.join()
    assert len(opened) > 2
    assert opened[-1] == os.getpid()


def test_the_last_undo_leaves_nothing_in_run(state: Path) -> None:
    with lock.held("apply"):
        pass
    disk.own_directory(disk.STATE)
    steps.forget_runs()
    assert lock.holder().startswith("apply")
    disk.remove_tree(disk.STATE)
    with lock.held("another run"):
        steps.forget_runs()
        assert disk.stat(disk.RUN)
    steps.forget_runs()
    assert disk.stat(disk.RUN) is None
    steps.forget_runs()
    assert disk.stat(disk.RUN) is None
