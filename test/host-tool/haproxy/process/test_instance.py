"""The talk with HAProxy's sockets."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from jtel_chat.errors import Failed
from jtel_chat.haproxy.file.configuration import Configuration
from jtel_chat.haproxy.process import instance
from jtel_chat.programs import process


def served(directory: Path, talk: Callable[[socket.socket], None]) -> str:
    """A socket that answers one connection; its place."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(directory / "s"))
    listening.listen()

    def accept() -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            talk(connection)

    threading.Thread(target=accept, daemon=True).start()
    return str(directory / "s")


def for_ever(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def test_an_answer_is_whole(tmp_path: Path) -> None:
    assert (
        instance._talk(served(tmp_path, lambda connection: connection.sendall(b"version 2.6\n")), "show version")
        == "version 2.6\n"
    )


def test_an_answer_that_drips_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "_ANSWER", 0.4)
    begin = time.monotonic()
    assert instance._talk(served(tmp_path, for_ever), "show version") == ""
    assert time.monotonic() - begin < 3


def test_an_answer_without_end_is_none(tmp_path: Path) -> None:
    assert (
        instance._talk(served(tmp_path, lambda connection: connection.sendall(b"x" * (8 << 20))), "show version") == ""
    )


def test_nobody_answers_nothing(tmp_path: Path) -> None:
    assert instance._talk(str(tmp_path / "none"), "show version") == ""


def test_a_reload_without_an_end_is_said_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "run", lambda *_: "1\n")
    monkeypatch.setattr(process, "attempt", lambda *_, **__: subprocess.CompletedProcess((), process.HANGS, "", ""))
    with pytest.raises(Failed, match=r"'systemctl reload haproxy.service' did not end within 60 s"):
        instance.reload(Configuration(b"", Path("/etc/haproxy/haproxy.cfg")))


# What masters say, with the columns as wide as they have to be.
OF_2_2 = "#<PID> <type> <relative PID> <reloads> <uptime> <version>\n"
OF_2_6 = "#<PID> <type> <reloads> <uptime> <version>\n"


@pytest.mark.parametrize(
    ("processes", "failed"),
    [
        ("", None),
        (
            f"{OF_2_2}130  master  0  1  0d00h00m03s  2.2.9\n# workers\n135  worker  1  0  0d00h00m02s  2.2.9\n"
            "# old workers\n133  worker  [was: 1]  1  0d00h00m09s  2.2.9\n# programs\n\n",
            0,
        ),
        (
            f"{OF_2_2}130  master  0  3  0d00h00m04s  2.2.9\n# workers\n"
            "# old workers\n135  worker  [was: 1]  2  0d00h00m03s  2.2.9\n# programs\n\n",
            2,
        ),
        (
            f"{OF_2_6}112  master  0 [failed: 0]  0d00h00m00s  2.6.12\n# workers\n"
            "113  worker  0  0d00h00m00s  2.6.12\n# programs\n\n",
            0,
        ),
        (
            f"{OF_2_6}112  master  2 [failed: 1]  0d00h00m04s  2.6.12\n# workers\n"
            "113  worker  1  0d00h00m03s  2.6.12\n# programs\n\n",
            1,
        ),
    ],
    ids=["no answer", "2.2", "2.2 after a failed reload", "2.6", "2.6 after a failed reload"],
)
def test_a_failed_reload_is_known_by_the_master_of_each_version(processes: str, failed: int | None) -> None:
    assert instance._failed(processes) == failed


# As HAProxy 2.6 and 3.2 print it.
STATES = """\
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change
4 backend_chat_ws 1 chatserver1 10.1.0.21 2 0 1 1 1024 6 3 7 14 0 0 0 - 3000 - 0 0 - 3002 - 0
4 backend_chat_ws 2 chatserver2 10.1.0.22 0 1 1 1 8 6 3 7 14 0 0 0 - 3000 - 0 0 - 3002 - 0
4 backend_chat_ws 3 chatserver3 10.1.0.23 2 8 1 1 8 6 3 7 14 0 0 0 - 3000 - 0 0 - 3002 - 0
"""


@pytest.mark.parametrize(
    ("said", "found"),
    [(STATES, {"chatserver2": "maint", "chatserver3": "drain"}), ("", {}), ("Can't find backend.\n", {})],
)
def test_servers_that_somebody_has_taken_out_of_service_are_told(said: str, found: dict[str, str]) -> None:
    class Answering:
        def ask(self, _: str) -> str:
            return said

    assert instance.out_of_service(Answering(), "backend_chat_ws") == found  # type: ignore[arg-type]
