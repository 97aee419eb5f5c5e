"""The host's lock: one writer at a time, also across controllers."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from .errors import Refused

LOCK = Path("/run/jtel-chat/lock")
HOLDER = Path("/run/jtel-chat/holder")


@contextlib.contextmanager
def held(what: str, wait: float = 300) -> Iterator[None]:
    """Hold the lock while inside; waits up to `wait` seconds, then names the holder. Never removes the lock file: two could hold it then."""
    LOCK.parent.mkdir(mode=0o755, exist_ok=True)
    descriptor = os.open(LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, wait)
        HOLDER.write_text(f"{what}, process {os.getpid()}, since {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\n")
        yield
        HOLDER.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Refused(f"the host's lock was not free within {wait:.0f} s: held by {holder()}. Wait for that run to end, then repeat") from None
            time.sleep(0.1)


def holder() -> str:
    """Who holds the lock, as one line."""
    try:
        return HOLDER.read_text().strip()
    except OSError:
        return "an unknown process"
