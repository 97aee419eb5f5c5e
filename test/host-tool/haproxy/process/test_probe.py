"""Which binds are asked from the host itself, and that no request leaves it."""

from __future__ import annotations

import socket
import threading

import pytest
from jtel_chat.haproxy.file import listening
from jtel_chat.haproxy.file.configuration import Configuration
from jtel_chat.haproxy.file.listening import Bind
from jtel_chat.haproxy.process import probe
from jtel_chat.net import addresses

ELSEWHERE = "192.0.2.9"


def bind(line: str) -> Bind:
    return listening.binds(Configuration(f"frontend portal\n mode http\n bind {line}\n".encode()).sections)[0]


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"lb.example": {"10.1.0.11"}, "lb.local": {"127.0.1.1"}, "both.example": {"10.1.0.11", ELSEWHERE}}
    monkeypatch.setattr(addresses, "own", lambda: {"127.0.0.1", "::1", "10.1.0.11", "2001:db8::11"})
    monkeypatch.setattr(addresses, "resolved", lambda name: names.get(name, set()))


@pytest.mark.parametrize(
    "line",
    [
        ":443",
        ":::443 v6only",
        "10.1.0.11:443 ssl crt /a.pem",
        "[2001:DB8:0::11]:443",
        "127.0.0.5:443",
        "lb.example:443",
        "lb.local:443",
        ":443 interface lo",
        ":443 ssl crt /a.pem verify optional ca-file /ca.pem",
    ],
)
def test_what_a_request_of_the_hosts_own_shows_is_asked(line: str) -> None:
    assert probe.not_provable(bind(line)) is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"{ELSEWHERE}:443", f"{ELSEWHERE} is not an address of this host now"),
        ("[2001:db8::9]:443", "2001:db8::9 is not an address of this host now"),
        ("both.example:443", "both.example is not an address of this host now"),
        ("unknown.example:443", "unknown.example is not an address of this host now"),
        (":3004 interface eth0", ":3004 takes what arrives by eth0 only"),
        (":443 ssl crt /a.pem ca-file /ca.pem verify required", ":443 wants a certificate of its clients"),
        (":443 namespace dmz", ":443 is in a network of its own"),
        (":443 accept-netscaler-cip 1", ":443 wants a NetScaler header before each connection"),
        (":80 proto h2", ":80 speaks HTTP/2 only"),
    ],
)
def test_what_it_would_not_show_is_not_asked_but_said(monkeypatch: pytest.MonkeyPatch, line: str, why: str) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("a request was sent"))
    assert probe.not_provable(bind(line)) == why
    assert probe.statuses([bind(line)], "portal") == {}
    assert f": {why}. Try it" in probe.chat(bind(line), "portal")
    probe.as_before({bind(line): 200}, "portal")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.5"])
def test_a_request_comes_from_the_address_that_it_goes_to(address: str) -> None:
    server = socket.create_server((address, 0))
    peers: list[str] = []

    def answer() -> None:
        connection, peer = server.accept()
        peers.append(peer[0])
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 302 Found\r\n\r\n")

    threading.Thread(target=answer, daemon=True).start()
    assert probe.status(bind(f"{address}:{server.getsockname()[1]}"), "portal") == 302
    assert peers == [address]


def test_no_request_reaches_another_host_even_where_its_address_has_just_moved() -> None:
    with pytest.raises(OSError, match="Cannot assign requested address"):
        probe._connected(bind(f"{ELSEWHERE}:443"), "portal")
