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
