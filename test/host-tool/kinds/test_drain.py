from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from jtel_chat.access import disk
from jtel_chat.documents.document import Section
from jtel_chat.drain import draining, state
from jtel_chat.drain.draining import Situation
from jtel_chat.drain.state import Drain
from jtel_chat.engine import steps
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Failed, Refused
from jtel_chat.kinds import drain
from jtel_chat.net import listeners
from jtel_chat.programs import process, transient
from jtel_chat.systemd import unit_state

UNIT = "jtel-clientmessenger.service"
FIELDS = {
    **{
        "port": "3002",
        "sessions": "3000",
        "deadline": "600",
        "idle": "300",
        "at-deadline": "stop",
        "settle": "4",
    },
    "load-balancers": "10.1.0.11 lb1\n",
    "chat-servers": "10.1.0.21 chatserver1\n10.1.0.22 chatserver2\n",
}
SECTION = Section("drain", UNIT, FIELDS)


class Systemd:
    """The socket's unit as systemd would tell about it, and what was asked of it."""

    def __init__(self) -> None:
        self.properties = {"ActiveState": "inactive", "UnitFileState": "disabled", "Listen": ""}
        self.calls: list[str] = []

    def __call__(self, *argv: str, **_: object) -> str:
        if argv[1] == "show":
            return self.properties[argv[3].partition("=")[2]] + "\n"
        self.calls.append(" ".join(argv[1:]))
        if argv[1:3] == ("start", drain.SOCKET):
            self.properties |= {"ActiveState": "active", "Listen": "[::]:3002 (Stream)"}
        if argv[1] in ("enable", "disable"):
            self.properties["UnitFileState"] = f"{argv[1]}d"
        return ""

    def attempt(self, *argv: str, **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(argv, 0, self(*argv), "")


@pytest.fixture
def systemd(state: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    machine = Systemd()
    (state / "system").mkdir()
    monkeypatch.setattr(drain, "_SYSTEM", state / "system")
    monkeypatch.setattr(drain.itself, "brought", lambda path: f"ListenStream=PORT # {path[-7:]}\n")
    monkeypatch.setattr(unit_state, "properties", lambda _: {"ActiveState": "active"})
    monkeypatch.setattr(process, "run", machine)
    monkeypatch.setattr(process, "attempt", machine.attempt)
    monkeypatch.setattr(draining, "situation", lambda _: Situation(["chatserver2"], {"10.1.0.11"}, {"10.1.0.11": 41}))
    monkeypatch.setattr(listeners, "listening", lambda _: [])
    return machine


def applied(section: Section) -> list[str]:
    with Transaction("drain") as transaction:
        drain.apply(section, transaction)
    return transaction.said


def test_the_agent_listens_on_its_port_and_a_second_apply_changes_nothing(systemd: Systemd, state: Path) -> None:
    assert set(drain.due(SECTION).values()) == {"written"}
    assert applied(SECTION) == ["HAProxy can ask on port 3002 whether this server drains"]
    assert drain.due(SECTION) == {}
    assert "ListenStream=3002" in (state / "system" / drain.SOCKET).read_text()
    seen, before = drain.observe(SECTION).state, list(systemd.calls)
    assert before[-1] == f"start {drain.SOCKET}"
    assert applied(SECTION) == []
    assert systemd.calls == before
    assert drain.observe(SECTION).state == seen


def test_another_port_is_taken_at_once(systemd: Systemd, state: Path) -> None:
    applied(SECTION)
    systemd.calls.clear()
    systemd.properties["Listen"] = ""
    applied(SECTION._replace(fields={**FIELDS, "port": "3009"}))
    assert systemd.calls == ["daemon-reload", f"stop {drain.SOCKET} {drain.SERVICE}", f"start {drain.SOCKET}"]


def test_a_port_that_cannot_be_taken_leaves_the_agent_on_the_one_before(
    systemd: Systemd, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(SECTION)
    systemd.calls.clear()
    monkeypatch.setattr(drain, "_port_problems", lambda _: ["port 3009 is held by nginx"])
    with pytest.raises(Failed, match="3009"):
        applied(SECTION._replace(fields={**FIELDS, "port": "3009"}))
    assert systemd.calls[-4:] == [
        f"stop {drain.SOCKET}",
        f"stop {drain.SERVICE}",
        "daemon-reload",
        f"start {drain.SOCKET}",
    ]
    assert "ListenStream=3002" in (state / "system" / drain.SOCKET).read_text()


def test_an_agent_that_somebody_has_stopped_is_drift(systemd: Systemd) -> None:
    applied(SECTION)
    seen = drain.observe(SECTION).state
    systemd.properties["ActiveState"] = "inactive"
    assert drain.observe(SECTION).state != seen


def test_a_port_that_another_program_holds_is_named_before_anything_is_written(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "listening", lambda _: [object()])
    monkeypatch.setattr(listeners, "holder", lambda _: "nginx (process 7 of nginx.service)")
    assert drain.observe(SECTION).problems == [
        "port 3002 of the drain's agent is held by nginx (process 7 of nginx.service). Free it, or set another"
        " clientMessenger.drain.port"
    ]


def test_a_unit_that_cannot_be_written_is_named_while_it_is_due(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "is_read_only", lambda path: path.name == drain.SOCKET)
    [problem] = drain.observe(SECTION).problems
    assert f"{drain.SOCKET} is on a file system that is mounted read-only" in problem
    applied(SECTION)
    assert drain.observe(SECTION).problems == []


def test_an_undo_says_ready_first_and_leaves_nothing(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    applied(SECTION)
    systemd.calls.clear()
    monkeypatch.setattr(draining, "end", lambda: systemd.calls.append("ready"))
    with Transaction("drain", keep=False) as transaction:
        drain.undo(SECTION, transaction)
    assert systemd.calls[0] == "ready"
    assert systemd.calls[-2:] == [f"clean --what=state --what=runtime {drain.SERVICE}", "daemon-reload"]


def test_a_look_says_what_a_restart_would_wait_for_and_how_long_a_drain_goes_on(systemd: Systemd) -> None:
    assert (
        drain.observe(SECTION)
        .facts[f"drain:{UNIT}"]
        .startswith("41 sessions are open; a restart waits for them 10 min at most")
    )
    disk.RUN.mkdir()
    state.write(Drain(state.now() + 300, state.now() + 900, left=7))
    seen = drain.observe(SECTION)
    assert seen.facts[f"draining:{UNIT}"].endswith("7 sessions left, 5 min")
    assert seen.warnings[0].startswith(f"{UNIT} is draining until ")


@pytest.mark.parametrize(("field", "value"), [("port", "3002x"), ("at-deadline", "wait"), ("load-balancers", "lb1\n")])
def test_a_field_of_another_form_is_refused(field: str, value: str) -> None:
    lines = "\n".join(f"{key}: {text}" for key, text in {**FIELDS, field: value}.items() if "\n" not in text)
    block = {**FIELDS, field: value}["load-balancers"]
    with pytest.raises(Refused, match=f"'{field}' has a value that is none"):
        steps.observe_all(steps.kind.parsed(f"# drain: {UNIT}\n{lines}\nload-balancers:\n\t{block}"))


def test_who_waits_for_a_run_is_told_how_its_drain_goes(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = iter([None, None, 0])

    def wait(seconds: float) -> int:
        if (code := next(codes)) is None:
            raise subprocess.TimeoutExpired("x", seconds)
        return code

    said = iter(["draining until 14:32 UTC: 41 sessions left, 6 min", ""])
    monkeypatch.setattr(draining, "progress", lambda: next(said))
    monkeypatch.setattr(transient.subprocess, "Popen", lambda *_, **__: SimpleNamespace(wait=wait))
    assert transient.run(["apply", "x", "1", "y"], "") == 0
    assert capsys.readouterr().err.endswith(": draining until 14:32 UTC: 41 sessions left, 6 min\n")
