"""jtel-chatctl – the host tool of the CHAT role.

jtel-chatctl status [--json]              the steps that this host has, and whether they are as applied
jtel-chatctl check                        exit code 1 when a step is not as applied
jtel-chatctl diff [STEP]                  what was changed on the host since, as a unified diff
jtel-chatctl log [--json]                 what was done here, by whom, from where
jtel-chatctl update                       install the share's release here and restart on it (updatesc.sh)
jtel-chatctl undo STEP                    take a step back (what `pulumi destroy` does)
jtel-chatctl adopt PROJECT/STACK          give this host to another stack, or to the same one with a new state
jtel-chatctl drain end                    end the wait for sessions: HAProxy sends new chats here again
jtel-chatctl release-lock                 end a run that hangs; what it had begun is put back
jtel-chatctl observe                      how what was applied is now: names of steps on standard input (JSON)
jtel-chatctl look                         the same, and what an apply would meet: documents on standard input (JSON)
jtel-chatctl survey                       what this host is, and what differs from the vendor's procedure (JSON)
jtel-chatctl apply STEP GENERATION REASON the document on standard input
jtel-chatctl recover [--at-boot]          put back what an interrupted run left
jtel-chatctl end-trial                    switch ufw off if nobody has confirmed that ssh gets in (called by its timer)
jtel-chatctl drain answer                 answer HAProxy (called by a unit of its own)
jtel-chatctl attest UNIT                  note what a service is about to load (called by a unit of its own)
jtel-chatctl mounted SHARE                exit code 1 when a share is not mounted (called before the service's start)
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path

from .engine import looking
from .errors import Ended, Failed, Incomplete, Refused, Stuck, Undrained
from .programs import bounded
from .text import printable


def main(arguments: list[str]) -> int:
    """Runs the command line and returns its exit code.

    0: done. 1: failed, and put back (of `check`: something has drifted). 2: wrong call. 3: refused before any change.
    4: refused, since a drain has ended with sessions left.
    """
    os.umask(0o022)
    os.environ["PATH"] = bounded.PATH
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]  # whatever the host's locale is
    try:
        return _dispatch(arguments)
    except looking.WrongCall as error:
        return _report(str(error), 2)
    except Refused as refusal:
        return _report(str(refusal), 4 if isinstance(refusal, Undrained) else 3)
    except (OSError, Failed) as failure:  # a full disk, a stale mount: the transaction has rolled back, too
        return _report("\n".join([str(failure), *_outcome(failure)]), 1)


def _outcome(failure: Exception) -> list[str]:
    """Says what is true on the host after a run that went wrong."""
    if isinstance(failure, Incomplete):
        return []
    if isinstance(failure, Stuck):
        return [*_drive(failure), "Not everything that this run had changed is put back: see above."]
    repeat = [] if isinstance(failure, Failed) else ["Repair that, then repeat."]
    return [*_drive(failure), " ".join(["What this run had changed was put back.", *repeat])]


def _drive(failure: Exception) -> list[str]:
    """Names the file system that is full, and how many bytes it has left; nothing where another error ended the run."""
    error = failure if isinstance(failure, OSError) else failure.__cause__  # what a rollback has more to say of
    if not isinstance(error, OSError) or error.errno != errno.ENOSPC or not error.filename:
        return []
    from .access import disk, mounts

    folder = Path(error.filename).parent
    return [f"The file system of {folder} ({mounts.of(folder)}) has {disk.free(folder)} bytes free."]


def _dispatch(arguments: list[str]) -> int:
    command, values = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command in ("observe", "look", "survey"):
        return looking.run(command, values)
    if command in ("apply", "undo", "status"):
        from .engine import logbook

        logbook.confirm_firewall()
    if command in ("attest", "mounted") and len(values) == 1:
        return {"attest": _attest, "mounted": _mounted}[command](values[0])
    if arguments in (["recover"], ["recover", "--at-boot"], ["end-trial"], ["drain", "end"], ["drain", "answer"]):
        return _drain(values[0]) if command == "drain" else _put_back(arguments)
    if (
        (command == "update" and not values)
        or (command == "apply" and len(values) == 3 and values[1].isdecimal())
        or (command in ("undo", "adopt") and len(values) == 1)
    ):
        return _changing(arguments, sys.stdin.buffer.read().decode() if command == "apply" else "")
    if command in ("status", "check", "diff", "log", "release-lock"):
        from .cli import report

        return report.run(command, values)
    print(__doc__, file=sys.stderr)
    return 2


def _changing(arguments: list[str], text: str) -> int:
    """Runs apply, undo or update in a transient unit of its own, and adopt, which writes one file, at once.

    The step `tool` runs at once, too: the unit would start the installed tool, which is not there yet.
    """
    from .engine import steps
    from .net import origin
    from .programs import transient

    if os.geteuid() != 0:
        raise Refused(f"only root can {arguments[0]}. Use sudo")
    outside = not origin.inside_run()
    if outside and arguments[1:2] != ["tool"] and arguments[0] != "adopt":
        code = transient.run(arguments, text)
    else:
        signal.signal(signal.SIGTERM, _ended)
        code = _print(_changed(arguments, text))
    if outside and arguments[0] == "undo":
        steps.forget_runs()
    return code


def _changed(arguments: list[str], text: str) -> list[str]:
    """Makes the change; returns what was done."""
    from .engine import steps

    if arguments[0] == "undo":
        return steps.undo(arguments[1])
    if arguments[0] == "adopt":
        from .cli import adopt

        return adopt.run(arguments[1])
    if arguments[0] == "update":
        from .cli import update

        return update.run()
    return steps.apply(arguments[1], int(arguments[2]), arguments[3], text)


def _drain(verb: str) -> int:
    if verb == "answer":
        from .drain import agent

        agent.run()
    from .drain import draining, state

    if os.geteuid() != 0:
        raise Refused("only root can end a drain. Use sudo")
    found = state.current()
    draining.end()
    return _print(["the drain is ended" if found else "no drain goes on"])


def _put_back(arguments: list[str]) -> int:
    """Puts back what interrupted runs left, and ends the trial of ufw; a boot ends it, too: its timer is gone."""
    from .drain import draining
    from .engine import steps
    from .firewall import trial

    signal.signal(signal.SIGTERM, _ended)  # systemd's, where a boot has waited long enough
    try:
        if arguments[0] == "recover":
            if os.environ.get("SERVICE_RESULT", "success") != "success":
                draining.end()  # of a run that was killed
            _print(steps.recover_all(booting="--at-boot" in arguments))
    finally:  # whatever could not be put back: with ufw on, nobody might get in to repair it
        if arguments != ["recover"]:
            trial.end(
                "the host was started anew"
                if arguments[0] == "recover"
                else "no second ssh connection came within {limit}"
            )
    return 0


def _ended(*_: object) -> None:
    """Ends this run by an error, so that it rolls back: systemd would call a run that SIGTERM has killed a success."""
    raise Ended("the run was ended before it was done")


def _attest(unit: str) -> int:
    """Notes what a service is about to load, and never fails.

    Without the note the service owes a restart, and that is all: its start must not depend on this tool.
    """
    from .kinds import service

    try:
        service.attest(unit)
    except Exception as error:  # noqa: BLE001
        print(f"jtel-chatctl attest: {error}", file=sys.stderr)
    return 0


def _mounted(share: str) -> int:
    """Lets a start of the service fail while its share is not mounted; systemd repeats the start."""
    from .access import mounts

    if mounts.is_mounted(share):
        return 0
    return _report(f"the share is not mounted at {share}. The service starts when it is", 1)


def _print(lines: list[str]) -> int:
    print(printable.block("\n".join(lines)), end="\n" if lines else "")
    return 0


def _report(text: str, code: int) -> int:
    print(printable.block(f"{os.uname().nodename}: {text}"), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
