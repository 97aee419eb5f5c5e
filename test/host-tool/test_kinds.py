from __future__ import annotations

import pytest
from jtel_chat import firewall, hazelcast


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("allow 3003/tcp", "allow proto tcp from any to any port 3003"),
        ("allow 5701:5801/tcp from 10.1.0.21", "allow proto tcp from 10.1.0.21 to any port 5701:5801"),
        ("allow 3000/tcp from 10.1.0.9/24 on eth0", "allow in on eth0 proto tcp from 10.1.0.0/24 to any port 3000"),
    ],
)
def test_rules_in_ufws_words(line: str, words: str) -> None:
    rule = firewall._parse(line)
    assert " ".join(rule.arguments()) == words
    assert firewall._parse(str(rule)) == rule


def test_tuples_of_ufws_file_are_read_with_their_owner() -> None:
    rules: dict[firewall.Rule, bool] = {}
    for text in (
        "allow tcp 3000 0.0.0.0/0 any 10.1.0.11 in comment=6a74656c2d63686174",
        "allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in_eth0",
        "allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 WWW%20Full - in",
    ):
        firewall._add(rules, text.split())
    assert {str(rule): ours for rule, ours in rules.items()} == {"allow 3000/tcp from 10.1.0.11": True, "allow 22/tcp on eth0": False}


def test_a_hazelcast_file_without_the_chat_structures_says_what_to_add() -> None:
    found = hazelcast.problems(b"<hazelcast xmlns='http://www.hazelcast.com/schema/config'><map name='CHATCOUNTERS'/></hazelcast>")
    assert len(found) == 1
    assert '<ringbuffer name="CHAT">' in found[0]


def test_a_broken_hazelcast_file_is_named_so() -> None:
    assert "not well-formed" in hazelcast.problems(b"<hazelcast>")[0]
    assert "not <hazelcast>" in hazelcast.problems(b"<web-app/>")[0]
    assert "entities" in hazelcast.problems(b'<!DOCTYPE h [<!ENTITY a "b">]><hazelcast/>')[0]
