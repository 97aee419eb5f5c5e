from __future__ import annotations

from jtel_chat.hazelcast import configuration


def test_a_hazelcast_file_without_the_chat_structures_says_what_to_add() -> None:
    found = configuration.problems(
        b"<hazelcast xmlns='http://www.hazelcast.com/schema/config'><map name='CHATCOUNTERS'/></hazelcast>"
    )
    assert len(found) == 1
    assert '<ringbuffer name="CHAT">' in found[0]


def test_a_broken_hazelcast_file_is_named_so() -> None:
    assert "not well-formed" in configuration.problems(b"<hazelcast>")[0]
    assert "not <hazelcast>" in configuration.problems(b"<web-app/>")[0]
    assert "entities" in configuration.problems(b'<!DOCTYPE h [<!ENTITY a "b">]><hazelcast/>')[0]
