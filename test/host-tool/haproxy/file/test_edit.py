from __future__ import annotations

import pytest
from jtel_chat.errors import Refused
from jtel_chat.haproxy.file import edit
from jtel_chat.haproxy.file.configuration import Configuration

SECTIONS = Configuration(b"global\n    setenv CFGREV 0\n\nfrontend chat\n    bind :3003\n")
RULES = ["acl whatsapp_req path /incoming", "use_backend backend_chat_ws if whatsapp_req"]
CUSTOMER = b"""\
global
\tmaxconn 100
frontend acdportal_https # the portal
\tmode http
\tbind :443 ssl crt /x.pem
\t# a comment
\tredirect location /a if { path / }

\tuse_backend all
\tdefault_backend web
backend web
\tserver a 10.0.0.1:80
"""


def edited(config: bytes) -> bytes:
    return edit.edit(Configuration(config), SECTIONS, portal="acdportal_https", rules=RULES).text


def removed(config: bytes) -> bytes:
    return edit.remove(Configuration(config)).text


def test_an_edit_of_our_own_blocks_is_told_from_one_beside_them() -> None:
    once = edited(CUSTOMER)
    assert edit.is_intact(Configuration(CUSTOMER))
    assert edit.is_intact(Configuration(once.replace(b"10.0.0.1:80", b"10.0.0.2:80")))
    assert not edit.is_intact(Configuration(once.replace(b"bind :3003", b"bind :3004")))


@pytest.mark.parametrize(
    "config",
    [
        CUSTOMER,
        CUSTOMER.replace(b"\n", b"\r\n"),
        CUSTOMER.rstrip(b"\n"),
        CUSTOMER.replace(b"\tuse_backend all\n\tdefault_backend web\n", b""),
    ],
    ids=["tabs", "CRLF", "no final newline", "no use_backend"],
)
def test_editing_twice_is_editing_once_and_removing_gives_the_customers_bytes(config: bytes) -> None:
    once = edited(config)
    assert edited(once) == once
    assert removed(once) == config
    assert (b"\r\n" in config) == (b"\r\n" in once)
    assert b"\n" not in once.replace(b"\r\n", b"") or b"\r\n" not in config


def test_only_the_newline_that_we_added_goes_with_our_block() -> None:
    once = edited(CUSTOMER.rstrip(b"\n"))
    assert removed(once.replace(b"\tserver a 10.0.0.1:80\n", b"\n")) == CUSTOMER.replace(
        b"\tserver a 10.0.0.1:80\n", b""
    )
    assert removed(once + b"listen added\n") == CUSTOMER + b"listen added\n"


def test_the_rules_stand_before_the_first_use_backend_in_the_sections_own_indentation() -> None:
    lines = edited(CUSTOMER).splitlines()
    assert lines[lines.index(b"\tuse_backend all") - 2] == b"\tuse_backend backend_chat_ws if whatsapp_req"


def test_rules_go_into_a_frontend_that_ends_the_file() -> None:
    config = b"frontend acdportal_https\n  mode http"
    assert removed(edited(config)) == config
    lines = edited(config).splitlines()
    assert lines[:2] == [b"frontend acdportal_https", b"  mode http"]
    assert lines[3] == b"  acl whatsapp_req path /incoming"


def test_the_revision_follows_our_blocks_and_nothing_else() -> None:
    once = edited(CUSTOMER)
    other_file = edited(once.replace(b"maxconn 100", b"maxconn 200"))
    assert edit.revision(Configuration(other_file)) == edit.revision(Configuration(once))
    other = Configuration(SECTIONS.text.replace(b"3003", b"3004"))
    changed = edit.edit(Configuration(CUSTOMER), other, portal="acdportal_https", rules=RULES)
    assert edit.revision(changed) != edit.revision(Configuration(once))


def test_a_missing_portal_frontend_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="frontend acdportal_https"):
        edited(b"frontend other\n")


@pytest.mark.parametrize("marker", [b"# END jtel-chat", b"# BEGIN jtel-chat"])
def test_a_marker_that_was_lost_is_refused_and_never_guessed(marker: bytes) -> None:
    lines = edited(CUSTOMER).splitlines(keepends=True)
    lost = next(index for index, line in enumerate(lines) if line.strip().startswith(marker))
    with pytest.raises(Refused, match="lost its counterpart"):
        removed(b"".join(lines[:lost] + lines[lost + 1 :]))
