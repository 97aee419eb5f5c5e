"""Asks the HAProxy that runs, and reloads it: a reload is over when the new configuration is the one that runs.

Source: management.txt 9.3 (stats socket), 9.4 (master CLI).
"""

from __future__ import annotations

import contextlib
import re
import socket
import time
from typing import NamedTuple

from ...access import disk
from ...errors import Failed
from ...programs import process
from ...systemd import unit_journal
from ..file import edit, settings
from ..file.configuration import Configuration
from . import invocation
from .invocation import Start

UNIT = "haproxy.service"
_DEADLINE = 15  # seconds until the new worker must run
_ANSWER = 5.0  # seconds for all of an answer
_LONGEST = 1 << 20  # bytes of it
_SETTLE = 0.5  # seconds that it must live on
_COMMAND = 60  # seconds for systemd's part
_ADMIN = 6  # the column with what was decided about a server (management.txt 9.3, "show servers state")
_MAINTENANCE, _DRAINED = 0x01, 0x08
_DISABLED = ("disabled", "masked", "masked-runtime")
OFF = (
    "HAProxy is off on this host and disabled, which is somebody's decision: its configuration is written and checked,"
    " and neither started nor proven. 'systemctl enable --now haproxy' would have it proven by the next up"
)
NO_MASTER_SOCKET = (
    "HAProxy runs without its master socket, so a reload is verified by its processes and ports only. "
    "Add '-S /run/haproxy-master.sock' to EXTRAOPTS in /etc/default/haproxy, and restart HAProxy when that suits"
)


class Running(NamedTuple):
    """The unit's processes at one moment.

    main: the main process; 0 when the unit does not run. start: how that was started. configuration: our file between
    the others that it was started with, as they are on disk. workers: its children, old ones that still carry
    connections included. master, stats: the places of its sockets. failed: reloads that have failed since the last good
    one; None without a master socket. revision: CFGREV of the current worker (our blocks set it); None when it is not
    set, or nobody can be asked. off: it does not run, and is not to at boot: somebody else, a cluster manager, say,
    decides when it does.
    """

    main: int
    start: Start
    configuration: Configuration
    workers: frozenset[int]
    master: str | None
    stats: str | None
    failed: int | None
    revision: str | None
    off: bool = False

    def ask(self, command: str) -> str:
        """Asks the current worker, through the master or its own stats socket; empty when neither answers."""
        if self.master:
            return _talk(self.master, f"@1 {command}")
        answer = _talk(self.stats, command) if self.stats else ""
        return "" if answer.startswith("Permission denied") else answer

    @property
    def answers(self) -> bool:
        """Tells whether anybody can be asked at all."""
        return bool(self.ask("show version"))


def look(file: Configuration) -> Running:
    """Looks at what runs now, and puts the file between the others that it reads."""
    main = int(process.run("systemctl", "show", "--value", "--property=MainPID", UNIT).strip() or 0)
    start = invocation.read(main)
    failed = _failed(_talk(start.master, "show proc")) if start.master else None
    config = start.around(file)
    master, stats = (None if failed is None else start.master), settings.stats_socket(config.all_sections)
    off = not main and _property("UnitFileState") in _DISABLED
    running = Running(main, start, config, _children(main), master, stats, failed, None, off)
    return running._replace(revision=_environment(running, "CFGREV"))


def _failed(processes: str) -> int | None:
    """Reads how many reloads have failed since the last good one from `show proc`; None where that is no answer.

    HAProxy 2.6 counts them itself. 2.2 (Debian 11) says of each worker how many reloads it has seen: none of the one
    that serves, unless one has failed.
    """
    counted = re.search(r"\[failed: (\d+)\]", processes)
    seen = re.findall(r"(?m)^\d+ +worker .*?(\d+) +\d+d\d+h", processes)
    return int(counted[1]) if counted else min(map(int, seen), default=None)


def out_of_service(running: Running, backend: str) -> dict[str, str]:
    """Lists the servers of a backend that are in maintenance (`maint`) or drained (`drain`), whoever has done that."""
    found: dict[str, str] = {}
    for words in map(str.split, running.ask(f"show servers state {backend}").splitlines()):
        if len(words) > _ADMIN and words[1] == backend and words[_ADMIN].isdecimal():
            admin = int(words[_ADMIN])
            if how := "maint" if admin & _MAINTENANCE else "drain" if admin & _DRAINED else "":
                found[words[3]] = how
    return found


def is_stopped() -> bool:
    """Tells whether somebody has stopped HAProxy; one that has died is `failed`, or about to be started again."""
    return _property("ActiveState") == "inactive"


def reload(config: Configuration) -> None:
    """Loads a configuration, which is on disk already; starts HAProxy where it does not run.

    The command returns 0 also when the new worker could not bind: then the old one goes on, or nothing does. So a new
    worker must run, say the configuration's CFGREV, and do so half a second later, too. Raises Failed with HAProxy's
    own last words.
    """
    before, revision, since = look(config), edit.revision(config), int(time.time())
    verb = "reload" if before.main else "start"
    done = process.attempt("systemctl", verb, UNIT, timeout=_COMMAND)
    if done.returncode == process.HANGS:
        raise Failed(f"'systemctl {verb} {UNIT}' did not end within {_COMMAND} s; {_journal(before, since)}")
    if done.returncode:
        raise Failed(f"HAProxy does not load the new configuration; {_journal(before, since)}")
    deadline = time.monotonic() + _DEADLINE
    while True:
        problem = _problem(before, now := look(before.configuration), revision)
        if problem is None:
            time.sleep(_SETTLE)
            problem = _problem(before, now := look(before.configuration), revision)
        if problem is None:
            return
        if (final := _is_final(before, now)) or time.monotonic() > deadline:
            within = "" if final else f" within {_DEADLINE} s"
            raise Failed(f"HAProxy does not run the new configuration{within}: {problem}; {_journal(before, since)}")
        time.sleep(0.1)


def _problem(before: Running, now: Running, revision: str | None) -> str | None:
    if _has_ended(before, now):
        return "its main process has ended"
    if now.failed:
        return "its master says that the reload has failed"
    if not now.workers - before.workers:
        return "it has no new worker"
    if before.master and not now.master:
        return "its master does not answer"
    # Without our blocks nothing can be said: a master keeps variables of the configurations before.
    if revision and now.revision != revision and (now.revision or now.answers):
        return f"its worker runs revision {now.revision or 'none'}, not {revision}"
    return None


def _is_final(before: Running, now: Running) -> bool:
    """Tells that nothing more will come; a failure that was counted before this reload does not."""
    return _has_ended(before, now) or (now.failed or 0) > (before.failed or 0)


def _has_ended(before: Running, now: Running) -> bool:
    """Tells whether the main process has ended.

    A reload keeps it; another one is systemd's next try with what the first has died of.
    """
    return not now.main or now.main != (before.main or now.main)


def _environment(running: Running, name: str) -> str | None:
    lines = running.ask(f"show env {name}").splitlines()
    return next((line.partition("=")[2] for line in lines if line.startswith(f"{name}=")), None)


def _property(name: str) -> str:
    return process.attempt("systemctl", "show", "--value", f"--property={name}", UNIT).stdout.strip()


def _children(main: int) -> frozenset[int]:
    with contextlib.suppress(OSError):
        return frozenset(int(pid) for pid in disk.kernel(f"/proc/{main}/task/{main}/children").split())
    return frozenset()


def _talk(path: str, command: str) -> str:
    """Asks a socket for a complete answer; empty when none comes in time, or one that does not end."""
    deadline, answer = time.monotonic() + _ANSWER, b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, contextlib.suppress(OSError):
        connection.settimeout(_ANSWER)
        connection.connect(path)
        connection.sendall(command.encode() + b"\n")
        connection.shutdown(socket.SHUT_WR)  # else it waits for the next command
        while len(answer) < _LONGEST and (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            part = connection.recv(65536)
            if not part:
                return answer.decode(errors="replace")
            answer += part
    return ""


def _journal(running: Running, since: int) -> str:
    """Shows why HAProxy did not start, where its journal since a moment says so, else its last lines."""
    said = unit_journal.why(f"--unit={UNIT}", f"--since=@{since}")
    return running.start.unexpanded(said, running.configuration)
