from __future__ import annotations

import os
import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from jtel_chat.documents.document import Section
from jtel_chat.errors import Failed
from jtel_chat.hazelcast import cluster, joining
from jtel_chat.hazelcast.joining import Member
from jtel_chat.net import addresses, sockets, tcp
from jtel_chat.net.sockets import Socket
from jtel_chat.net.tcp import ACCEPTS, REFUSES, SILENT
from jtel_chat.programs import process

TRIED = (5701, 5702, 5703)


def listed(members: str, port: str = "<port>5701</port>") -> joining.Network:
    text = (
        f"<hazelcast xmlns='http://x/y'><network>{port}<join><tcp-ip"
        f" enabled='true'>{members}</tcp-ip></join></network></hazelcast>"
    )
    return joining.read(text.encode())


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ("<member>10.1.0.21</member>", [Member("10.1.0.21", TRIED)]),
        ("<member>chat1:5702</member>", [Member("chat1", (5702,))]),
        (
            "<member>[fd00::1]:5702</member><member>fd00::2</member>",
            [Member("fd00::1", (5702,)), Member("fd00::2", TRIED)],
        ),
        ("<members>10.1.0.1, 10.1.0.2;10.1.0.1</members>", [Member("10.1.0.1", TRIED), Member("10.1.0.2", TRIED)]),
        (
            "<member-list><member>a</member></member-list><interface>b</interface>",
            [Member("a", TRIED), Member("b", TRIED)],
        ),
        (
            "<member>10.1.0.4-5</member>",
            [Member("10.1.0.4", TRIED, in_range=True), Member("10.1.0.5", TRIED, in_range=True)],
        ),
        ("<member>${members}</member>", None),
    ],
)
def test_members_are_read_as_hazelcast_reads_them(members: str, expected: list[Member] | None) -> None:
    assert listed(members).members == expected


def test_a_wildcard_is_a_whole_network() -> None:
    assert len(listed("<member>10.1.0.*</member>").members or []) == 254


def test_members_without_a_port_are_looked_for_on_the_own_first_port() -> None:
    network = listed("<member>a</member>", "<port auto-increment='true' port-count='20'>6000</port>")
    assert network.members == [Member("a", (6000, 6001, 6002))]
    assert (network.ports[0], network.ports[-1]) == (6000, 6020)


def test_a_multicast_cluster_lists_nobody() -> None:
    assert (
        joining.read(
            b"<hazelcast><network><join><tcp-ip"
            b" enabled='false'><member>a</member></tcp-ip></join></network></hazelcast>"
        ).members
        is None
    )


def test_a_process_is_seen_to_listen_and_to_be_connected() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            assert port in {each.port for each in cluster._held(os.getpid(), sockets.listening())}
            connected = cluster._held(os.getpid(), sockets.established())
            assert ("127.0.0.1", port) in {(str(each.remote), each.remote_port) for each in connected}
        assert tcp.probe([("127.0.0.1", port)]) == {("127.0.0.1", port): ACCEPTS}
    assert tcp.probe([("127.0.0.1", port)]) == {("127.0.0.1", port): REFUSES}


def host(**changes: Any) -> cluster._Host:
    values = {
        "name": "chatserver2",
        "addresses": frozenset(["10.1.0.22"]),
        "ports": frozenset(TRIED),
        "own": False,
        "in_range": False,
        "of_stack": True,
        "later": False,
    }
    return cluster._Host(**{**values, **changes})


@pytest.mark.parametrize(
    ("place", "answers", "connected", "members", "text"),
    [
        (host(), {5701: ACCEPTS, 5702: REFUSES}, 1, "2 of 2", ""),
        (host(), {5701: SILENT, 5702: SILENT}, 1, "2 of 2", ""),  # it has come to us: one direction is enough
        (host(), {5701: REFUSES, 5702: REFUSES}, 0, "1 of 2", "chatserver2 is not running"),
        (host(), {5701: SILENT, 5702: REFUSES}, 0, "1 of 2", "! 5701/tcp of chatserver2 is not reachable from"),
        (host(), {5701: ACCEPTS, 5702: REFUSES}, 0, "1 of 2", "! the cluster is split: 5701/tcp of chatserver2"),
        (
            host(),
            {5701: ACCEPTS, 5702: ACCEPTS},
            1,
            "2 of 3",
            "! the cluster is split",
        ),  # of a co-located pair one is missing
        (host(of_stack=False), {5701: SILENT}, 0, "1 of 2", "chatserver2 is switched off, or a firewall keeps"),
        (host(later=True), {5701: ACCEPTS}, 0, "1 of 2", "not in the cluster yet"),
        (host(later=True), {5701: SILENT}, 0, "1 of 2", "! 5701/tcp"),
        (host(in_range=True), {5701: SILENT}, 0, "1 of 1", ""),
        (host(in_range=True), {5701: ACCEPTS}, 0, "1 of 2", "! the cluster is split"),
        (host(own=True), {5701: ACCEPTS, 5703: REFUSES}, 1, "2 of 2", ""),  # the web server's member beside ours
        (host(own=True), {5702: REFUSES}, 0, "1 of 1", ""),
    ],
)
def test_what_is_seen_of_a_host(
    place: cluster._Host, answers: dict[int, str], connected: int, members: str, text: str
) -> None:
    look = cluster._Look()
    cluster._count(look, place, answers, connected)
    assert f"{look.members} of {look.expected}" == members
    said = [*look.said, *(f"! {problem}" for problem in look.problems)]
    assert len(said) == bool(text)
    assert text in "".join(said)


def connection(inode: str, port: int, remote: str, remote_port: int) -> Socket:
    return Socket(ip_address("10.1.0.21"), port, ip_address(remote), remote_port, inode)


INBOUND = connection("1", 5702, "10.1.0.22", 40000)
OUTBOUND = connection("2", 40000, "10.1.0.21", 5701)
OTHER = connection("3", 40001, "10.1.0.31", 3306)


@pytest.mark.parametrize(
    ("connections", "heard", "peers"),
    [
        ({INBOUND, OUTBOUND, OTHER}, set(), []),  # meant for the member that was there before, or not closed yet
        ({INBOUND, OUTBOUND, OTHER}, {"1", "2", "3"}, ["10.1.0.21", "10.1.0.22"]),
        ({INBOUND, OUTBOUND}, {"1"}, ["10.1.0.22"]),
        ({INBOUND, OUTBOUND, OTHER}, None, ["10.1.0.21", "10.1.0.22"]),  # it was there first
    ],
)
def test_who_is_connected_is_a_member(connections: set[Socket], heard: set[str] | None, peers: list[str]) -> None:
    assert sorted(cluster._peers(connections, 5702, range(5701, 5802), heard)) == peers


def test_a_greeting_is_no_talk_however_slow_and_heartbeats_are() -> None:
    traffic = cluster._Traffic()
    seen = ((1, 177, 177), (2, 221, 442), (3, 260, 442), (5, 270, 442), (7, 270, 707))  # bytes, as seen with 3.12
    for second, greeting, heartbeat in seen:
        assert traffic.heard() == set()
        traffic.note({"greeting": greeting, "heartbeat": heartbeat, "new": 0}, float(second))
    assert traffic.heard() == {"heartbeat"}


class Cluster:
    """A running chat server as the kernel shows it, one second a look: what its other member does, second by second."""

    def __init__(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: Callable[[int], tuple[str, int]]
    ) -> None:
        """other: gives what the other member's port does, and the bytes that have come from it (0: no connection)."""
        self.seconds = 0
        file = tmp_path / "hazelcast.xml"
        file.write_text(
            "<hazelcast><network><join><tcp-ip enabled='true'><member>10.1.0.22:5701</member></tcp-ip></join></network>"
            "</hazelcast>"
        )
        self.section = Section("service", "chat.service", {"cluster": str(file), "cluster-within": "30"})

        def sleep(seconds: float) -> None:
            self.seconds += 1

        monkeypatch.setattr(cluster.time, "monotonic", lambda: float(self.seconds))
        monkeypatch.setattr(cluster.time, "sleep", sleep)
        monkeypatch.setattr(process, "run", lambda *_, **__: "17\n")
        monkeypatch.setattr(sockets, "inodes", lambda pid: {"1", "9"})
        monkeypatch.setattr(sockets, "listening", lambda: [connection("9", 5701, "0.0.0.0", 0)])  # noqa: S104
        inbound = [connection("1", 5701, "10.1.0.22", 40000)]
        monkeypatch.setattr(sockets, "established", lambda: inbound if other(self.seconds)[1] else [])
        monkeypatch.setattr(sockets, "received", lambda ports: {"1": other(self.seconds)[1]})
        monkeypatch.setattr(addresses, "resolved", lambda name: {name})
        monkeypatch.setattr(addresses, "own", lambda: {"10.1.0.21"})
        monkeypatch.setattr(tcp, "probe", lambda places: dict.fromkeys(places, other(self.seconds)[0]))


@pytest.mark.parametrize(
    ("other", "said", "at"),
    [
        (lambda second: (ACCEPTS, 1 + second // 5), "members: 2 of 2", 10),  # heartbeats
        (lambda second: (ACCEPTS, 1), "! the cluster is split", 31),  # a leftover
        (lambda second: (ACCEPTS, 0), "! the cluster is split", 31),
        # It is off until the time is nearly over, and takes a while to boot and to join.
        (lambda second: (SILENT, 0) if second < 25 else (ACCEPTS, max(0, second - 35)), "members: 2 of 2", 40),
        # It crashes again and again: nobody knows what a member there would do.
        (
            lambda second: (ACCEPTS if second // 20 % 2 else SILENT, 0),
            "members: 1 of 2; not certain, since it changes: ",
            91,
        ),
    ],
)
def test_a_member_that_starts_last_is_waited_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    other: Callable[[int], tuple[str, int]],
    said: str,
    at: int,
) -> None:
    chat = Cluster(tmp_path, monkeypatch, other)
    chat.section.fields["cluster-hosts"] = "10.1.0.22 chatserver2\n"
    try:
        found = cluster.verify(chat.section, just_started=True)
    except Failed as failure:
        found = f"! {failure}"
    assert found.startswith(said)
    assert chat.seconds == at


def test_a_process_that_is_no_member_is_named_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "hazelcast.xml"
    file.write_text(
        "<hazelcast><network><join><tcp-ip"
        " enabled='true'><member>127.0.0.1</member></tcp-ip></join></network></hazelcast>"
    )
    monkeypatch.setattr(
        process, "run", lambda program, *_, **__: f"{os.getpid()}\n" if program == "systemctl" else "[]"
    )
    monkeypatch.setattr(cluster, "_LASTING", 0)
    section = Section("service", "chat.service", {"cluster": str(file), "cluster-within": "0"})
    with pytest.raises(Failed, match=r"chat\.service listens on none of the ports 5701-5801"):
        cluster.verify(section, just_started=True)


def test_members_whose_names_nobody_answers_for_take_no_longer_than_the_cluster_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    clock = iter(range(0, 3000, 3))
    monkeypatch.setattr(cluster.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(cluster.addresses, "resolved", lambda name: asked.append(name) or set())
    monkeypatch.setattr(cluster.addresses, "own", set)
    section = Section("service", "chat.service", {"cluster-within": "30"})
    hosts = cluster._hosts(section, [Member(f"nobody{number}", TRIED) for number in range(900)])
    assert len(hosts) == 900
    assert len(asked) < 10


def test_the_own_name_on_a_loopback_address_is_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's installer writes the own name to 127.0.1.1 in /etc/hosts, and a hazelcast.xml lists members by name."""
    known = {"chatserver1": {"127.0.1.1"}, "chatserver2": {"10.1.0.22"}}
    monkeypatch.setattr(addresses, "resolved", lambda name: known.get(name, set()))
    monkeypatch.setattr(addresses, "own", lambda: {"10.1.0.21"})
    members = [Member(name, (5701,)) for name in ("chatserver1", "chatserver2", "nowhere")]
    hosts = cluster._hosts(Section("service", "x", {"cluster-within": "30"}), members)
    assert [(host.name, host.own) for host in hosts] == [
        ("chatserver1", True),
        ("chatserver2", False),
        ("nowhere", False),
    ]


def test_a_glance_names_the_chat_servers_that_are_not_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hazelcast.xml"
    file.write_text(
        "<hazelcast><network><port>5701</port><join><tcp-ip enabled='true'><member>10.1.0.22</member></tcp-ip></join>"
        "</network></hazelcast>"
    )
    own, there, portal = ip_address("10.1.0.21"), ip_address("10.1.0.22"), ip_address("10.1.0.23")
    found = [
        Socket(own, 41000, there, 5702, "1"),  # to a member there
        Socket(own, 3000, portal, 52000, "2"),  # a visitor
        Socket(own, 5701, portal, 53000, "3"),  # of another process
    ]
    monkeypatch.setattr(sockets, "established", lambda: found)
    monkeypatch.setattr(sockets, "inodes", lambda pid: {"1", "2"} if pid == 17 else set())
    monkeypatch.setattr(addresses, "resolved", lambda host: {host})
    monkeypatch.setattr(addresses, "own", lambda: {str(own)})
    hosts = "10.1.0.21 chatserver1\n10.1.0.22 chatserver2\n10.1.0.23 chatserver3 later\n"
    fields = {"cluster": str(file), "cluster-hosts": hosts}
    assert cluster.others(Section("service", "x", fields), 17) == {"chatserver2": True, "chatserver3": False}
    assert cluster.others(Section("service", "x", fields), 18) == {"chatserver2": False, "chatserver3": False}
