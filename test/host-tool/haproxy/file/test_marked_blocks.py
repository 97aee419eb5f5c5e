"""What is ours in a file that also has comments like our markers, and ends in anything."""

from __future__ import annotations

import pytest
from jtel_chat.errors import Refused
from jtel_chat.haproxy.file import edit
from jtel_chat.haproxy.file.configuration import Configuration

OURS = Configuration(b"global\n    setenv CFGREV 0\n\nbackend backend_chat_ws\n    server c 10.1.0.21:3000\n")
RULES = ["acl whatsapp_req path /incoming", "use_backend backend_chat_ws if whatsapp_req"]
PORTAL = b"frontend portal\n    mode http\n    default_backend web\n"
PASTED = b"backend backend_chat_ws\n    server chat-a 10.1.0.21:3000\n"


def edited(config: bytes) -> bytes:
    return edit.edit(Configuration(config), OURS, portal="portal", rules=RULES).text


def removed(config: bytes) -> bytes:
    return edit.remove(Configuration(config)).text


@pytest.mark.parametrize(
    "config",
    [
        b"# BEGIN jtel-chat\n" + PASTED + b"# END jtel-chat\n" + PORTAL,
        PORTAL + b"# BEGIN jtel-chat\n" + PASTED + b"# END jtel-chat",
        b"# BEGIN jtel-chat\n" + PORTAL + PASTED + b"# END jtel-chat\n",
        b"  # BEGIN jtel-chat v2, MK\r\n" + PASTED + b"# END jtel-chat\r\n" + PORTAL,
        b"# BEGIN jtel-chat\n" + PASTED + PORTAL,
        b"# BEGIN jtel-chat\n# BEGIN jtel-chat\n" + PASTED + b"# END jtel-chat\n# END jtel-chat\n" + PORTAL,
        PORTAL + PASTED + b"# END jtel-chat of 2023\n",
    ],
    ids=["around the paste", "at the end", "around all", "more words", "no end", "nested", "an end with more words"],
)
def test_comments_that_only_look_like_our_markers_are_the_customers(config: bytes) -> None:
    once = edited(config)
    assert b"#~ " + PASTED.split(b"\n")[0] in once
    assert edited(once) == once
    assert removed(once) == config


@pytest.mark.parametrize(
    "config",
    [
        PORTAL + b"# END jtel-chat\n",
        PORTAL + b"# BEGIN jtel-chat (written by me)\n# END jtel-chat\n",
        b"# BEGIN jtel-chat\n# END jtel-chat\n" + PORTAL + b"# END jtel-chat\n",
    ],
    ids=["end", "begin like ours", "end behind a pair"],
)
def test_a_marker_that_may_be_ours_is_refused_without_advice_to_remove_anything(config: bytes) -> None:
    with pytest.raises(Refused, match=r"line \d+\) has lost its counterpart.* give it other words") as refusal:
        edited(config)
    assert "emove" not in str(refusal.value)


@pytest.mark.parametrize("lost", [0, 1, 2, 5, 6])  # 3 and 4 are our END and the customer's, one behind the other
def test_a_marker_of_ours_that_was_lost_is_seen_beside_a_customers_pair(lost: int) -> None:
    lines = edited(PORTAL + b"# BEGIN jtel-chat\n" + PASTED + b"# END jtel-chat\n").splitlines(keepends=True)
    ours = [index for index, line in enumerate(lines) if b"jtel-chat (" in line or line.strip() == b"# END jtel-chat"]
    with pytest.raises(Refused, match="lost its counterpart"):
        removed(b"".join(line for index, line in enumerate(lines) if index != ours[lost]))


@pytest.mark.parametrize("end", [b"\r", b"\n\r", b"\r\r", b"\r\n\r", b" \r", b"", b"\n", b"\r\n", b"\n\n"])
@pytest.mark.parametrize("last", [PASTED, b"backend web", PORTAL], ids=["adopted", "another", "the portal"])
@pytest.mark.parametrize("crlf", [False, True])
def test_any_end_of_the_file_comes_back_to_the_byte(end: bytes, last: bytes, crlf: bool) -> None:
    before = PORTAL if last != PORTAL else b"backend web\n"
    config = (before + last.rstrip(b"\n")).replace(b"\n", b"\r\n" if crlf else b"\n") + end
    once = edited(config)
    assert edited(once) == once
    assert removed(once) == config
