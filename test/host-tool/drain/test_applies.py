"""When an apply drains, and when it ends the drain."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from jtel_chat import __main__
from jtel_chat.access import disk
from jtel_chat.cli import update
from jtel_chat.documents import kind
from jtel_chat.documents.document import Section
from jtel_chat.drain import draining
from jtel_chat.drain import state as noted
from jtel_chat.drain.state import Drain
from jtel_chat.engine import lock, looking, record, restarts, steps
from jtel_chat.engine.releases import Release
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Failed, Undrained
from jtel_chat.kinds import service


@pytest.fixture
def asked(state: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the drain, in its order."""
    found: list[str] = []
    monkeypatch.setattr(draining, "drain", lambda: found.append("drain"))
    monkeypatch.setattr(draining, "end", lambda: found.append("end"))
    monkeypatch.setattr(draining, "end_after_restart", lambda: found.append("end after restart"))
    return found


def document(path: Path, content: str) -> str:
    return f"# files: {path}\ncontent:\n\t{content}\nloaded-by: jtel-clientmessenger.service\n"


def test_a_step_drains_before_its_first_change_once_and_a_second_apply_does_not(asked: list[str], state: Path) -> None:
    text = document(state / "file", "one")
    steps.apply("x", 1, "trial", text)
    assert asked == ["drain"]
    steps.apply("x", 1, "trial", text)
    assert asked == ["drain"]


def test_a_step_that_is_not_drained_changes_nothing_and_lets_chats_in_again(
    asked: list[str], state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused() -> None:
        raise Undrained("not drained: 41 sessions are left")

    monkeypatch.setattr(draining, "drain", refused)
    with pytest.raises(Undrained):
        steps.apply("x", 1, "trial", document(state / "file", "one"))
    assert not (state / "file").exists()
    assert record.read("x") is None
    assert asked == ["end"]
    monkeypatch.setattr(__main__, "_dispatch", lambda _: refused())
    assert __main__.main(["apply"]) == 4
    assert "41 sessions are left" in capsys.readouterr().err


def service_that(monkeypatch: pytest.MonkeyPatch, runs: str, restarted: list[str]) -> Section:
    """A service whose process runs that, and is current once it was restarted."""

    def owed(_: Section) -> str | None:
        return None if restarted or runs == service.CURRENT else runs

    monkeypatch.setattr(service, "_property", lambda _, name: "enabled" if name == "UnitFileState" else "active")
    monkeypatch.setattr(service, "owes_restart", owed)
    monkeypatch.setattr(service, "_note_loads", lambda _: None)
    monkeypatch.setattr(service, "_await_health", lambda _: None)
    monkeypatch.setattr(service, "_restart", lambda *_: restarted.append("restart"))
    return Section("service", "x.service", {"healthy": "ws://127.0.0.1:3000/", "within": "9"})


@pytest.mark.parametrize(("runs", "wanted"), [(service.RELOAD, ["drain", "restart"]), (service.CURRENT, [])])
def test_a_restart_that_nothing_else_has_drained_for_drains(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, runs: str, wanted: list[str]
) -> None:
    section = service_that(monkeypatch, runs, asked)
    with Transaction("messenger-running") as transaction:
        service.apply(section, transaction)
    assert asked == wanted


def test_the_drain_ends_once_the_service_is_proven(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    section = service_that(monkeypatch, service.RELOAD, asked)
    monkeypatch.setattr(steps.kind, "parsed", lambda _: [section])
    monkeypatch.setattr(steps, "observe_all", lambda _: kind.Observed())
    steps.apply("messenger-running", 1, "trial", "x")
    assert asked == ["drain", "restart", "end after restart"]


def test_updatesc_drains_before_it_installs(asked: list[str], state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update.steps, "note_again", lambda *_: None)
    section = Section("files", str(state / "file"), {"content": "one\n", "loaded-by": "jtel-clientmessenger.service"})
    update._apply("x", [section], proven_already=True)
    assert asked == ["drain"]
    assert (state / "file").read_text() == "one\n"


def test_updatesc_ends_the_drain_when_the_server_is_healthy(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    sections = {
        "release": Section("release", "/x", {"release": "hold"}),
        "service": Section("service", "x.service", {}),
    }
    monkeypatch.setattr(update, "_section", lambda _, name: sections[name])
    monkeypatch.setattr(update.release, "installed", lambda _: Release())
    monkeypatch.setattr(update, "_apply", lambda step, *_, **__: [step])
    assert update._update("release", "service") == ["release", "service"]
    assert asked == ["end after restart"]


def test_a_failed_step_ends_the_drain_that_an_earlier_one_has_begun(
    asked: list[str], state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise Failed("the database refuses the login")

    monkeypatch.setattr(kind.of(Section("files", "x", {})), "apply", fails)
    with pytest.raises(Failed):
        steps.apply("x", 1, "trial", document(state / "file", "one"))
    assert asked == ["end"]


def test_who_waits_for_the_lock_of_a_run_that_drains_waits_until_that_has_ended(state: Path) -> None:
    waited: list[str] = []

    def wait() -> None:
        with lock.held("apply y", wait=0.1) as holder:
            waited.append(holder)

    with lock.held("apply x"):
        noted.write(Drain(noted.now() + 60, noted.now() + 60))
        other = threading.Thread(target=wait)
        other.start()
        time.sleep(0.5)
    other.join(5)
    assert waited[0].startswith("apply x")
    assert disk.RUN.exists()


def test_a_drain_is_what_looks_and_runs_have_noted_of_load_balancers(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking._judged({"steps": {}, "run": "", "balancers": {"10.1.0.11": "spared", "10.1.0.12": "alone"}})
    assert (noted.balancers(noted.SPARED), noted.balancers(noted.ALONE)) == (("10.1.0.11",), ("10.1.0.12",))
    looking._judged({"steps": {}})
    assert noted.balancers(noted.SPARED) == ("10.1.0.11",), "a preview notes nothing"
    with monkeypatch.context() as later:
        later.setattr(noted, "now", lambda: 1e12)
        assert noted.balancers(noted.SPARED) == (), "what somebody did hours ago is not known any more"
    looking._judged({"steps": {}, "run": ""})
    assert noted.balancers(noted.SPARED) == ()


@pytest.mark.parametrize("due", [{}, {"restarts:x.service": "messenger changes"}])
def test_a_look_says_what_a_restart_would_wait_for_and_of_a_secret_where_only_the_engine_knows(
    state: Path, monkeypatch: pytest.MonkeyPatch, due: dict[str, str]
) -> None:
    facts = {"drain": {"drain:x.service": "41 sessions are open"}}
    answers = {
        name: {"problems": [], "warnings": [], "diff": "", "facts": facts.get(name, {})}
        for name in ("drain", "messenger-secret", "messenger-running")
    }
    monkeypatch.setattr(steps, "observe", lambda step, _: answers[step])
    monkeypatch.setattr(looking, "_sudo_problem", lambda: None)
    monkeypatch.setattr(restarts, "due", lambda _: due)
    seen = looking._judged({"steps": dict.fromkeys(answers), "secret": ["messenger-secret"]})
    assert seen["drain"]["warnings"] == (["a restart is due: 41 sessions are open"] if due else [])
    assert seen["messenger-secret"]["facts"] == ({} if due else facts["drain"])
