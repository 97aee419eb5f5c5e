"""Takes the host's lock: one writer at a time, also across controllers."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from ..access import disk
from ..drain import state
from ..errors import Refused


def _lock() -> Path:
    return disk.RUN / "lock"


def _holder() -> Path:
    return disk.RUN / "holder"


@contextlib.contextmanager
def held(what: str, wait: float = 300) -> Iterator[str]:
    """Holds the lock while inside; gives the text of the holder that it waited for, or an empty one.

    Waits up to `wait` seconds, then raises Refused with the holder's name.
    """
    descriptor, waited_for = _acquired(time.monotonic() + wait, wait)
    try:
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        disk.write(_holder(), f"{what}, process {os.getpid()}, since {since}\n".encode(), 0o644)
        yield waited_for
    finally:
        os.close(descriptor)


def forget() -> None:
    """Removes the folder of what runs note, unless one goes on: nothing of us is on this host any more.

    Whoever waits for the lock meanwhile finds that its file is gone, and takes that of a new folder.
    """
    if disk.stat(_lock()) is None:
        return
    with contextlib.suppress(Refused), held("forget", wait=0):
        for name in disk.names(disk.RUN):
            disk.remove_tree(disk.RUN / name)
        disk.remove_directory(disk.RUN)


def _acquired(deadline: float, wait: float) -> tuple[int, str]:
    """Locks the file that has the lock's name, which may be another one than when it was opened."""
    while True:
        disk.make_directory(disk.RUN)
        descriptor = disk.lockable(_lock())
        try:
            waited_for = _acquire(descriptor, deadline, wait)
            found = disk.stat(_lock())
            if found and os.path.samestat(found, os.fstat(descriptor)):
                return descriptor, waited_for
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _acquire(descriptor: int, deadline: float, wait: float) -> str:
    waited_for = ""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return waited_for
        except BlockingIOError:
            waited_for = holder()
            if time.monotonic() > deadline and state.current() is None:  # a drain takes minutes, and ends by itself
                raise Refused(
                    f"the host's lock was not free within {wait:.0f} s: held by {holder()}. Wait for that run to end,"
                    " then repeat"
                ) from None
            time.sleep(0.1)


def is_held() -> bool:
    """Tells whether some process holds the lock now."""
    if disk.stat(_lock()) is None:
        return False
    descriptor = disk.lockable(_lock())
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def holding_process() -> int | None:
    """Finds the process that holds the lock; None when nobody does."""
    found = re.search(r", process (\d+), since [^,]*$", holder()) if is_held() else None
    return int(found[1]) if found else None


def holder() -> str:
    """Says who holds the lock, or held it last: `apply haproxy by deploy from 10.1.0.5, process 812, since …`."""
    try:
        return disk.text(_holder()).strip()
    except OSError:
        return "an unknown process"
