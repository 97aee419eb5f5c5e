"""What in the portal's frontend keeps WhatsApp's requests from our rules."""

from __future__ import annotations

import pytest
from jtel_chat.haproxy.file import shadowing as haproxy_shadowing
from jtel_chat.haproxy.file.configuration import Configuration


def portal(*lines: str) -> Configuration:
    return Configuration("\n".join(["frontend portal", "mode http", *lines]).encode())


def shadowing(*lines: str) -> list[str]:
    return haproxy_shadowing.shadowing(portal(*lines), "portal")


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
        (["http-request set-path /x", "http-request deny if { path /incoming }"], ["line 3"]),
        (["http-request set-path /x%[path]", "http-request deny unless { path /x }"], []),
        (
            [
                "http-request set-path /incoming if { path -i /INCOMING }",
                "http-request set-path /x unless { path_reg . }",
            ],
            [],
        ),
        (["http-request set-path /x if { path /incoming }", "http-request set-path /delivery if { path /x }"], []),
        (
            [r"http-request replace-path /(in|de)(.*) /v2/\1\2", "redirect prefix /y if { path_beg /v2 }"],
            ["line 3", "line 4"],
        ),
        (
            [
                r"http-request replace-path /v1(/.*) \1",
                r"http-request replace-path ^(/.+)$ \0",
                r"http-request replace-path ( x",
            ],
            [],
        ),
        (["http-request set-pathq /x?%[query]", "http-request set-uri /y", "http-request replace-uri ^/ /z"], []),
        (["http-request set-pathq /x?y if { src 10.1.1.1 }", "http-request deny if { path /x }"], []),
        (["http-request set-path /x%[src]", "http-request set-path /y"], ["line 4"]),
        (
            ["http-request allow if { src 10.1.1.1 }", "http-request set-path /x", "redirect prefix /y if { path /x }"],
            [],
        ),
        ([".if defined(CLOSED)", "redirect location /closed", ".endif"], []),
    ],
)
def test_rules_that_surely_take_whatsapps_requests_are_reported_and_no_others(
    lines: list[str], takers: list[str]
) -> None:
    assert [reason.split(" '")[0] for reason in shadowing(*lines)] == takers


def test_the_report_names_line_paths_and_remedy() -> None:
    assert shadowing("redirect location /login # since 2021") == [
        "line 3 'redirect location /login # since 2021' answers /incoming and /delivery before our rules are looked at"
        " (it has no condition): WhatsApp's messages would not arrive. Except them there: { path /incoming /delivery }"
    ]


def test_the_report_says_when_the_path_is_changed() -> None:
    assert shadowing("http-request replace-path ^/in /out")[0].startswith(
        "line 3 'http-request replace-path ^/in /out' changes the path of /incoming before"
    )


@pytest.mark.parametrize(
    ("lines", "suspects"),
    [
        (
            [
                "http-request deny if { path / }",
                "http-request set-header a b",
                "redirect location /x if { path /delivery }",
            ],
            [],
        ),
        (
            [
                "http-request deny if { src 10.0.0.1 }",
                "http-request set-path /x%[path]",
                "redirect prefix /y if { path /z }",
            ],
            ["3", "4", "5"],
        ),
        (["http-request allow if { src 10.0.0.1 }", "http-request deny"], ["4"]),
        (["http-request deny", "http-request deny if { src 10.0.0.1 }"], []),
        (
            [
                "http-request lua.portal",
                "http-request deny if { path /incoming }",
                "http-request normalize-uri path-strip-dot",
            ],
            ["3", "4"],
        ),
    ],
)
def test_what_only_a_running_haproxy_decides_is_under_suspicion(lines: list[str], suspects: list[str]) -> None:
    found = haproxy_shadowing.suspects(portal(*lines), "portal", "/incoming")
    assert [line.split()[1] for line in found] == suspects


def test_what_a_rule_under_suspicion_asks_for_is_not_shown() -> None:
    config = b"frontend portal\n mode http\n http-request deny\tunless\t{ req.hdr(X-Key) 8f3a }\n"
    assert haproxy_shadowing.suspects(Configuration(config), "portal", "/incoming") == [
        "line 3 'http-request deny unless …'"
    ]
    assert "8f3a" not in shadowing("http-request deny if { path /incoming } or { req.hdr(X-Key) 8f3a }")[0]


def test_rules_of_defaults_know_the_acls_of_these_defaults_only() -> None:
    config = (
        b"defaults base\n mode http\n acl a path /delivery\n http-request deny if a\nfrontend portal from base\n acl a"
        b" path /incoming\n"
    )
    assert [reason.split(" before")[0] for reason in haproxy_shadowing.shadowing(Configuration(config), "portal")] == [
        "line 4 'http-request deny if …' answers /delivery"
    ]


def test_rules_of_the_named_defaults_count() -> None:
    config = (
        b"defaults base\n mode http\n http-request deny if { path_beg /deliv }\nfrontend portal from base\n bind :80\n"
    )
    assert [reason.split(" '")[0] for reason in haproxy_shadowing.shadowing(Configuration(config), "portal")] == [
        "line 3"
    ]


def test_rules_of_defaults_in_a_file_before_count() -> None:
    above = b"defaults base\n mode http\n http-request deny if { path_beg /deliv }\n"
    found = haproxy_shadowing.shadowing(
        Configuration(b"frontend portal from base\n bind :80\n", before=(Configuration(above),)), "portal"
    )
    assert [reason.split(" answers")[0] for reason in found] == [
        "a file that HAProxy reads before, line 3 'http-request deny if …'"
    ]


@pytest.mark.parametrize(
    ("lines", "choosy"),
    [
        (["acl edge src 192.0.2.0/24", "tcp-request connection reject if !edge"], ["line 4"]),
        (["tcp-request content reject unless { req.ssl_ver gt 3 }"], ["line 3"]),
        (["http-request deny unless { hdr(x-key) -m found }"], ["line 3"]),
        (["http-request auth unless { http_auth(users) }"], ["line 3"]),
        (["http-request deny if LOCALHOST"], ["line 3"]),
        (["http-request allow if { src 192.0.2.1 }", "http-request deny"], ["line 4"]),
        (["http-request lua.check"], ["line 3"]),
        (["tcp-request connection expect-proxy layer4"], ["line 3"]),
        (["acl a path_reg ^/in", "acl a src 192.0.2.1", "http-request deny if a { method POST }"], ["line 5"]),
        (["http-request deny if { method POST }"], []),
        (["http-request deny if METH_POST { path -f /etc/list }"], []),
        (["http-request deny if { req.hdr(host) -i portal.example } { ssl_fc }"], []),
        (["http-request allow if { path -f /etc/list }", "http-request deny"], []),
        (["http-request deny if { path / } { src 192.0.2.1 }", "http-request set-header a b if { src ::1 }"], []),
    ],
)
def test_a_rule_that_asks_who_sends_a_request_may_let_another_pass(lines: list[str], choosy: list[str]) -> None:
    found = haproxy_shadowing.choosy(portal(*lines), "portal", "/incoming")
    assert [line.partition(" '")[0] for line in found] == choosy
