from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from jtel_chat.documents.document import Section
from jtel_chat.engine import observing
from jtel_chat.kinds import database
from jtel_chat.net import sockets
from jtel_chat.programs import confined

GREETING = b"\x0a10.11.6-MariaDB\0" + b"\0" * 60


def packet(number: int, payload: bytes) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


def error(number: int, code: int, text: str) -> bytes:
    return packet(number, b"\xff" + struct.pack("<H", code) + text.encode())


@pytest.fixture
def server() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Serves one connection; its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(talk: Callable[[socket.socket], None]) -> int:
        def accept() -> None:
            connection, _ = listening.accept()
            with connection:
                talk(connection)

        threading.Thread(target=accept, daemon=True).start()
        return int(listening.getsockname()[1])

    yield serve
    listening.close()


def problem(port: int) -> str | None:
    return database.answer_problem("127.0.0.1", port)


@pytest.fixture(autouse=True)
def alone(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program here is connected to a database."""
    monkeypatch.setattr(sockets, "established", lambda: [])


Serve = Callable[[Callable[[socket.socket], None]], int]


def greet(connection: socket.socket) -> None:
    connection.sendall(packet(0, GREETING))


def test_a_server_that_greets_is_in_good_health_and_is_sent_nothing(server: Serve) -> None:
    """A login that fails would be counted as an attack: fail2ban bans the chat servers from their database."""
    sent: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        greet(connection)
        sent.append(connection.recv(4096))

    assert problem(server(talk)) is None
    for _ in range(100):
        if sent:
            break
        time.sleep(0.01)
    assert sent == [b""]


def test_a_good_answer_counts_for_ten_minutes(server: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    port = server(greet)
    assert problem(port) is None
    now = time.monotonic()
    monkeypatch.setattr(database, "_problem_at", lambda *_: "asked again")
    monkeypatch.setattr(time, "monotonic", lambda: now + 590)
    assert problem(port) is None
    monkeypatch.setattr(time, "monotonic", lambda: now + 700)
    assert "asked again" in (problem(port) or "")
    monkeypatch.setattr(time, "monotonic", lambda: now - 5)  # kept before the last boot
    assert "asked again" in (problem(port) or "")


def test_a_bad_answer_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["nothing listens there", None])
    monkeypatch.setattr(database, "_problem_at", lambda *_: next(answers))
    assert "nothing listens there" in (problem(1) or "")
    assert problem(1) is None


def test_a_database_that_a_program_here_is_connected_to_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_problem_at", lambda *_: "asked")
    held = sockets.Socket(ip_address("10.1.0.21"), 41000, ip_address("127.0.0.1"), 3306, "17")
    monkeypatch.setattr(sockets, "established", lambda: [held])
    assert problem(3306) is None
    assert "asked" in (problem(3307) or "")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            error(0, 1130, "Host '10.1.0.21' is not allowed to connect to this MariaDB server"),
            "it says 1130: Host '10.1.0.21' is not allowed",
        ),
        (error(0, 1040, "#08004Too many connections"), "it says 1040: Too many connections"),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "no MySQL or MariaDB"),
        (b"", "no MySQL or MariaDB"),
    ],
)
def test_what_answers_otherwise_is_named_with_its_address(
    server: Callable[[Callable[[socket.socket], None]], int], answer: bytes, said: str
) -> None:
    port = server(lambda connection: connection.sendall(answer))
    found = problem(port)
    assert found
    assert f"127.0.0.1, port {port}: " in found
    assert said in found


def test_a_closed_port_and_a_name_that_does_not_resolve_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert "nothing listens there" in (problem(port) or "")
    assert "does not resolve" in (database.answer_problem("no-such-host.invalid", 3306) or "")


def drip(connection: socket.socket) -> None:
    """A byte now and then, for ever: no single wait is long."""
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"\x50\0\0\0"[:1])
            time.sleep(0.05)


def test_a_server_that_drips_is_given_up_after_one_deadline(
    server: Callable[[Callable[[socket.socket], None]], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_WAIT", 0.5)
    begin = time.monotonic()
    assert "no answer within" in (
        problem(server(lambda connection: (connection.sendall(b"\xff\x0f\0\0"), drip(connection))[0])) or ""
    )
    assert time.monotonic() - begin < 3


def test_a_name_with_many_addresses_costs_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(database, "addresses", lambda *_: [f"10.1.0.{number}" for number in range(200)])
    monkeypatch.setattr(database, "_problem_at", lambda address, _: asked.append(address) or "x")
    database.answer_problem("many.example", 3306)
    assert len(asked) == 8


def test_what_a_server_says_is_cut_and_cleaned(server: Callable[[Callable[[socket.socket], None]], int]) -> None:
    said = problem(server(lambda connection: connection.sendall(error(0, 1040, "#08004\x1b[2J" + "x" * 3000)))) or ""
    assert "?[2Jx" in said
    assert len(said) < 500


def test_a_look_says_where_the_login_cannot_be_kept_to_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "answer_problem", lambda *_: None)
    monkeypatch.setattr(confined, "filters_addresses", lambda: False)
    section = Section("database", "acd-dbm", {"port": "3306"})
    assert database.observe(section).warnings == []  # a starting service asks nobody
    with observing.looking():
        assert "cgroup v2" in database.observe(section).warnings[0]
        monkeypatch.setattr(confined, "filters_addresses", lambda: True)
        assert database.observe(section).warnings == []
