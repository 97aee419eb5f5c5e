from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from jtel_chat.net import websocket


@contextlib.contextmanager
def serving(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a server that says what `talk` sends to each visitor."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    talk(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.getsockname()[1]}/"


def drip(connection: socket.socket) -> None:
    """A byte every now and then, each of which a timeout of the socket's own would take for life."""
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def flood(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x" * 4096)


def test_an_answer_that_drips_ends_with_the_time_for_all_of_it() -> None:
    begun = time.monotonic()
    with serving(drip) as url:
        assert "timed out" in (websocket.handshake_problem(url, within=0.3) or "")
    assert time.monotonic() - begun < 2


def test_an_answer_without_end_is_cut() -> None:
    with serving(flood) as url:
        assert "not an upgrade" in (websocket.handshake_problem(url, within=5) or "")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", "'HTTP/1.1 200 OK', not an upgrade"), (b"", "'', not an upgrade")],
)
def test_what_is_no_upgrade_is_quoted(answer: bytes, problem: str) -> None:
    with serving(lambda connection: connection.sendall(answer)) as url:
        assert problem in (websocket.handshake_problem(url, within=5) or "")
