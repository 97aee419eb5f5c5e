"""Where the rules stand in the portal's frontend."""

from __future__ import annotations

import pytest
from jtel_chat.errors import Refused
from jtel_chat.haproxy.file import edit, parse
from jtel_chat.haproxy.file.configuration import Configuration

RULE = b"use_backend backend_chat_ws if whatsapp_req"
RULES = ["acl whatsapp_req path /incoming", RULE.decode()]
TIMEOUTS = b" timeout connect 5s\n timeout client 5s\n timeout server 5s\n"
SECTIONS = Configuration(b"global\n    setenv CFGREV 0\n")


def edited(config: bytes) -> bytes:
    return edit.edit(Configuration(config), SECTIONS, portal="portal", rules=RULES).text


def removed(config: bytes) -> bytes:
    return edit.remove(Configuration(config)).text


def follower(config: bytes) -> bytes:
    """The customer's line after our rules."""
    lines = edited(config).splitlines()
    at = next(index for index, line in enumerate(lines) if line.strip() == RULE)
    return lines[at + 2]


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
    ids=[
        "unconditional rule",
        "default first",
        "by map",
        "not inside .if",
        "not behind a dangling .if",
        "before trailing comments",
    ],
)
def test_our_rules_come_before_every_route_of_the_customer(section: bytes, expected: bytes) -> None:
    config = b"frontend portal\n\tmode http\n" + section + b"userlist end\n"
    assert follower(config) == expected
    assert removed(edited(config)) == config


def test_pasted_rules_after_the_if_of_a_portal_are_replaced_too() -> None:
    config = (
        b".if defined(A)\nfrontend portal\n mode http\n http-request deny if whatsapp_req\n.endif\n acl whatsapp_req"
        b" path /incoming\n"
    )
    assert removed(edited(config)) == config


@pytest.mark.parametrize("above", [b"", b"frontend other\n bind :79\n"], ids=["first", "behind another frontend"])
@pytest.mark.parametrize("end", [b".endif", b".else", b".elif defined(B)"])
@pytest.mark.parametrize("rest", [b"", b" default_backend web\n", b" use_backend web\n"])
def test_rules_of_a_portal_inside_a_condition_stay_in_its_branch(above: bytes, end: bytes, rest: bytes) -> None:
    config = above + b".if defined(A)\nfrontend portal\n mode http\n" + end + b"\n" + rest
    config += b"" if end == b".endif" else b".endif\n"
    assert follower(config) == end
    assert removed(edited(config)) == config


def test_the_portal_of_each_branch_gets_the_rules_in_its_own() -> None:
    branch = b"frontend portal\n mode http\n bind :80\n default_backend web\n"
    lines = edited(b".if defined(A)\n" + branch + b".else\n" + branch.replace(b":80", b":81") + b".endif\n").split(
        b"\n"
    )
    branches = b"\n".join(lines).split(b".else")
    assert [part.count(RULE) for part in branches] == [1, 1]
    assert all(part.index(RULE) < part.index(b"default_backend web") for part in branches)


def test_what_another_branch_says_is_not_the_portals() -> None:
    config = (
        b"frontend other\n.if defined(A)\nfrontend portal\n mode http\n.else\n mode tcp\n.endif\n default_backend web\n"
    )
    assert RULE in edited(config)


@pytest.mark.parametrize(
    "needing",
    [
        b"redirect scheme https if !{ ssl_fc } !whatsapp_req",
        b".if defined(A)\n http-request deny unless whatsapp_req\n .endif",
    ],
    ids=["a redirect", "inside a condition"],
)
@pytest.mark.parametrize("route", [b"use_backend backend_chat_ws if whatsapp_req", b"use_backend all", b"maxconn 9"])
def test_acls_stand_before_the_rule_that_needs_them_and_the_route_where_routes_stand(
    needing: bytes, route: bytes
) -> None:
    rule = needing.split(b"\n")[0]
    config = b"frontend portal\n mode http\n acl whatsapp_req path /incoming\n " + needing + b"\n " + route + b"\n"
    lines = [line.strip() for line in edited(config).split(b"\n")]
    assert lines.index(RULES[0].encode()) < lines.index(rule) < lines.index(RULE)
    assert route != b"use_backend all" or lines.index(RULE) < lines.index(route)
    assert edited(edited(config)) == edited(config)
    assert removed(edited(config)) == config


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


@pytest.mark.parametrize(
    "above", [b"defaults\n mode http\n" + TIMEOUTS, b"defaults\n mode tcp\ndefaults\n mode http\n" + TIMEOUTS + b"\n"]
)
def test_a_portal_inherits_from_the_files_before_its_own(above: bytes) -> None:
    config = b"frontend portal\n bind :80\n"
    file = Configuration(config, before=(Configuration(above),))
    once = edit.edit(file, SECTIONS, portal="portal", rules=RULES)
    assert RULE in once.text
    assert not edit.has_own_defaults(once)
    assert edit.has_own_defaults(Configuration(edited(b"frontend portal\n mode http\n")))
    assert edit.remove(once).text == config


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


@pytest.mark.parametrize("name", ["acdportal_chat_wss", "acdportal_chat_ws"])
def test_a_portal_by_the_name_of_chats_own_section_is_refused_and_no_remedy(name: str) -> None:
    ours = Configuration(
        SECTIONS.text + b"frontend acdportal_chat_wss\n bind :3003\n default_backend backend_chat_ws\n"
    )
    pasted = f"frontend {name}\n mode http\n bind :3003\n default_backend backend_chat_ws\n".encode()
    config = Configuration(b"frontend shop\n mode http\n" + pasted)
    with pytest.raises(Refused, match=f"cannot be '{name}'.* Frontends here: shop \\(line 1\\). Name yours"):
        edit.edit(config, ours, portal=name, rules=RULES)
    with pytest.raises(Refused, match=r"Frontends here: shop \(line 1\)\. Name"):
        edit.edit(config, ours, portal="other", rules=RULES)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (rb"acl a path /x\ y # z", ("acl", "a", "path", "/x y")),
        (rb"""  a "b 'c' \"d\" #" 'e\f'#g""", ("a", "b 'c' \"d\" #", "e\\f")),
        (rb"reg \.js$ \x41\ttab end" + b"\\", ("reg", "\\.js$", "A\ttab", "end\\")),
        (b"backend b\r\n", ("backend", "b")),
        (b"backend b\r not read\n", ("backend", "b")),
        (b"\rbackend \r\v b \r c\r d", ("backend", "b", "c")),
        (b'a "b \r c" d', ("a", "b ")),
        (b"a 'b\r c' d", ("a", "b")),
        (rb"a b\ " + b"\r c", ("a", "b ")),
        (b"a b\\\r c", ("a", "b\\")),
        (b"user ha\0proxy", ("user", "ha")),
        (b' \t"open\n', ("open",)),
        (b"# only a comment\n", ()),
    ],
)
def test_words_are_read_as_haproxy_reads_them(line: bytes, words: tuple[str, ...]) -> None:
    assert parse.words(line) == words
