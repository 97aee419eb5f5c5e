"""What a reload would die of, as far as it is about binds."""

from __future__ import annotations

import ipaddress

import pytest
from jtel_chat.haproxy.file import listening
from jtel_chat.haproxy.file.configuration import Configuration
from jtel_chat.haproxy.process import obstacles
from jtel_chat.haproxy.process.instance import Running
from jtel_chat.haproxy.process.invocation import Start
from jtel_chat.net import addresses, listeners
from jtel_chat.net.sockets import Socket

MOVED = "192.0.2.9"
RUNNING = Running(0, Start(), Configuration(b""), frozenset(), None, None, None, None)


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "bindable", lambda address: address != MOVED)
    monkeypatch.setattr(listeners, "listening", lambda _: [])


def found(line: str) -> list[str]:
    theirs = listening.binds(Configuration(f"frontend crm\n bind {line}\n".encode()).sections)
    return obstacles.of_binds([], theirs, RUNNING)


def test_an_address_of_the_customers_that_the_host_lacks_is_seen() -> None:
    [obstacle] = found(f"{MOVED}:8443")
    assert obstacle.startswith(f"'frontend crm' binds {MOVED}:8443, and no interface of this host has that address")


@pytest.mark.parametrize(
    "line", ["10.1.0.11:8443", ":8443", "lb.example:8443", f"{MOVED}:8443 transparent", f"{MOVED}:8443 namespace dmz"]
)
def test_what_a_new_worker_can_bind_is_no_obstacle(line: str) -> None:
    assert found(line) == []


def test_a_user_that_the_host_lacks_is_seen_unless_a_condition_says_where_it_counts() -> None:
    [obstacle] = obstacles.of_global(Configuration(b"global\n user nobody-has-this\n"))
    assert obstacle.startswith("'user nobody-has-this' (global) does not exist on this host")
    pair = b"global\n.if streq($HOSTNAME,lb1)\n user nobody-has-this\n.else\n user root\n.endif\n"
    assert obstacles.of_global(Configuration(pair)) == []


def test_an_address_that_has_moved_away_is_none_while_haproxy_listens_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Socket(ipaddress.ip_address(MOVED), 8443, ipaddress.ip_address("0.0.0.0"), 0, "7")  # noqa: S104
    monkeypatch.setattr(listeners, "listening", lambda ports: [held] if 8443 in ports else [])
    monkeypatch.setattr(listeners, "holder", lambda *_: listeners.Holder(1, "haproxy", "haproxy.service"))
    assert found(f"{MOVED}:8443") == []
    assert len(found(f"{MOVED}:8443,{MOVED}:8444")) == 1
