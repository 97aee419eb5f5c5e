"""Keeps the agent that HAProxy asks whether this chat server drains, and ends what a drain has begun.

A section is `# drain: UNIT` with `port` (of the agent), `sessions` (the port whose sessions are waited for), `deadline`
and `idle` (seconds: how long is waited, and after how much silence a session does not count), `at-deadline` (`stop`:
nothing is changed with sessions left, or `cut`), `settle` (seconds in which HAProxy's checks find a restarted server
up), `restart` (`hold`: it is not restarted while it is healthy, so nothing is drained), `load-balancers` and
`chat-servers` (blocks: `ADDRESS NAME`; chat servers drain one after the other).
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from ..access import summary, writable
from ..documents import declaration
from ..documents.declaration import HOST, NUMBER, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..drain import draining, state
from ..engine.transaction import Transaction
from ..errors import Failed
from ..programs import itself, process
from ..systemd import unit_state
from .tool import AGENT

DECLARATION = Declaration(
    names=re.escape(declaration.UNIT),
    fields={
        "port": Field("[0-9]{1,5}", required=True),
        "sessions": Field("[0-9]{1,5}", required=True),
        "deadline": Field(NUMBER, required=True),
        "idle": Field(NUMBER, required=True),
        "at-deadline": Field("stop|cut", required=True),
        "settle": Field("[0-9]{1,3}", required=True),
        "restart": Field("hold"),
        "load-balancers": Field(rf"(?:{HOST}) \S+", "lines"),
        "chat-servers": Field(rf"(?:{HOST}) \S+", "lines"),
    },
)

_SYSTEM = Path("/etc/systemd/system")
SOCKET, SERVICE = "jtel-chat-drain.socket", AGENT


def observe(section: Section) -> Observed:
    paths = [_SYSTEM / SOCKET, _SYSTEM / SERVICE]
    seen = Observed(
        state={
            **{f"content:{path}": summary.digest(path) for path in paths},
            f"active:{SOCKET}": _property("ActiveState"),
            f"enabled:{SOCKET}": _property("UnitFileState"),
        },
        text={str(path): partial(summary.text, path) for path in paths},
    )
    _look_around(section, seen)
    return seen


def due(section: Section) -> dict[str, str]:
    return summary.due(_texts(section))


def apply(section: Section, transaction: Transaction) -> None:
    on = _property("ActiveState") == "active"
    if on:  # put back last, since it listens where the old files say
        transaction.on_rollback("systemctl", "start", SOCKET)
    transaction.on_rollback("systemctl", "daemon-reload")
    if all([not transaction.write(path, text, 0o644) for path, text in _texts(section).items()]) and on:
        _enable(transaction)
        return
    for unit in (SERVICE, SOCKET):
        transaction.on_rollback("systemctl", "stop", unit)
    process.run("systemctl", "daemon-reload")
    process.attempt("systemctl", "stop", SOCKET, SERVICE)
    if in_the_way := _port_problems(section):
        raise Failed("; ".join(in_the_way))
    _enable(transaction)
    process.run("systemctl", "start", SOCKET)
    transaction.say(f"HAProxy can ask on port {section.text('port')} whether this server drains")


def undo(section: Section, transaction: Transaction) -> None:
    """Says `ready` to all that have heard `drain`, then ends the agent; its units go with the step's files."""
    draining.end()
    process.attempt("systemctl", "disable", SOCKET)
    process.attempt("systemctl", "stop", SOCKET, SERVICE)
    process.attempt("systemctl", "clean", "--what=state", "--what=runtime", SERVICE)
    transaction.after_commit("systemctl", "daemon-reload")


def _texts(section: Section) -> dict[Path, bytes]:
    """Writes the agent's two units, each for its place."""
    service, listening = (itself.brought(f"{_SYSTEM}/{unit}"[1:]) for unit in (SERVICE, SOCKET))
    texts = {SERVICE: service, SOCKET: listening.replace("PORT", section.text("port"))}
    return {_SYSTEM / unit: text.encode() for unit, text in texts.items()}


def _enable(transaction: Transaction) -> None:
    if _property("UnitFileState") != "enabled":
        transaction.on_rollback("systemctl", "disable", SOCKET)
        process.run("systemctl", "enable", SOCKET)


def _property(name: str) -> str:
    return process.run("systemctl", "show", "--value", f"--property={name}", SOCKET).strip()


def _look_around(section: Section, seen: Observed) -> None:
    """Notes what a restart would wait for now, and what keeps this server from draining."""
    seen.problems += [*_port_problems(section), *writable.problems_of(_texts(section))]
    found = draining.of(section)
    if going := state.current():
        seen.warnings.append(f"{section.name} is {state.words(going)}")
        seen.facts[f"draining:{section.name}"] = state.words(going)
        return
    if unit_state.properties(section.name)["ActiveState"] != "active" or found.holds:
        return
    situation = draining.situation(found)
    seen.facts[f"drain:{section.name}"] = draining.forecast(found, situation)


def _port_problems(section: Section) -> list[str]:
    """Says that another program listens where the agent will."""
    from ..net import listeners

    if _property("ActiveState") == "active" and f":{section.text('port')} (" in _property("Listen"):
        return []  # the socket of ours does
    found = [
        f"port {section.text('port')} of the drain's agent is held by"
        f" {listeners.holder(each) or 'something that is not to be seen'}. Free it, or set another"
        " clientMessenger.drain.port"
        for each in listeners.listening({int(section.text("port"))})
    ]
    return list(dict.fromkeys(found))
