from __future__ import annotations

from ipaddress import ip_address

import pytest
from jtel_chat.documents import declaration
from jtel_chat.documents.document import Section
from jtel_chat.hazelcast import configuration, joining, ports
from jtel_chat.net import listeners, sockets
from jtel_chat.net.listeners import Holder
from jtel_chat.net.sockets import Socket

OURS, PORTAL = Holder(7, "java", declaration.UNIT), Holder(8, "java", "tomcat9.service")


def file(attributes: str = "") -> bytes:
    return (
        f"<hazelcast><network><port {attributes}>5701</port><join><tcp-ip enabled='true'><member>a</member></tcp-ip>"
        "</join></network><ringbuffer name='CHAT'/><map name='CHATCOUNTERS'/></hazelcast>"
    ).encode()


@pytest.fixture(autouse=True)
def held(monkeypatch: pytest.MonkeyPatch) -> dict[int, Holder]:
    """Who listens on which port."""
    found: dict[int, Holder] = {}
    monkeypatch.setattr(
        sockets, "listening", lambda: [Socket(ip_address("::"), each, ip_address("::"), 0, str(each)) for each in found]
    )
    monkeypatch.setattr(listeners, "holder", lambda listener, likely: found[listener.port])
    return found


@pytest.mark.parametrize(
    ("attributes", "who", "problem", "warning"),
    [
        ("", {}, "", ""),
        ("", {5701: OURS}, "", ""),
        ("", {5701: PORTAL, 5702: OURS}, "", ""),  # it has found its place
        ("", {5701: PORTAL}, "", "5702, since these are held: 5701 by java (process 8 of tomcat9.service)"),
        ("", {3000: PORTAL, 5703: PORTAL}, "", ""),
        ("", dict.fromkeys([5701, 5702, 5703], PORTAL), "", "look for it on 5701-5703 only: add :5704"),
        (
            "auto-increment='false'",
            {5701: PORTAL},
            "port 5701 is held by java (process 8 of tomcat9.service), and auto-increment",
            "",
        ),
        ("auto-increment='false'", {5701: OURS}, "", ""),
        ("auto-increment='false'", {5702: PORTAL}, "", ""),
        ("port-count='1'", {5701: PORTAL, 5702: PORTAL}, "as are all others up to 5702. End that program", ""),
    ],
)
def test_a_taken_port_is_a_problem_only_where_no_other_is_allowed(
    held: dict[int, Holder], attributes: str, who: dict[int, Holder], problem: str, warning: str
) -> None:
    held.update(who)
    judged = ports.judge(joining.read(file(attributes)))
    assert (len(judged.problems), len(judged.warnings)) == (bool(problem), bool(warning))
    assert problem in "".join(judged.problems)
    assert warning in "".join(judged.warnings)


def test_the_file_that_is_about_to_be_written_is_judged_by_it(held: dict[int, Holder]) -> None:
    held[5701] = PORTAL
    section = Section("files", f"{declaration.HOME}/conf/hazelcast.xml", {"jars": "/nowhere"})
    assert configuration.judge(section, file("auto-increment='false'"), ask=False).problems == []
    assert "finds no port" in configuration.judge(section, file("auto-increment='false'"), ask=True).problems[0]


def test_without_increments_a_member_is_looked_for_on_one_port() -> None:
    network = joining.read(file("auto-increment='false'"))
    assert (list(network.ports), network.members) == ([5701], [joining.Member("a", (5701,))])
