"""jtel-chatctl – the host tool of the CHAT role.

jtel-chatctl observe                      requests on standard input (JSON), answer on standard output
jtel-chatctl apply STEP GENERATION REASON document on standard input
jtel-chatctl undo STEP
jtel-chatctl attest UNIT                  note what a starting service loads (called by its drop-in)
"""

from __future__ import annotations

import json
import os
import sys

from . import steps
from .errors import Failed, Refused

#: The marker line before the answer: a login shell's own output must not be taken for it.
ANSWER = "\x1ejtel-chatctl "


def main(arguments: list[str]) -> int:
    """Exit codes: 0 done, 1 failed and put back, 2 wrong call, 3 refused before any change."""
    os.umask(0o022)
    try:
        return _dispatch(arguments)
    except Refused as refusal:
        return _report(str(refusal), 3)
    except Failed as failure:
        return _report(f"{failure}\nWhat this run had changed was put back.", 1)


def _dispatch(arguments: list[str]) -> int:
    command, values = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command == "observe" and not values:
        request = json.loads(sys.stdin.readline())
        answer = {step: steps.observe(step, text) for step, text in request["steps"].items()}
        print(ANSWER + json.dumps({"steps": answer}))
    elif command == "apply" and len(values) == 3 and values[1].isdecimal():
        print(*steps.apply(values[0], int(values[1]), values[2], sys.stdin.read()), sep="\n")
    elif command == "undo" and len(values) == 1:
        print(f"{values[0]}: undo is not available in this version; nothing was changed")
    elif command == "attest" and len(values) == 1:
        _attest(values[0])
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


def _attest(unit: str) -> None:
    """Never fails: a start must not hang on our book-keeping; a missing attestation only owes a restart."""
    from . import service

    try:
        service.attest(unit)
    except Exception as error:  # noqa: BLE001
        print(f"jtel-chatctl attest: {error}", file=sys.stderr)


def _report(text: str, code: int) -> int:
    print(f"{os.uname().nodename}: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
