from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.documents.document import Section
from jtel_chat.drain import draining, sessions, state
from jtel_chat.drain.draining import Settings, Situation
from jtel_chat.drain.state import Drain
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Undrained
from jtel_chat.net import addresses, tcp

LB = "10.1.0.11"
SERVERS = ["10.1.0.21 chatserver1", "10.1.0.22 chatserver2"]
STOPS = Settings(
    "x.service", 3000, 600, 300, 4, stops=True, holds=False, load_balancers={LB: "lb1"}, chat_servers=SERVERS
)
CUTS = STOPS._replace(stops=False)
USUAL = Situation(others=["chatserver2"], asking={LB}, sessions={LB: 41})


@pytest.mark.parametrize(
    ("seen", "why", "can"),
    [
        (USUAL, "", True),
        (USUAL._replace(sessions={}), "", True),
        (USUAL._replace(asking=set(), sessions={}), "", False),
        (USUAL._replace(others=[]), "no other chat server runs", False),
        (USUAL._replace(others=[], asking=set(), sessions={}), "", False),
        (USUAL._replace(alone=(LB,)), "on lb1 somebody has taken all other", False),
        (USUAL._replace(asking=set()), "lb1 (41 sessions) does not ask", False),
        (USUAL._replace(sessions={LB: 1, "10.1.0.9": 2}), "10.1.0.9 (2 sessions) does not ask", True),
    ],
)
def test_a_server_drains_where_another_one_runs_and_everybody_with_sessions_asks(
    seen: Situation, why: str, can: bool
) -> None:
    said, possible = draining.judged(STOPS, seen)
    assert (why in said, bool(said), possible) == (True, bool(why), can)


def test_a_person_is_told_what_a_restart_would_do() -> None:
    assert draining.forecast(STOPS, USUAL).startswith(
        "41 sessions are open; a restart waits for them 10 min at most, all 2 servers 20 min, and is refused then"
    )
    assert "cuts what is left then" in draining.forecast(CUTS, USUAL)
    alone = USUAL._replace(others=[])
    assert draining.forecast(CUTS, alone) == "41 sessions are open; a restart cuts them at once"
    assert draining.forecast(STOPS, alone).startswith(
        "41 sessions are open; a restart is refused: not drained: no other"
    )


class Server:
    """A chat server with sessions that end as time goes on, a second at each look."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.left, self.settings = 1000.0, [0], STOPS
        self.heard = {LB}
        monkeypatch.setattr(state, "now", lambda: self.now)
        monkeypatch.setattr(state, "asking", lambda: {LB})
        monkeypatch.setattr(state, "heard", lambda: self.heard)
        monkeypatch.setattr(sessions, "active", self._active)
        monkeypatch.setattr(draining, "settings", lambda: self.settings)
        monkeypatch.setattr(draining, "_runs", lambda _: True)
        self.goes = 1e9
        monkeypatch.setattr(addresses, "own", lambda: {"10.1.0.21"})
        monkeypatch.setattr(draining, "_accepting", lambda beside, _: list(beside) if self.now < self.goes else [])
        monkeypatch.setattr(draining.time, "sleep", self._passes)

    def _active(self, *_: object) -> dict[str, int]:
        return {LB: self.left.pop(0) if len(self.left) > 1 else self.left[0]}

    def _passes(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def server(state: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    disk.STATE.mkdir()
    return Server(monkeypatch)


def test_it_waits_until_the_last_session_has_ended_and_what_follows_finds_it_drained(server: Server) -> None:
    server.left = [2, 2, 1, 0]
    draining.drain()
    assert (state.current() or Drain(0, 0)).drained
    assert 1002 < server.now < 1010
    server.left = [7]
    draining.drain()
    assert server.now < 1010, "a server that is drained waits no second time"


def test_with_sessions_left_stop_refuses_and_cut_goes_on_at_the_deadline(server: Server) -> None:
    server.left = [3]
    with pytest.raises(Undrained, match="3 sessions are left on this server after 10 min"):
        draining.drain()
    assert 1600 <= server.now < 1602
    state.remove()
    server.settings = CUTS
    draining.drain()
    assert (state.current() or Drain(0, 0)).drained


def test_a_drain_that_a_lost_run_has_begun_is_joined_with_its_deadline(server: Server) -> None:
    state.write(Drain(deadline=1100, until=2000))
    server.left = [3]
    with pytest.raises(Undrained):
        draining.drain()
    assert 1100 <= server.now < 1102


def test_it_waits_for_the_load_balancer_to_hear(server: Server) -> None:
    server.heard = set()
    with pytest.raises(Undrained):
        draining.drain()
    state.remove()
    state.note_balancers({LB: state.SPARED})
    draining.drain()
    assert (state.current() or Drain(0, 0)).spared == (LB,)


def test_where_the_last_other_server_goes_away_it_waits_no_longer_and_changes_nothing(server: Server) -> None:
    server.left, server.settings, server.goes = [3], CUTS, 1005.0
    with pytest.raises(Undrained, match=r"the last other chat server went away\. Nothing was changed"):
        draining.drain()
    assert server.now == server.goes + 1


def test_a_name_server_that_falls_silent_meanwhile_ends_no_drain(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(addresses, "own", lambda: {"10.1.0.21"})
    monkeypatch.setattr(
        addresses, "resolved", lambda name: asked.append(name) or ({"10.1.0.22"} if len(asked) <= 4 else set())
    )
    monkeypatch.setattr(draining, "_accepting", lambda beside, _: [name for name, theirs in beside.items() if theirs])
    server.left = [3, 2, 1, 0]
    draining.drain()
    assert (state.current() or Drain(0, 0)).drained


def test_another_server_is_one_that_takes_chats_whoever_else_answers_there(monkeypatch: pytest.MonkeyPatch) -> None:
    chat, member = ("10.1.0.22", 3000), ("10.1.0.23", 5701)
    monkeypatch.setattr(addresses, "own", lambda: {"10.1.0.21"})
    monkeypatch.setattr(
        tcp, "probe", lambda places: {each: tcp.ACCEPTS if each in (chat, member) else tcp.REFUSES for each in places}
    )
    assert draining._others(STOPS._replace(chat_servers=[*SERVERS, "10.1.0.23 chatserver3"])) == ["chatserver2"]


def test_a_person_can_end_the_wait(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.left = [3]
    monkeypatch.setattr(draining.time, "sleep", lambda _: state.remove())
    with pytest.raises(Undrained, match="somebody has ended the drain"):
        draining.drain()


def test_where_restarts_are_held_or_nothing_runs_nothing_is_drained(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.left = [3]
    server.settings = STOPS._replace(holds=True)
    draining.drain()
    server.settings = STOPS
    monkeypatch.setattr(draining, "_runs", lambda _: False)
    draining.drain()
    assert state.current() is None


@pytest.mark.parametrize(
    ("section", "drains"),
    [
        (Section("unit", "x.service", {}), True),
        (Section("files", "/etc/x", {"loaded-by": "x.service"}), True),
        (Section("files", "/etc/x", {}), False),
        (Section("packages", "openjdk-17-jdk", {}), False),
    ],
)
def test_only_what_the_process_loads_drains(section: Section, drains: bool) -> None:
    assert bool(draining.before_change(section)) is drains


def test_a_transaction_says_so_before_its_first_change_and_only_where_there_is_one(
    server: Server, tmp_path: Path
) -> None:
    file, found = tmp_path / "file", []
    file.write_text("old")
    file.chmod(0o644)
    with Transaction("x") as transaction:
        transaction.before_change = lambda: found.append(file.read_text())
        transaction.write(file, b"old", 0o644)
        transaction.write(disk.STATE / "own", b"new", 0o600)
        assert found == []
        transaction.write(file, b"new", 0o644)
        assert found == ["old"]
