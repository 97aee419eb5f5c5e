from __future__ import annotations

import pytest
from jtel_chat import hazelcast, unit
from jtel_chat.errors import Refused

UNIT = """\
[Service]
ExecStart=/usr/bin/java -Xmx96m \\
  -Dconnection=jdbc:mysql://acd-dbm/JTELWeb?user=root&password=<password>&x=%%y \\
  -cp "/a b/*" Main
"""


def test_only_the_connection_argument_of_the_vendors_line_is_replaced() -> None:
    assert unit.replace_argument(UNIT, "-Dconnection=", "@file") == '/usr/bin/java -Xmx96m  @file  -cp "/a b/*" Main'


def test_a_quoted_argument_is_replaced_as_a_whole() -> None:
    line = 'ExecStart=java "-Dconnection=a b" Main\n'
    assert unit.replace_argument(line, "-Dconnection=", "@file") == "java @file Main"


@pytest.mark.parametrize("text", [UNIT.replace("-Dconnection", "-Dother"), UNIT.replace("Main", "-Dconnection=2 Main"), UNIT + "ExecStart=/bin/true\n"])
def test_an_unknown_shape_is_refused_without_showing_a_password(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        unit.replace_argument(text.replace("<password>", "s3cret"), "-Dconnection=", "@file")
    assert "s3cret" not in str(refusal.value)


def test_a_hazelcast_file_without_the_chat_structures_says_what_to_add() -> None:
    found = hazelcast.problems(b"<hazelcast xmlns='http://www.hazelcast.com/schema/config'><map name='CHATCOUNTERS'/></hazelcast>")
    assert len(found) == 1
    assert '<ringbuffer name="CHAT">' in found[0]


def test_a_broken_hazelcast_file_is_named_so() -> None:
    assert "not well-formed" in hazelcast.problems(b"<hazelcast>")[0]
    assert "not <hazelcast>" in hazelcast.problems(b"<web-app/>")[0]
    assert "entities" in hazelcast.problems(b'<!DOCTYPE h [<!ENTITY a "b">]><hazelcast/>')[0]
