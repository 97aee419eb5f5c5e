from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.engine import observing
from jtel_chat.net import listeners, sockets


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_listening_socket_is_found_with_its_process(family: socket.AddressFamily, address: str) -> None:
    with socket.create_server((address, 0), family=family) as server:
        port = server.getsockname()[1]
        (found,) = listeners.listening({port})
        assert (str(found.address), found.port) == (address, port)
        holder = listeners.holder(found)
        assert holder and holder.pid == os.getpid()
    assert listeners.listening({port}) == []
    assert listeners.holder(found) is None


def test_the_processes_of_a_program_are_found() -> None:
    name = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
    assert os.getpid() in listeners.running(name)
    assert listeners.running("no such program") == []


def test_a_connection_is_no_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert listeners.listening({client.getsockname()[1]}) == []


def test_a_look_reads_the_kernels_tables_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    kernel = disk.kernel
    monkeypatch.setattr(disk, "kernel", lambda path: read.append(str(path)) or kernel(path))
    with observing.looking():
        for _ in range(3):
            sockets.established()
            sockets.listening()
    assert sorted(read) == ["/proc/net/tcp", "/proc/net/tcp6"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listeners.listening({server.getsockname()[1]})


def test_what_has_come_over_a_connection_is_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0] as accepted:
            inode = os.readlink(f"/proc/self/fd/{accepted.fileno()}")[8:-1]
            assert sockets.received(range(port, port + 1))[inode] == 0
            client.sendall(b"12345")
            assert accepted.recv(5) == b"12345"
            assert sockets.received(range(port, port + 1))[inode] == 5
            assert sockets.received(range(port + 1, port + 2)) == {}
