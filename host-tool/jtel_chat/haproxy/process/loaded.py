"""Knows whether HAProxy has loaded the customer's part of its files as it is on disk.

What is on disk may be an edit that nobody has loaded yet: a reload of ours would load it, too, and taking our own part
back would not help. At each load of ours a copy of that part is kept, with the worker that has read it: while that
worker runs, what it runs is known. Otherwise the times of the files and of the worker have to do.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ...access import disk
from ...errors import Refused
from ..file import edit, parse
from ..file.configuration import Configuration
from ..file.parse import Line
from .instance import Running

_SHOWN = 3  # lines
_TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds: how exactly the kernel tells when a process has begun


class Worker(NamedTuple):
    """The process that serves now. identity: no other process has it, on no other boot. since: seconds since 1970."""

    identity: str
    since: float


class _Copy(NamedTuple):
    """What a worker had loaded when it was kept: the customer's part of each file."""

    worker: str
    files: Mapping[str, str]


def unloaded(running: Running) -> list[str]:
    """Says what was edited, not by us, since HAProxy has loaded its files; each with its lines and a remedy.

    Nothing is said where it does not run. Without a copy – nothing was loaded by this version yet – only what has been
    written since the worker's start counts, and not where our own blocks were edited, which explains that time.
    """
    worker, copy, config = worker_of(running), _kept(), running.configuration
    if worker is None or not running.start.loads(config.path) or (copy is None and not edit.is_intact(config)):
        return []
    found = []
    for file in _files(config):
        before = copy.files.get(str(file.path), "") if copy else None
        known = copy is not None and copy.worker == worker.identity
        if _differs(file, before) if known else _is_newer(file, before, worker):
            found.append(_said(file, before, known))
    if copy and copy.worker == worker.identity:  # no time tells when a file went
        found += map(_said_gone, _gone(copy, config))
    return found


def is_edited(config: Configuration) -> bool:
    """Tells whether somebody has edited the customer's part since our last load; False where that is unknown."""
    copy = _kept()
    if copy is None:
        return False
    differing = (file for file in _files(config) if _differs(file, copy.files.get(str(file.path), "")))
    return any(differing) or bool(_gone(copy, config))


def keep(running: Running) -> None:
    """Keeps a copy of what is on disk as that which the worker has loaded; none where nothing runs."""
    worker = worker_of(running)
    if worker is None:
        forget()
        return
    files = {str(file.path): _text(file) for file in _files(running.configuration)}
    if _kept() == _Copy(worker.identity, files):
        return
    with contextlib.suppress(OSError):  # without it, times tell
        disk.own_directory(_place().parent)
        disk.write(_place(), json.dumps({"worker": worker.identity, "files": files}).encode())


def forget() -> None:
    """Removes the copy."""
    disk.remove(_place())


def worker_of(running: Running) -> Worker | None:
    """Finds the process that has loaded the configuration last: the youngest worker."""
    found = [_process(pid) for pid in running.workers or {running.main} - {0}]
    return max(filter(None, found), key=lambda worker: worker.since, default=None)


def _process(pid: int) -> Worker | None:
    """Reads when a process has begun (proc_pid_stat(5)); None when it has ended."""
    try:
        ticks = int(disk.kernel(f"/proc/{pid}/stat").rpartition(b")")[2].split()[19])
        boot = disk.kernel("/proc/sys/kernel/random/boot_id").decode().strip()
    except OSError:
        return None
    ago = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks * _TICK
    return Worker(f"{boot} {pid} {ticks}", time.time() - ago)


def _place() -> Path:
    return disk.STATE / "haproxy/loaded.json"


def _kept() -> _Copy | None:
    with contextlib.suppress(OSError, Refused, TypeError):
        return _Copy(**(disk.json(_place()) or {}))
    return None


def _files(config: Configuration) -> tuple[Configuration, ...]:
    return (*config.before, config, *config.after)


def _text(file: Configuration) -> str:
    """The customer's part of a file; its bytes, whatever they mean, as characters."""
    with contextlib.suppress(Refused):  # a marker by itself, which the edit refuses
        file = edit.remove(file)
    return file.text.decode("latin-1")


def _differs(file: Configuration, before: str | None) -> bool:
    """Tells whether HAProxy would read something else; comments and blanks are nothing."""
    text = _text(file)
    return text != before and [line.words for line in _read(text)] != [line.words for line in _read(before or "")]


def _gone(copy: _Copy, config: Configuration) -> list[str]:
    """Lists the files that HAProxy has loaded and would not find any more; those of comments only are nothing."""
    there = {str(file.path) for file in _files(config)}
    return sorted(path for path, text in copy.files.items() if path not in there and _read(text))


def _is_newer(file: Configuration, before: str | None, worker: Worker) -> bool:
    """Tells by its times whether a file was written after the worker's start.

    Where a copy shows that it is another text than at our last load, it counts, too, when it was put in its place or
    changed in its rights since: `mv` and `cp -a` keep the time of the text.
    """
    found = disk.stat(file.path, follow=True)
    if found is None or (before is not None and not _differs(file, before)):
        return False
    written = found.st_mtime if before is None else max(found.st_mtime, found.st_ctime)
    return written > worker.since + _TICK


def _said(file: Configuration, before: str | None, known: bool) -> str:
    found = disk.stat(file.path, follow=True)
    when = time.strftime(" at %Y-%m-%d %H:%M UTC", time.gmtime(max(found.st_mtime, found.st_ctime))) if found else ""
    lines = "" if before is None else f" ({'' if known else 'since our last reload: '}{_difference(file, before)})"
    back = "" if known else ", and reload it then"
    return (
        f"{file.path} was changed{when}, not by us, and HAProxy has not loaded that{lines}. The next reload does so,"
        " whoever asks for it. If it is meant, reload HAProxy yourself (systemctl reload haproxy); else take it"
        f" back{back}"
    )


def _said_gone(path: str) -> str:
    return (
        f"{path} is gone, and HAProxy has it still. The next reload takes out what stood there, whoever asks for it. If"
        " that is meant, reload HAProxy yourself (systemctl reload haproxy); else put the file back"
    )


def _difference(file: Configuration, before: str) -> str:
    """Names the lines that have come, and counts those that have gone."""
    old = Counter(line.words for line in _read(before))
    come = []
    for line in file.without_blocks:
        if line.words and old[line.words] <= 0:
            come.append(_shown(line))
        old[line.words] -= 1
    gone = sum(count for words, count in old.items() if words and count > 0)
    more = [f"{len(come) - _SHOWN} further lines"] if len(come) > _SHOWN else []
    lost = [f"{gone} lines less" if gone > 1 else "a line less"] if gone else []
    return ", ".join([*come[:_SHOWN], *more, *lost]) or "lines in another order"


def _read(text: str) -> list[Line]:
    return [line for line in Configuration(text.encode("latin-1")).lines if line.words]


def _shown(line: Line) -> str:
    """Shows a line without what it compares with, which may be a key: neither conditions nor the patterns of ACLs."""
    if line.keyword == "acl":
        return f"line {line.number} 'acl {''.join(line.words[1:2])} …'"
    return re.sub(r"\s(if|unless)\s.*", r" \1 …'", parse.shown(line))
