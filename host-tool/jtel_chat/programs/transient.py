"""Runs commands that outlive their ssh connection: each is a transient systemd unit, which ends done or put back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ..access import disk
from ..drain import draining
from ..engine import logbook
from ..text import printable
from . import process

TOOL = "/usr/local/sbin/jtel-chatctl"
_SAY = 20  # seconds; a connection over which nothing comes may be cut on its way
_LONGEST = "2h"  # an apt-get has half an hour, a start minutes; what hangs beyond that holds the host's lock


def run(arguments: list[str], text: str) -> int:
    """Runs `jtel-chatctl ARGUMENTS` with `text` on its standard input; returns its exit code, prints its output.

    Files instead of pipes: a pipe whose other end is gone would block or kill the run in its middle.
    """
    with disk.scratch("run") as directory:
        given, out, err = (directory / name for name in ("stdin", "stdout", "stderr"))
        for file, data in ((given, text.encode()), (out, b""), (err, b"")):
            disk.write(file, data)
        code = _ended(subprocess.Popen(_command(arguments, given, out, err), env=process.ENVIRONMENT))
        sys.stdout.write(_printed(out))
        sys.stderr.write(_printed(err))
    return code


def _ended(run: subprocess.Popen[bytes]) -> int:
    """Waits for the end of a run, and says from time to time how a drain goes, also one of another run."""
    while True:
        try:
            return run.wait(_SAY)
        except subprocess.TimeoutExpired:
            if said := draining.progress():
                print(f"{os.uname().nodename}: {said}", file=sys.stderr, flush=True)


def _printed(path: Path) -> str:
    """Reads what a run has printed, clean; of too much the first and the last part."""
    half = printable.LIMIT // 2
    with disk.opened(path, 1 << 62) as file:
        cut = os.fstat(file).st_size - 2 * half
        text = os.pread(file, half, 0) + (f"\n… {cut} bytes were cut here …\n".encode() if cut > 0 else b"")
        text += os.pread(file, half, max(cut, 0) + half)
    return printable.block(text.decode("utf-8", "replace"), 2 * printable.LIMIT)


def _command(arguments: list[str], given: Path, out: Path, err: Path) -> list[str]:
    environment = {"JTEL_CHAT_BY": logbook.caller()["by"], "JTEL_CHAT_CONNECTION": logbook.connection()}
    properties = {
        "StandardInput": f"file:{given}",
        "StandardOutput": f"append:{out}",
        "StandardError": f"append:{err}",
        "RuntimeMaxSec": _LONGEST,
        "ExecStopPost": f"{TOOL} recover",  # killed: what it had begun is put back now, not at the next run
    }
    return [
        "systemd-run",
        *("--quiet", "--collect", "--wait", f"--unit=jtel-chat-{arguments[:2][-1]}-{os.getpid()}"),
        *(f"--property={name}={value}" for name, value in properties.items()),
        *(f"--setenv={name}={value}" for name, value in environment.items()),
        *(TOOL, *arguments),
    ]
