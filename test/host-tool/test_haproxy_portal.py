"""Where the rules stand in the portal's frontend, and what would take requests before they are looked at."""

from __future__ import annotations

import pytest
from jtel_chat import haproxy_cfg, haproxy_parse, haproxy_portal
from jtel_chat.errors import Refused

RULE = b"use_backend backend_chat_ws if whatsapp_req"


def edited(config: bytes) -> bytes:
    return haproxy_cfg.edit(config, sections=b"global\n    setenv CFGREV 0\n", portal="portal", rules=["acl whatsapp_req path /incoming", RULE.decode()])


def follower(config: bytes) -> bytes:
    """The customer's line after our rules."""
    lines = edited(config).splitlines()
    at = next(index for index, line in enumerate(lines) if line.strip() == RULE)
    return lines[at + 2]


def shadowing(*lines: str) -> list[str]:
    return haproxy_portal.shadowing("\n".join(["frontend portal", "mode http", *lines]).encode(), "portal")


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (b"\tuse_backend all\n", b"\tuse_backend all"),
        (b"\tdefault_backend web\n\tbind :80\n\thttp-request set-header A b\n\n", b""),
        (b"\tuse_backend %[req.hdr(host),lower,map(/etc/m)]\n", b"\tuse_backend %[req.hdr(host),lower,map(/etc/m)]"),
        (b"\t.if feature(LUA)\n\tuse_backend lua\n\t.endif\n", b"\t.if feature(LUA)"),
        (b"\tbind :80\n.if defined(X)\nbackend web\n.endif\n", b".if defined(X)"),
        (b"\t# comment at the end\nbackend web\n", b"\t# comment at the end"),
    ],
    ids=["unconditional rule", "default first", "by map", "not inside .if", "not behind a dangling .if", "before trailing comments"],
)
def test_our_rules_come_before_every_route_of_the_customer(section: bytes, expected: bytes) -> None:
    config = b"frontend portal\n\tmode http\n" + section + b"userlist end\n"
    assert follower(config) == expected
    assert haproxy_cfg.remove(edited(config)) == config


def test_pasted_rules_after_the_if_of_a_portal_are_replaced_too() -> None:
    config = b".if defined(A)\nfrontend portal\n mode http\n http-request deny if whatsapp_req\n.endif\n acl whatsapp_req path /incoming\n"
    assert haproxy_cfg.remove(edited(config)) == config


def test_rules_of_a_portal_inside_an_if_stay_inside() -> None:
    config = b".if defined(A)\nfrontend portal\n mode http\n.endif\n default_backend web\n"
    assert follower(config) == b".endif"


@pytest.mark.parametrize(
    "header",
    [
        b"  frontend portal",
        b"listen portal",
        b"listen portal :80",
        b"frontend portal # main",
        b'frontend "portal"\t',
        b"defaults\n mode http\n\nfrontend portal",
    ],
)
def test_the_portal_is_found_however_its_header_is_written(header: bytes) -> None:
    assert RULE in edited(header + b"\n\tmode http\n\tbind :80\n")


def test_every_section_of_the_name_gets_the_rules() -> None:
    assert edited(b"frontend portal\n mode http\nfrontend portal\n mode http\n").count(RULE) == 2


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (b"frontend portal\n mode tcp\n", "its mode is tcp"),
        (b"frontend portal\n bind :80\n", "no 'mode http'"),
        (b"defaults\n mode http\ndefaults\n mode tcp\nfrontend portal\n", "its mode is tcp"),
        (b"defaults a\n mode tcp\ndefaults b\n mode http\nfrontend portal from a\n", "its mode is tcp"),
    ],
)
def test_a_portal_that_sees_no_paths_is_refused(config: bytes, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        edited(config)


def test_a_missing_portal_is_refused_naming_what_there_is() -> None:
    with pytest.raises(Refused, match=r"shop \(line 1\). Name yours in whatsapp.frontend"):
        edited(b"frontend shop\n mode http\n")


@pytest.mark.parametrize(
    ("lines", "takers"),
    [
        (["redirect location /login"], ["line 3"]),
        (["redirect location / if { path / }"], []),
        (["redirect scheme https if !{ ssl_fc }", "bind :443 ssl crt /a.pem"], []),
        (["redirect scheme https if !{ ssl_fc }", "bind :80"], ["line 3"]),
        (["redirect scheme https if !{ ssl_fc }", "bind :80", "bind :443 ssl crt /a.pem"], []),
        (["use_backend x if { path / }", "http-request deny if { path_beg -i /INC }"], ["line 4"]),
        (["acl api path_beg /api", "acl api path /delivery", "http-request return status 204 if api"], ["line 5"]),
        (["http-request deny if ! { path /x } !FALSE"], ["line 3"]),
        (["acl hq src 10.0.0.0/8", "http-request deny if !hq"], []),
        (["acl hq src 10.0.0.0/8", "acl wa path_reg ^/(incoming|delivery)$", "http-request deny unless hq or wa"], []),
        (["acl hq src 10.0.0.0/8", "http-request deny if { path_beg / } !TRUE || { path_end ing } hq"], []),
        (["http-request allow if { path /incoming /delivery }", "http-request deny"], []),
        (["http-request allow if { src 10.1.1.1 }", "http-request deny"], []),
        (["http-request allow", "redirect prefix /x"], ["line 4"]),
        (["http-request set-header a b", "http-request tarpit unless { path_sub portal }"], ["line 4"]),
        (["tcp-request content reject if { always_true }"], ["line 3"]),
        (["tcp-request connection accept", "tcp-request content reject"], ["line 4"]),
        (["tcp-request connection reject if { path_beg / }"], []),
        (["monitor-uri /incoming"], ["line 3"]),
        (["stats enable", "stats uri /in"], ["line 4"]),
        (["stats uri /haproxy?stats", "monitor-uri /alive"], []),
        (["redirect location /a if { path -f /etc/list }", "redirect location /b if { path,field(1,/) incoming }"], []),
        (['redirect location /a if { path_beg "$PREFIX" }', "redirect location /b if { path_reg ( }"], []),
        ([".if defined(CLOSED)", "redirect location /closed", ".endif"], []),
    ],
)
def test_rules_that_surely_take_whatsapps_requests_are_reported_and_no_others(lines: list[str], takers: list[str]) -> None:
    assert [reason.split(" '")[0] for reason in shadowing(*lines)] == takers


def test_the_report_names_line_paths_and_remedy() -> None:
    assert shadowing("redirect location /login # since 2021") == [
        "line 3 'redirect location /login # since 2021' answers /incoming and /delivery before our rules are looked at (it has no condition):"
        " WhatsApp's messages would not arrive. Except them there: { path /incoming /delivery }"
    ]


def test_rules_of_defaults_know_the_acls_of_these_defaults_only() -> None:
    config = b"defaults base\n mode http\n acl a path /delivery\n http-request deny if a\nfrontend portal from base\n acl a path /incoming\n"
    assert [reason.split(" before")[0] for reason in haproxy_portal.shadowing(config, "portal")] == ["line 4 'http-request deny if a' answers /delivery"]


def test_rules_of_the_named_defaults_count() -> None:
    config = b"defaults base\n mode http\n http-request deny if { path_beg /deliv }\nfrontend portal from base\n bind :80\n"
    assert [reason.split(" '")[0] for reason in haproxy_portal.shadowing(config, "portal")] == ["line 3"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (rb"acl a path /x\ y # z", ("acl", "a", "path", "/x y")),
        (rb"""  a "b 'c' \"d\" #" 'e\f'#g""", ("a", "b 'c' \"d\" #", "e\\f")),
        (rb"reg \.js$ \x41\ttab end" + b"\\", ("reg", "\\.js$", "A\ttab", "end\\")),
        (b"backend b\r\n", ("backend", "b")),
        (b"backend b\r not read\n", ("backend", "b")),
        (b' \t"open\n', ("open",)),
        (b"# only a comment\n", ()),
    ],
)
def test_words_are_read_as_haproxy_reads_them(line: bytes, words: tuple[str, ...]) -> None:
    assert haproxy_parse.words(line) == words
