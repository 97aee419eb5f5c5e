from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.drain import agent, state
from jtel_chat.drain.agent import DRAIN, NOTHING, READY, Memory
from jtel_chat.drain.state import Drain

GOING = Drain(deadline=1e9, until=1e9)
LB1, LB2 = "10.1.0.11", "10.1.0.12"


def test_it_says_nothing_that_changes_anything_while_nobody_drains() -> None:
    assert Memory().answer(LB1, None, 1.0) == NOTHING


def test_it_says_drain_as_often_as_it_is_asked_then_ready_until_that_was_taken() -> None:
    memory = Memory()
    assert [memory.answer(LB1, GOING, now) for now in (1.0, 2.0)] == [DRAIN, DRAIN]
    memory.taken(LB1, DRAIN)
    assert [memory.answer(LB1, None, now) for now in (3.0, 4.0)] == [READY, READY]
    memory.taken(LB1, READY)
    assert memory.answer(LB1, None, 5.0) == NOTHING


def test_ready_is_said_only_to_those_who_have_heard_drain() -> None:
    memory = Memory()
    memory.answer(LB1, GOING, 1.0)
    assert [memory.answer(peer, None, 2.0) for peer in (LB1, LB2)] == [READY, NOTHING]


def test_where_a_person_has_it_out_of_service_nothing_is_said() -> None:
    memory = Memory()
    going = Drain(deadline=1e9, until=1e9, spared=(LB1,))
    assert [memory.answer(peer, going, 1.0) for peer in (LB1, LB2)] == [NOTHING, DRAIN]
    assert [memory.answer(peer, None, 2.0) for peer in (LB1, LB2)] == [NOTHING, READY]


def test_whoever_asks_its_memory_stays_small_and_knows_the_last() -> None:
    memory = Memory()
    for number in range(1000):
        memory.answer(f"10.2.{number // 250}.{number % 250}", None, float(number))
    assert len(memory.asked) == 64
    assert memory.answer(LB1, GOING, 2000.0) == DRAIN


@pytest.fixture
def port(state: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """An agent that serves, as systemd starts one; it ends with the tests."""
    from jtel_chat.drain import state as noted

    disk.RUN.mkdir()
    monkeypatch.setattr(noted, "ASKED", state / "asked")
    monkeypatch.setattr(noted, "HEARD", state / "heard")
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    listener.setblocking(False)
    threading.Thread(target=agent._Agent(listener).serve, daemon=True).start()
    return int(listener.getsockname()[1])


def asked(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        return b"".join(iter(lambda: connection.recv(100), b""))


def test_a_drain_is_heard_by_whom_asks_and_ended_by_its_file_or_its_time(port: int) -> None:
    assert asked(port) == NOTHING
    state.write(Drain(state.now() + 60, state.now() + 60))
    assert asked(port) == DRAIN
    assert state.heard() == state.asking() == {"127.0.0.1"}
    state.write(Drain(state.now(), state.now()))
    assert state.current() is None
    assert asked(port) == READY
    deadline = time.monotonic() + 5
    while state.heard() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert asked(port) == NOTHING


def test_who_says_something_or_nothing_and_stays_keeps_nobody_from_an_answer(port: int) -> None:
    talkers = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(40)]
    for talker in talkers:
        talker.sendall(b"x" * 1000)
    begun = time.monotonic()
    assert asked(port) == NOTHING
    assert time.monotonic() - begun < 4
    for talker in talkers:
        talker.close()


def test_what_its_files_say_is_believed_only_where_it_has_the_form(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jtel_chat.drain import state as noted

    monkeypatch.setattr(noted, "ASKED", state / "asked")
    monkeypatch.setattr(noted, "HEARD", state / "heard")
    assert (noted.asked(), noted.heard()) == ({}, set())
    (state / "asked").write_text('{"10.1.0.11": "soon", "10.1.0.12": 7}')
    (state / "heard").write_text("{")
    assert (noted.asked(), noted.heard()) == ({"10.1.0.12": 7.0}, set())
    (state / "asked").write_bytes(b"[" * 100_000)
    assert noted.asked() == {}
