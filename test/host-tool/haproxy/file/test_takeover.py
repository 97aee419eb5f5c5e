"""Hand-pasted chat blocks are adopted and given back; what only has their names is refused."""

from __future__ import annotations

import re

import pytest
from jtel_chat.errors import Refused
from jtel_chat.haproxy.file import edit
from jtel_chat.haproxy.file.configuration import Configuration

SECTIONS = b"""\
global
    setenv CFGREV 0

frontend acdportal_chat_wss
    mode http
    bind :3003 ssl crt /etc/haproxy/haproxy.pem
    default_backend backend_chat_ws

backend backend_chat_ws
    mode http
    server chatserver1 10.1.0.21:3000 check
"""
RULES = [
    "acl whatsapp_req path /incoming",
    "acl whatsapp_req path /delivery",
    "use_backend backend_chat_ws if whatsapp_req",
]
PORTAL = b"frontend acdportal_https\n    mode http\n    default_backend web\n"
HTTP = (
    b"frontend acdportal_chat_ws\n    mode http\n    bind :3000\n    timeout client 1d\n    default_backend"
    b" backend_chat_ws\n"
)
HTTPS = (
    b"frontend acdportal_chat_wss\n\tbind :3003 ssl crt /etc/haproxy/haproxy.pem\n\tdefault_backend backend_chat_ws\n"
)
BACKEND = (
    b"backend backend_chat_ws\n    balance leastconn\n    server chatserver1 10.1.0.21:3000 weight 1 check inter 1m\n"
)


def edited(config: bytes) -> bytes:
    return edit.edit(Configuration(config), Configuration(SECTIONS), portal="acdportal_https", rules=RULES).text


def removed(config: bytes) -> bytes:
    return edit.remove(Configuration(config)).text


def adopted(config: bytes) -> list[str]:
    return edit.adopted(Configuration(config))


def blocks(config: bytes) -> list[bytes]:
    return edit.blocks(Configuration(config))


def effective(config: bytes) -> list[bytes]:
    """What HAProxy reads."""
    return [line.strip() for line in config.split(b"\n") if line.strip() and not line.lstrip().startswith(b"#")]


def with_rules(*pasted: bytes) -> bytes:
    return PORTAL.replace(
        b"    default_backend", b"".join(b"    " + line + b"\n" for line in pasted) + b"    default_backend"
    )


@pytest.mark.parametrize(
    "pasted",
    [
        HTTP + BACKEND,
        HTTPS + b"\n# servers\n\n" + BACKEND,
        HTTP + BACKEND + HTTPS + BACKEND,
        (HTTP + b"\n" + BACKEND).replace(b"\n", b"\r\n"),
        HTTPS + BACKEND.rstrip(b"\n"),
        BACKEND.replace(b"\n", b"\r\n").rstrip(b"\r\n") + b"\n \t\n",
        b".if defined(CHAT)\n" + HTTP + b"  .if feature(LUA)\n    maxconn 9\n  .endif\n.endif\n" + BACKEND,
    ],
    ids=[
        "http",
        "https with a comment between",
        "both variants",
        "CRLF",
        "no final newline",
        "mixed line ends",
        "inside .if",
    ],
)
def test_pasted_chat_blocks_lose_their_effect_and_come_back_to_the_byte(pasted: bytes) -> None:
    config = PORTAL + pasted
    once = edited(config)
    assert effective(once).count(b"backend backend_chat_ws") == 1
    assert b"frontend acdportal_chat_ws" not in effective(once)
    assert [line for line in effective(once) if line.startswith(b".")] == [
        line for line in effective(config) if line.startswith(b".")
    ]
    assert edited(once) == once
    assert removed(once) == config


def test_what_was_adopted_is_named_with_the_lines_of_the_customers_file() -> None:
    config = PORTAL + b"\n" + HTTP + BACKEND
    expected = ["adopted frontend acdportal_chat_ws (lines 5-9)", "adopted backend backend_chat_ws (lines 10-12)"]
    assert adopted(edited(config)) == expected
    assert adopted(edited(with_rules(*map(str.encode, RULES)))) == [
        "adopted acl whatsapp_req, use_backend backend_chat_ws (lines 3-5)"
    ]
    assert adopted(edited(PORTAL)) == []


@pytest.mark.parametrize(
    "pasted",
    [
        [
            b"acl whatsapp_req path /incoming",
            b"acl whatsapp_req path /delivery",
            b"use_backend backend_chat_ws if whatsapp_req",
        ],
        [
            b"acl whatsapp_req path_beg -i /incoming/ /delivery/",
            b"use_backend old if { path /old }",
            b"use_backend backend_chat_ws if whatsapp_req",
        ],
    ],
    ids=["as the vendor writes them", "as path_beg, apart from each other"],
)
def test_pasted_rules_are_replaced_by_ours(pasted: list[bytes]) -> None:
    config = with_rules(*pasted)
    lines = effective(edited(config))
    assert [lines.count(rule.encode()) for rule in RULES] == [1, 1, 1]
    assert not any(b"path_beg" in line for line in lines)
    assert removed(edited(config)) == config


def test_an_acl_that_other_rules_of_the_customer_need_is_known_before_them() -> None:
    config = with_rules(
        b"acl whatsapp_req path /incoming",
        b"http-request set-header X-Chat 1 if whatsapp_req",
        b"use_backend backend_chat_ws if whatsapp_req",
    )
    lines = effective(edited(config))
    assert lines.index(b"acl whatsapp_req path /incoming") < lines.index(
        b"http-request set-header X-Chat 1 if whatsapp_req"
    )


def test_a_route_to_the_chat_backend_on_another_condition_stays_the_customers() -> None:
    own = b"use_backend backend_chat_ws if { hdr(host) chat.acme.example }"
    assert own in effective(edited(with_rules(own)))


def test_what_was_written_inside_an_adopted_block_since_is_given_back_too() -> None:
    once = edited(PORTAL + BACKEND)
    noted = once.replace(b"#~     balance", b"# MK: why?\n#~     balance")
    assert removed(noted) == PORTAL + BACKEND.replace(b"    balance", b"# MK: why?\n    balance")


def test_blanks_that_an_editor_took_off_the_ends_of_our_lines_do_no_harm() -> None:
    config = PORTAL + BACKEND.replace(b"    balance", b"\n    balance")
    assert b"#~ \n" not in edited(config)
    assert removed(re.sub(rb"(?m) +$", b"", edited(config))) == config


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            PORTAL + b"listen backend_chat_ws\n bind :3001\n",
            r"line 4 'listen backend_chat_ws': the name backend_chat_ws is ours",
        ),
        (PORTAL + b"frontend backend_chat_ws\n bind :3001\n", r"line 4 'frontend backend_chat_ws'.* Rename it"),
        (
            PORTAL + BACKEND.replace(b":3000", b":8080"),
            r"line 6 'server chatserver1 10.1.0.21:8080.* a chat server listens on 3000",
        ),
        (
            PORTAL + HTTPS.replace(b"backend_chat_ws", b"other"),
            r"line 6 'default_backend other'.* does not lead to backend_chat_ws only",
        ),
        (PORTAL + HTTPS.replace(b"\tdefault_backend backend_chat_ws\n", b""), r"line 4 'frontend acdportal_chat_wss'"),
        (
            with_rules(b"acl whatsapp_req hdr(host) wa.example"),
            r"line 3 'acl whatsapp_req hdr\(host\) wa.example' gives the name whatsapp_req",
        ),
        (with_rules(b"acl whatsapp_req path /incoming /other"), r"another meaning. Rename it"),
        (
            with_rules(b"acl whatsapp_req path /incoming", b"use_backend old if whatsapp_req"),
            r"line 4 .* sends WhatsApp's requests elsewhere",
        ),
        (
            PORTAL + b"frontend shop\n bind 10.0.0.1:80,:3000-3010\n",
            r"line 5 'bind .*' in 'frontend shop' binds port 3003",
        ),
        (
            PORTAL + b"frontend shop\n bind lb1.acme.local:3003\n",
            r"line 5 'bind lb1.acme.local:3003' in 'frontend shop' binds port 3003",
        ),
        (PORTAL + b"listen shop *:3003\n", r"line 4 .* binds port 3003.* set public.port"),
        (
            PORTAL + b"frontend shop\n bind :4000-9999999\n",
            r"line 5 'bind :4000-9999999' in 'frontend shop' binds ports",
        ),
        (PORTAL + b"frontend shop\n bind :80,:90-" + b"9" * 5000, r"line 5 .* they end at 65535.* Correct it there"),
        (PORTAL + b"frontend shop\n bind :4010-4000\n", r"line 5 'bind :4010-4000' in 'frontend shop'"),
        (PORTAL + b"# a \0\nfrontend shop\n", r"line 4 '# a .' holds a NUL character.* Remove it there"),
        (PORTAL + HTTPS.replace(b"wss", b"old"), r"line 5 'bind :3003 ssl crt /etc/haproxy/haproxy.pem'"),
    ],
)
def test_names_and_ports_of_something_else_are_refused_with_line_and_remedy(config: bytes, message: str) -> None:
    with pytest.raises(Refused, match=message):
        edited(config)


@pytest.mark.parametrize(
    "line",
    [
        b"http-request deny unless { src 10.0.0.0/8 }",
        b"http-request auth realm Chat unless { http_auth(chat) }",
        b"http-request lua.office",
        b"tcp-request connection reject if !{ src 10.0.0.0/8 }",
        b"tcp-request content silent-drop",
        b"redirect scheme https if !{ ssl_fc }",
        b"bind :3003 ssl crt /etc/haproxy/haproxy.pem ca-file /etc/haproxy/staff.pem verify required",
    ],
)
def test_a_line_that_decides_who_reaches_a_pasted_chat_is_not_adopted_in_silence(line: bytes) -> None:
    for pasted in (HTTPS, BACKEND):
        with pytest.raises(Refused) as refusal:
            edited(PORTAL + pasted + b"    " + line + b"\n")
        number = (PORTAL + pasted).count(b"\n") + 1
        assert str(refusal.value).startswith(f"line {number} '{line.decode()}' decides who reaches chat")
        assert "remove the line; else restrict chat elsewhere first" in str(refusal.value)


def test_a_pasted_chat_that_a_condition_lets_some_visitors_into_is_not_adopted_in_silence() -> None:
    some = HTTPS.replace(b"default_backend backend_chat_ws", b"use_backend backend_chat_ws if { src 10.0.0.0/8 }")
    with pytest.raises(Refused, match=r"line 6 'use_backend .*' decides who reaches chat"):
        edited(PORTAL + some)
    assert adopted(edited(PORTAL + some + b"\tdefault_backend backend_chat_ws\n"))


def test_what_versions_before_have_adopted_stays_so_and_is_said() -> None:
    once = edited(PORTAL + HTTPS.replace(b"\tdefault", b"\tacl office src 10.0.0.0/8\n\tdefault"))
    before = once.replace(b"#~ \tacl office src 10.0.0.0/8\n", b"#~ \thttp-request deny if !{ src 10.0.0.0/8 }\n")
    number = before.split(b"\n").index(b"#~ \thttp-request deny if !{ src 10.0.0.0/8 }") + 1
    [said] = edit.unheeded(Configuration(before))
    assert said.startswith(f"line {number} 'http-request deny if !{{ src 10.0.0.0/8 }}' decides who reaches chat")
    assert b"#~ \thttp-request deny" in edited(before)
    assert edit.unheeded(Configuration(once)) == []


def test_other_lines_that_chat_has_nothing_instead_of_are_named_when_they_are_adopted() -> None:
    extended = (
        HTTPS + b"\tbind :3033\n\tbind :3003\n\ttimeout client 1d\n\thttp-response set-header X-Frame-Options DENY\n"
    )
    assert adopted(edited(PORTAL + extended + BACKEND + b"    cookie SRV insert\n")) == [
        "adopted frontend acdportal_chat_wss (lines 4-10); without effect from now on: line 7 'bind :3033', line 10"
        " 'http-response set-header X-Frame-Options DENY'",
        "adopted backend backend_chat_ws (lines 11-14); without effect from now on: line 14 'cookie SRV insert'",
    ]


@pytest.mark.parametrize(
    "section",
    [
        b"peers backend_chat_ws\n",
        b"userlist backend_chat_ws\n",
        b"resolvers acdportal_chat_wss\n",
        b"frontend a\n bind 10.0.0.1:3004\n",
        b"frontend a\n.if defined(A)\n bind :3003\n.else\n bind :80,:90-99999\n.endif\n",
        b".if defined(A)\nfrontend a\n bind :3003\n bind :80,:90-99999\n.else\nfrontend b\n bind :3003\n.endif\n",
        b"frontend a\n bind [::1]:3003\n bind [::]:3003 v6only\n",
        b"frontend a\n bind unix@/run/a:3003\n bind quic4@:3003\n bind :$PORT\n",
    ],
)
def test_the_same_name_or_number_elsewhere_is_no_clash(section: bytes) -> None:
    assert removed(edited(PORTAL + section)) == PORTAL + section


def test_a_name_clash_is_said_once() -> None:
    with pytest.raises(Refused) as refusal:
        edited(PORTAL + b"frontend acdportal_chat_wss\n bind :3003 ssl crt /x.pem\n default_backend web\n")
    assert str(refusal.value).startswith("line 6 'default_backend web': the name acdportal_chat_wss is ours")
    assert "; " not in str(refusal.value)


def test_line_numbers_are_those_of_the_file_as_it_stands() -> None:
    once = edited(with_rules(*map(str.encode, RULES)) + BACKEND)
    broken = once.replace(b"backend web", b"backend web\nlisten backend_chat_ws")
    number = broken.split(b"\n").index(b"listen backend_chat_ws") + 1
    with pytest.raises(Refused, match=f"line {number} 'listen backend_chat_ws'"):
        edited(broken)


def test_all_clashes_are_listed_at_once_and_show_no_secret() -> None:
    config = with_rules(b'acl whatsapp_req req.hdr(Authorization) "Basic c2VjcmV0"') + b"listen backend_chat_ws\n"
    with pytest.raises(Refused, match="line 3 ") as refusal:
        edited(config)
    assert "line 5 'listen backend_chat_ws'" in str(refusal.value)
    assert "c2VjcmV0" not in str(refusal.value)


def test_our_blocks_are_shown_without_the_secrets_that_they_carry() -> None:
    secrets = b'    stats auth admin:s3cret\n    http-request set-header Authorization "Basic czNjcmV0"\n'
    text = edit.shown(Configuration(edited(PORTAL + HTTPS + secrets)))
    assert "#~     stats auth admin:…\n" in text
    assert "s3cret" not in text
    assert "czNjcmV0" not in text
    assert text.count("\n") == b"".join(blocks(edited(PORTAL + HTTPS + secrets))).count(b"\n")
