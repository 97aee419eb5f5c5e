"""Answers the two looks: `observe` takes names of steps, `look` takes documents and judges them, too.

Customers' sudoers grant `observe` to accounts that may do nothing else, so nothing of its request is parsed, run or
quoted. `look` is for the account that also applies: its documents do as much as an apply.

Requests are one line of JSON: `{"steps": {"java": null}}` for observe, `{"steps": {"java": "# packages: …"}, "run":
"commit 1a2b", "closed": ""}` for look, where null is a document that is not known beforehand, and `"secret":
["messenger-secret"]` names those that are secret. The look of an `up` has `run` (logbook.py) and `closed`
(restarts.py).
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ..text import printable

#: The marker line before the answer: a login shell's own output must not be taken for it.
ANSWER = "\x1ejtel-chatctl "
_REQUEST = {"observe": 64 << 10, "look": 8 << 20}  # bytes
_DIFF = 256 << 10  # characters of one step
_SAID = 200  # problems, and warnings, of one step


class WrongCall(Exception):
    """Arguments or a request that this command does not take."""


def run(command: str, values: list[str]) -> int:
    """Answers `observe`, `look` or `survey`; returns the exit code. Raises WrongCall before anything was looked at."""
    if values:
        raise WrongCall(f"'{command}' takes no arguments: its request comes on standard input")
    if command == "survey":
        from ..survey import answer as survey

        return survey.run()
    # Before the request, which comes when a program has registered its steps: its login goes on meanwhile.
    from ..programs import itself
    from . import logbook, record, steps  # noqa: F401 – what the answer needs most of

    request = _request(command)
    logbook.confirm_firewall()
    answer = {
        "tool": itself.digest(),
        "boot": record.boot(),
        "steps": _observed(request) if command == "observe" else _judged(request),
    }
    print(ANSWER + json.dumps(answer))
    return 0


def _request(command: str) -> dict[str, Any]:
    limit = _REQUEST[command]
    text = sys.stdin.buffer.readline(limit + 1)
    if len(text) > limit:
        raise WrongCall(f"the request of '{command}' is longer than {limit} bytes")
    try:
        request = json.loads(text.decode().strip() or "{}")
    except (ValueError, RecursionError):
        raise WrongCall(
            f'the request of \'{command}\' is not one line of JSON, as {{"steps": {{"java": null}}}}'
        ) from None
    return parsed(command, request)


def parsed(command: str, request: object) -> dict[str, Any]:
    """Checks the form of a request: `steps` is there, its keys are names, and those of `observe` have no values."""
    if not isinstance(request, dict) or not isinstance(request.get("steps", {}), dict):
        raise WrongCall(f'the request of \'{command}\' is not of the form {{"steps": {{"java": null}}}}')
    from . import steps

    asked: dict[str, Any] = request.get("steps", {})
    if unnamed := [step for step in asked if not steps.is_name(step)]:
        raise WrongCall(f"'{printable.line(unnamed[0], 80)}' is no name for a step")
    if command == "observe" and (request.keys() - {"steps"} or any(text is not None for text in asked.values())):
        raise WrongCall(
            '\'observe\' takes names of steps only, no documents: {"steps": {"java": null}}. A newer checkout of the'
            " stack asks so; update it"
        )
    secret = request.get("secret", [])
    if (
        not all(text is None or isinstance(text, str) for text in asked.values())
        or not isinstance(secret, list)
        or any(each not in asked for each in map(str, secret))
    ):
        raise WrongCall("a document is a text, or null where it is not known; 'secret' lists names of 'steps'")
    return {**request, "steps": asked}


def _observed(request: dict[str, Any]) -> dict[str, Any]:
    from . import observing, record, steps

    with observing.looking():
        return {step: _cut(steps.observe_applied(step)) for step in request["steps"] or record.names()}


def _judged(request: dict[str, Any]) -> dict[str, Any]:
    """Looks at the steps of a `look`. A secret document is known by name only; whether it may travel is judged here."""
    from ..drain import state
    from . import logbook, observing, restarts, steps

    if "run" in request:
        logbook.announce(str(request["run"]))
        state.note_balancers({str(address): str(how) for address, how in request.get("balancers", {}).items()})
    if "closed" in request:
        restarts.note(str(request["closed"]))
    with observing.looking():
        answer = {step: _cut(steps.observe(step, text)) for step, text in request["steps"].items()}
        due = restarts.due(request["steps"]) if _is_whole(answer) else {}
    if due:
        answer[restarts.STEP]["facts"] |= due
    secret = answer.keys() & set(request.get("secret", []))
    drains = {key: said for each in answer.values() for key, said in each["facts"].items() if key.startswith("drain:")}
    for step, each in answer.items():
        if due:
            each["warnings"] += [f"a restart is due: {drains[key]}" for key in drains.keys() & each["facts"].keys()]
        elif step in secret:  # the engine alone knows whether it changes
            each["facts"] |= drains
    problem = _sudo_problem() if secret else None
    for step in secret if problem else ():
        answer[step]["problems"].append(problem)
    return answer


def _is_whole(answer: dict[str, Any]) -> bool:
    """Tells whether an apply may follow, up to the step that restarts chat."""
    from . import restarts

    return restarts.STEP in answer and not any(each["problems"] for each in answer.values())


def _sudo_problem() -> str | None:
    from ..programs import sudo_log

    return sudo_log.problem()


def _cut(answer: dict[str, Any]) -> dict[str, Any]:
    """Shortens an answer to what a controller reads."""
    for said in ("problems", "warnings"):
        answer[said] = [printable.block(text) for text in answer[said][:_SAID]]
    answer["diff"] = printable.block(answer["diff"], _DIFF)
    return answer
