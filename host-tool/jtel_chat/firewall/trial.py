"""Switches ufw on, on trial: it goes off again by itself unless a second ssh connection shows that ssh still gets in.

Connections that are open when ufw is switched on go on in any case (conntrack), so only one that begins later proves
anything. The next call of jtel-chatctl over such a connection confirms (`confirm`, which apply, undo, status and the
looks call first). If none comes, a timer switches ufw off (`end`). A boot ends the trial, too, because the timer does
not survive it.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from ..access import disk
from ..engine import logbook
from ..engine.transaction import Transaction
from ..errors import Failed
from ..net import sockets
from ..programs import process
from ..programs.transient import TOOL
from . import ufw

_UNIT = "jtel-chat-firewall-trial"


def begin(limit: str, transaction: Transaction) -> None:
    """Switches ufw on for `limit` (systemd.time(7)). ssh's rules have to be there."""
    transaction.remember("ufw", "inactive")
    disk.remove(_path())  # of a trial that somebody ended with 'ufw disable'
    # ufw that could not be switched off again keeps both the file and the timer: nobody has shown that ssh gets in.
    trial, timer = shlex.quote(str(_path())), f"{_UNIT}.timer"
    stop = f"test -e {trial} || systemctl stop {timer} || test $? = 5"  # 5: systemd has no such unit (any more)
    transaction.on_rollback("sh", "-c", stop, words=f"systemctl stop {timer}")
    end_command = f"{TOOL} end-trial || ufw disable"  # also when the tool should be gone
    process.run(
        "systemd-run",
        "--quiet",
        "--collect",
        f"--unit={_UNIT}",
        f"--on-active={limit}",
        "--timer-property=AccuracySec=1s",
        "sh",
        "-c",
        end_command,
    )
    off = f"{shlex.join(ufw.command('disable'))} && rm -f {trial}"
    transaction.on_rollback("sh", "-c", off, words="ufw disable")
    _write({"limit": limit, "before": None})
    ufw.run("--force", "enable")
    if not ufw.is_active():
        raise Failed(
            "ufw said that it is enabled, but /etc/ufw/ufw.conf says no. Look at it: ufw status, journalctl -u ufw"
        )
    _write({"limit": limit, "before": _open_connections()})
    transaction.say(
        f"ufw is switched on for {limit}: it stays on when another ssh connection calls jtel-chatctl by then –"
    )
    transaction.say(
        "the next step or preview does, or by hand 'sudo jtel-chatctl status' – and goes off again if none does"
    )


def take_back(transaction: Transaction) -> None:
    """Switches ufw off again."""
    ufw.on_rollback(transaction, "--force", "enable")
    ufw.run("disable")
    transaction.remove(_path())
    transaction.after_commit("systemctl", "stop", f"{_UNIT}.timer")
    transaction.say("switched ufw off, as before")


def confirm() -> None:
    """Ends the trial well if this call came by an ssh connection that began after ufw was switched on."""
    before = (_read() or {}).get("before")
    came_by = logbook.connection().split()[:2]
    if before is None or not came_by or _end_of(came_by[0], came_by[1]) in before or not _win():
        return
    process.attempt("systemctl", "stop", f"{_UNIT}.timer")
    logbook.note("confirm", "firewall", "done", [f"ufw stays on: ssh still gets in, from {came_by[0]}"])


def end(why: str) -> None:
    """Switches ufw off if nobody has confirmed."""
    limit = (_read() or {}).get("limit", "")
    if _win():
        ufw.run("disable")
        logbook.note(
            "trial",
            "firewall",
            "failed",
            [
                f"ufw was switched off again: {why.format(limit=limit)}. Does ssh get in with these rules? ufw show"
                " added"
            ],
        )


def _win() -> bool:
    """Decides between a confirmation and an end that come together: whoever removes the file wins."""
    try:
        disk.unlink(_path())
    except FileNotFoundError:
        return False
    return True


def _open_connections() -> list[str]:
    return [_end_of(str(each.remote), str(each.remote_port)) for each in sockets.established()]


def _end_of(address: str, port: str) -> str:
    return f"{address.partition('%')[0]} {port}"


def _write(trial: dict[str, Any]) -> None:
    disk.write(_path(), json.dumps(trial).encode())


def _read() -> dict[str, Any] | None:
    trial: dict[str, Any] | None = disk.json(_path())
    return trial


def _path() -> Path:
    return disk.STATE / "firewall-trial"
