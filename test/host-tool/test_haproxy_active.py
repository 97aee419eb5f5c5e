"""Which of several load balancers visitors reach now."""

from __future__ import annotations

import pytest
from jtel_chat.documents.document import Section
from jtel_chat.kinds import haproxy
from jtel_chat.net import addresses

HOST = "10.1.0.11"


@pytest.mark.parametrize(
    ("own", "named", "virtual", "active"),
    [
        ({HOST}, {HOST}, set(), True),
        ({HOST}, {"10.1.0.12"}, set(), False),
        ({HOST, "10.1.0.10"}, {"203.0.113.1"}, {"10.1.0.10"}, True),
        ({HOST}, {"203.0.113.1"}, {"10.1.0.10"}, False),
        ({HOST, "10.1.0.9"}, {"10.1.0.10"}, {"10.1.0.9", "10.1.0.10"}, False),
        ({HOST, "10.1.0.10"}, {"10.1.0.10"}, {"10.1.0.9", "10.1.0.10"}, True),
        ({HOST, "127.0.0.1", "::1"}, {"127.0.0.1", "::1"}, {"10.1.0.10"}, False),
        ({HOST, "127.0.0.1", "10.1.0.10"}, {"127.0.0.1"}, {"10.1.0.10"}, True),
        ({HOST}, set(), set(), False),
    ],
    ids=[
        "named",
        "the other named",
        "holds keepalived's",
        "does not",
        "holds another than visitors'",
        "holds visitors'",
        "loopback",
        "both",
        "nothing",
    ],
)
def test_the_address_decides(
    monkeypatch: pytest.MonkeyPatch, own: set[str], named: set[str], virtual: set[str], active: bool
) -> None:
    for name, value in (("own", lambda: own), ("resolved", lambda _: named), ("virtual", lambda: virtual)):
        monkeypatch.setattr(addresses, name, value)
    assert haproxy._is_active(Section("haproxy", "/etc/haproxy/haproxy.cfg", {"public": "chat.acme.example"})) is active
