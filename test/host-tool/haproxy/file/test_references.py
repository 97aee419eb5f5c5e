"""What refers to names that go with a pasted section is refused before HAProxy complains of other lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jtel_chat.errors import Refused
from jtel_chat.haproxy.file import edit
from jtel_chat.haproxy.file.configuration import Configuration

OURS = Configuration(
    b"global\n setenv CFGREV 0\nfrontend acdportal_chat_wss\n bind :3003\n default_backend backend_chat_ws\n"
    b"backend backend_chat_ws\n server chatserver1 10.1.0.21:3000 check\n"
)
PASTED = b"""\
frontend acdportal_chat_ws
    bind :3000
    default_backend backend_chat_ws
backend backend_chat_ws
    stick-table type ip size 1m
    use-server chat-a if { srv_is_up(backend_chat_ws/chat-a) }
    server chat-a 10.1.0.21:3000 check
"""


def edited(config: bytes, **around: tuple[Configuration, ...]) -> bytes:
    return edit.edit(Configuration(config, **around), OURS, portal="", rules=[]).text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("server a 10.0.0.1:80 track backend_chat_ws/chat-a", "the server 'chat-a' of backend_chat_ws. .*chatserver1"),
        ("acl up srv_is_up(backend_chat_ws/chat-a)", "the server 'chat-a'.* Name one of these"),
        ("http-request deny if { srv_conn(backend_chat_ws/chat-a),add(1) gt 5 }", "the server 'chat-a'"),
        ("tcp-request connection track-sc0 src table backend_chat_ws", "the stick-table of backend_chat_ws"),
        ("stick match src table backend_chat_ws", "has no table. Put the table into a backend of its own"),
        ("http-request deny if { sc_http_req_rate(0,backend_chat_ws) gt 5 }", "the stick-table"),
        ("http-request deny if { src_conn_rate(backend_chat_ws) gt 5 }", "the stick-table"),
        ("http-request deny if { src,table_conn_rate(backend_chat_ws) gt 5 }", "the stick-table"),
        (
            "acl full fe_conn(acdportal_chat_ws) gt 5",
            "'acdportal_chat_ws', which goes: .*acdportal_chat_wss. Name that",
        ),
    ],
)
def test_a_reference_to_what_a_pasted_section_had_is_refused_with_its_line(line: str, message: str) -> None:
    pattern = rf"line 2 '{re.escape(line)}' .*{message}"
    with pytest.raises(Refused, match=pattern):
        edited(f"backend web\n {line}\n".encode() + PASTED)
    beside = Configuration(f"backend web\n {line}\n".encode(), Path("/etc/haproxy/20.cfg"))
    for around in ({"before": (beside,)}, {"after": (beside,)}):
        with pytest.raises(Refused, match=rf"/etc/haproxy/20.cfg: {pattern}"):
            edited(PASTED, **around)


@pytest.mark.parametrize(
    "line",
    [
        "server a 10.0.0.1:80 track backend_chat_ws/chatserver1",
        "server a 10.0.0.1:80 track web/chat-a",
        "acl up nbsrv(backend_chat_ws) ge 1",
        "acl full be_conn(backend_chat_ws) gt 5",
        "use_backend backend_chat_ws if { src_conn_rate(web) gt 1 }",
        "acl full fe_conn(acdportal_chat_wss) gt 5",
        "acl list src -f /etc/backend_chat_ws/chat-a",
        "# track backend_chat_ws/chat-a",
    ],
)
def test_a_reference_to_what_stays_is_none_of_ours(line: str) -> None:
    config = f"backend web\n {line}\n".encode() + PASTED
    assert edit.remove(Configuration(edited(config))).text == config


def test_without_a_pasted_section_references_are_left_to_haproxy() -> None:
    assert edited(b"backend web\n server a 10.0.0.1:80 track backend_chat_ws/chat-a\n")
