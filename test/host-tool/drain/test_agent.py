from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from jtel_chat import __main__
from jtel_chat.access import disk
from jtel_chat.drain import agent, state
from jtel_chat.drain.agent import DRAIN, NOTHING, READY, Memory
from jtel_chat.drain.state import Drain
from jtel_chat.errors import Refused

GOING = Drain(deadline=1e9, until=1e9)
LB1, LB2 = "10.1.0.11", "10.1.0.12"


def test_it_says_nothing_that_changes_anything_while_nobody_drains() -> None:
    assert Memory({}, set()).answer(LB1, None, 1.0) == NOTHING


def test_it_says_drain_as_often_as_it_is_asked_then_ready_until_that_was_taken() -> None:
    memory = Memory({}, set())
    assert [memory.answer(LB1, GOING, now) for now in (1.0, 2.0)] == [DRAIN, DRAIN]
    memory.taken(LB1, DRAIN)
    assert [memory.answer(LB1, None, now) for now in (3.0, 4.0)] == [READY, READY]
    memory.taken(LB1, READY)
    assert memory.answer(LB1, None, 5.0) == NOTHING


def test_ready_is_said_only_to_those_who_have_heard_drain() -> None:
    memory = Memory({}, set())
    memory.answer(LB1, GOING, 1.0)
    assert [memory.answer(peer, None, 2.0) for peer in (LB1, LB2)] == [READY, NOTHING]


def test_where_a_person_has_it_out_of_service_nothing_is_said() -> None:
    memory = Memory({}, set())
    going = Drain(deadline=1e9, until=1e9, spared=(LB1,))
    assert [memory.answer(peer, going, 1.0) for peer in (LB1, LB2)] == [NOTHING, DRAIN]
    assert [memory.answer(peer, None, 2.0) for peer in (LB1, LB2)] == [NOTHING, READY]


def test_whoever_asks_its_memory_stays_small_and_knows_the_last() -> None:
    memory = Memory({}, set())
    for number in range(1000):
        memory.answer(f"10.2.{number // 250}.{number % 250}", None, float(number))
    assert len(memory.asked) == 64
    assert memory.answer(LB1, GOING, 2000.0) == DRAIN


@pytest.fixture
def notes(state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the agent notes who has asked it and who has heard."""
    from jtel_chat.drain import state as noted

    disk.RUN.mkdir()
    monkeypatch.setattr(noted, "ASKED", state / "asked")
    monkeypatch.setattr(noted, "HEARD", state / "heard")
    return state


class Served:
    """Agents in processes of their own, as systemd starts them."""

    def __init__(self) -> None:
        self.running: list[multiprocessing.process.BaseProcess] = []

    def start(self) -> int:
        """Starts one, and gives its port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        listener.setblocking(False)
        self.running.append(multiprocessing.get_context("fork").Process(target=agent._Agent(listener).serve))
        self.running[-1].start()
        return int(listener.getsockname()[1])


@pytest.fixture
def agents(notes: Path) -> Iterator[Served]:
    served = Served()
    yield served
    for each in served.running:
        each.terminate()
        each.join()


@pytest.fixture
def port(agents: Served) -> int:
    return agents.start()


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


def test_after_a_boot_in_the_middle_of_a_drain_ready_is_said(notes: Path, agents: Served) -> None:
    state.write(Drain(state.now() + 60, state.now() + 60))
    assert asked(agents.start()) == DRAIN
    state.remove()
    (notes / "asked").unlink()
    assert asked(agents.start()) == READY


def test_what_its_files_say_is_believed_only_where_it_has_the_form(notes: Path) -> None:
    assert (state.asked(), state.heard()) == ({}, set())
    (notes / "asked").write_text('{"10.1.0.11": "soon", "10.1.0.12": 7}')
    (notes / "heard").write_text("{")
    assert (state.asked(), state.heard()) == ({"10.1.0.12": 7.0}, set())
    for size in (60_000, 100_000):
        (notes / "asked").write_bytes(b"[" * size)
        assert state.asked() == {}


def test_a_person_ends_a_drain_as_root_only(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(__main__.os, "geteuid", lambda: 1000)
    with pytest.raises(Refused, match="only root"):
        __main__._dispatch(["drain", "end"])
    monkeypatch.setattr(__main__.os, "geteuid", lambda: 0)
    state.write(Drain(state.now() + 60, state.now() + 60))
    assert __main__._dispatch(["drain", "end"]) == 0
    assert state.current() is None


def test_a_run_that_was_killed_ends_its_drain_and_one_that_has_succeeded_does_not(
    notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(__main__.signal, "signal", lambda *_: None)
    state.write(Drain(state.now() + 60, state.now() + 60, drained=True))
    for result, left in (("success", True), ("signal", False)):
        monkeypatch.setenv("SERVICE_RESULT", result)
        assert __main__._dispatch(["recover"]) == 0
        assert bool(state.current()) is left
