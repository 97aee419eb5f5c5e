# ruff: noqa: S104 – addresses are compared here, nothing is bound
from __future__ import annotations

import pytest
from jtel_chat.haproxy.file import listening
from jtel_chat.haproxy.file.configuration import Configuration
from jtel_chat.haproxy.file.listening import Bind

CUSTOMER = b"""\
global
    chroot '/var/lib/ha proxy' # a comment
    stats socket ipv4@127.0.0.1:9999 level admin
    stats socket unix@/run/haproxy/admin.sock mode 660
defaults
    mode http
listen mysql
    mode tcp
    bind 10.1.0.9:3306
frontend portal
\tbind\t:80,:::443 ssl crt "/etc/a b.pem" accept-proxy
#   bind :81
    bind /run/x.sock
    bind "${PORT}"
    redirect scheme https if !{ ssl_fc }
defaults
frontend plain
    bind 10.1.0.9:8000-8001
global
    chroot /srv/haproxy
"""


def binds(config: bytes) -> list[Bind]:
    return listening.binds(Configuration(config).sections)


def test_every_tcp_address_is_found_with_what_a_connection_to_it_needs() -> None:
    found = [(bind.section, str(bind), bind.tls, bind.proxy, bind.http, bind.redirects) for bind in binds(CUSTOMER)]
    assert found == [
        ("listen mysql", "10.1.0.9:3306", False, False, False, False),
        ("frontend portal", ":80", True, True, True, True),
        ("frontend portal", ":443", True, True, True, True),
        ("frontend portal", "[::]:443", True, True, True, True),
        ("frontend plain", "10.1.0.9:8000", False, False, False, False),
        ("frontend plain", "10.1.0.9:8001", False, False, False, False),
    ]


@pytest.mark.parametrize(
    "config", [b"", b"# only a comment", b"\tbind :80\n", b"frontend x\n bind\n", b"\xff\nlisten\n"]
)
def test_what_says_nothing_binds_nothing(config: bytes) -> None:
    assert binds(config) == []


def test_windows_line_ends_are_none_of_the_address() -> None:
    assert [str(bind) for bind in binds(b"frontend x\r\n  bind [2001:db8::1]:3003\r\n")] == ["[2001:db8::1]:3003"]


@pytest.mark.parametrize(
    "place", [":4000-9999999", ":4000-" + "9" * 5000, ":70000", ":4001-4000", ":65536", ":" + "9" * 5000]
)
def test_ports_that_do_not_exist_bind_nothing(place: str) -> None:
    assert binds(f"frontend x\n bind {place}\n".encode()) == []


def test_a_long_range_is_probed_in_part() -> None:
    found = binds(b"frontend x\n bind :1-65535\nfrontend y\n bind 10.1.0.9:80\n")
    assert len(found) == 65536
    assert [str(bind) for bind in listening.worth_probing(found)] == [
        *(f":{port}" for port in range(1, 33)),
        "10.1.0.9:80",
    ]


SHARED = b"frontend shop\n bind 10.1.0.9:443,:80,[2001:db8:0::1]:443\n"
PORTAL = b"listen portal\n mode http\n"


def test_binds_whose_answers_come_from_two_sections_are_not_probed() -> None:
    found = listening.worth_probing(
        binds(SHARED + PORTAL + b" bind 10.1.0.9:443\n bind :81\n bind [2001:db8::1]:443\n")
    )
    assert [(bind.section, str(bind)) for bind in found] == [("frontend shop", ":80"), ("listen portal", ":81")]


@pytest.mark.parametrize(
    "lines",
    [
        b" bind 10.1.0.9:443 ssl crt /x.pem\n",
        b" bind 10.1.0.9:443 ssl crt /x.pem\n bind :8080\n",
        b" bind 10.1.0.9:443\n bind :80\n",
        b" bind [2001:db8::1]:443\n",
    ],
)
def test_a_portal_that_shares_its_addresses_with_another_section_cannot_be_proven(lines: bytes) -> None:
    for config, at in ((SHARED + PORTAL + lines, 5), (PORTAL + lines + SHARED, 3)):
        (problem,) = listening.unprovable(Configuration(config), "portal")
        assert problem.startswith(f"line {at} 'bind ")
        assert "'frontend shop' binds this address and port, too" in problem
    beside = Configuration(PORTAL + lines, before=(Configuration(SHARED),))
    assert "line 3 " in listening.unprovable(beside, "portal")[0]


@pytest.mark.parametrize(
    "config",
    [
        SHARED + PORTAL + b" bind 10.1.0.9:443 ssl crt /x.pem\n bind :8443 ssl crt /x.pem\n",
        SHARED + PORTAL + b" bind 10.1.0.9:444\n bind 10.1.0.8:443\n",
        SHARED + PORTAL + b" bind :443\n",
        SHARED + PORTAL + b" bind 10.1.0.9:443 interface eth1\n",
        SHARED + PORTAL + b" .if defined(A)\n bind 10.1.0.9:443\n .endif\n",
        b".if defined(A)\n" + SHARED + b".else\n" + PORTAL + b" bind :80\n.endif\n",
        PORTAL + b" bind :80\n" + PORTAL + b" bind :80\n",
        PORTAL + b" bind unix@/run/x.sock\n",
    ],
    ids=["another of its own", "others", "any", "interface", "condition", "branches", "name twice", "no address"],
)
def test_a_portal_with_an_address_of_its_own_can_be_proven(config: bytes) -> None:
    assert listening.unprovable(Configuration(config), "portal") == []


def test_the_proof_goes_to_an_address_that_no_other_section_has() -> None:
    lines = b" bind :80\n bind 10.1.0.9:443 ssl crt /x.pem\n bind :8443 ssl crt /x.pem\n"
    found = listening.for_proof(binds(SHARED + PORTAL + lines), "portal")
    assert [str(bind) for bind in found] == [":8443", "10.1.0.9:443"]


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("tcp4@:3003", [":3003"]),
        ("tcp6@:3003", ["[::]:3003", ":3003"]),
        ("ipv6@[2001:db8::1]:3003", ["[2001:db8::1]:3003"]),
        ("tcp@10.1.0.9:3003", ["10.1.0.9:3003"]),
        ("*:3003-3004", [":3003", ":3004"]),
        ("quic4@:443", []),
        ("abns@chat:3003", []),
    ],
)
def test_address_families_are_read_and_what_is_no_tcp_is_left_out(place: str, found: list[str]) -> None:
    assert sorted(str(bind) for bind in binds(f"frontend x\n bind {place}\n".encode())) == sorted(found)


def test_binds_inside_conditions_are_not_certain() -> None:
    pair = (
        b"frontend a\n bind :80\n.if defined(A)\n bind 10.1.0.11:443\n.else\n bind 10.1.0.12:443\n.endif\n bind :81\n"
    )
    either = b".if defined(B)\nlisten b\n bind :82\n.else\nlisten c :83\n.endif\nlisten d :84\n"
    found = listening.certain_binds(Configuration(pair + either))
    assert [(str(bind), line.number) for bind, line in found.items()] == [(":80", 2), (":81", 8), (":84", 15)]
    assert len(binds(pair + either)) == 7


def test_the_old_address_in_the_header_is_a_bind() -> None:
    assert [str(bind) for bind in binds(b"listen x :80 ssl\nfrontend y from z\nfrontend z 10.1.0.9:81\n")] == [
        ":80",
        "10.1.0.9:81",
    ]


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        ("0.0.0.0", "127.0.0.1", True),
        ("10.1.0.9", "0.0.0.0", True),
        ("10.1.0.9", "10.1.0.8", False),
        ("0.0.0.0", "::1", False),
        ("::", "2001:db8::1", True),
        ("2001:db8:0::1", "2001:db8::1", True),
        ("localhost", "localhost", True),
        ("localhost", "0.0.0.0", True),
        ("localhost", "10.1.0.9", False),
    ],
)
def test_addresses_meet_when_one_takes_the_others_connections(one: str, other: str, meets: bool) -> None:
    assert listening.overlap(one, other) == meets
