from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat import declaration, document, files, hazelcast, hazelcast_library
from jtel_chat.document import Section
from jtel_chat.errors import Refused

NEITHER = b"<hazelcast xmlns='http://www.hazelcast.com/schema/config'>%s</hazelcast>"


@pytest.mark.parametrize(
    ("said", "of_the_host", "lines"),
    [
        (b"<group><name>a</name></group>", "5", "<eviction-policy>LRU</eviction-policy>"),
        (b"<cluster-name>a</cluster-name>", "3", '<eviction eviction-policy="LRU"'),
        (b"", "3", "<eviction-policy>LRU</eviction-policy>"),
        (b"", "5", '<eviction eviction-policy="LRU"'),
    ],
)
def test_the_lines_to_add_are_those_of_the_version_that_the_file_is_for(said: bytes, of_the_host: str, lines: str) -> None:
    ringbuffer, counters = hazelcast.problems(NEITHER % said, of_the_host)
    assert '<ringbuffer name="CHAT">' in ringbuffer
    assert lines in counters


def test_a_schema_in_the_file_tells_its_version() -> None:
    text = b"<hazelcast xmlns:x='http://www.w3.org/2001/XMLSchema-instance' x:schemaLocation='c hazelcast-config-5.3.xsd'/>"
    assert "<eviction eviction-policy" in hazelcast.problems(text, "3")[1]


def test_hazelcasts_wildcards_serve_too() -> None:
    assert hazelcast.problems(NEITHER % b"<ringbuffer name='CH*'/><map name='*COUNTERS'/>") == []


def test_what_comes_from_elsewhere_is_not_called_missing() -> None:
    assert hazelcast.problems(NEITHER % b"<import resource='file:///etc/x.xml'/>") == []


def rendered(directory: Path) -> Section:
    fields = {"jars": f"{directory}/installed\n{directory}/share\n", "content-3": "three\n", "content-5": "five\n", "check": "hazelcast"}
    return Section("files", f"{declaration.HOME}/conf/hazelcast.xml", fields)


def jar(directory: Path, name: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / name).touch()


def test_the_file_is_rendered_for_the_installed_release_and_for_the_shares_before_there_is_one(tmp_path: Path) -> None:
    jar(tmp_path / "share", "hazelcast-5.5.0.jar")
    assert files._content(rendered(tmp_path)) == b"five\n"
    jar(tmp_path / "installed", "hazelcast-all-3.12.13.jar")
    assert files._content(rendered(tmp_path)) == b"three\n"


def test_another_major_version_on_the_host_is_drift(tmp_path: Path) -> None:
    before = hazelcast.state(rendered(tmp_path))
    jar(tmp_path / "share", "hazelcast-5.5.0.jar")
    assert hazelcast.state(rendered(tmp_path)) != before


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["hazelcast-client-3.12.jar"], r"no hazelcast-VERSION\.jar in .*installed or .*share\. Put the vendor's release"),
        (["hazelcast-4.2.jar"], r"hazelcast-4\.2\.jar is neither Hazelcast 3 nor 5.*source: share"),
        (["hazelcast-3.12.jar", "hazelcast-5.5.0.jar"], r"hazelcast-3\.12\.jar and hazelcast-5\.5\.0\.jar.*Remove the old one"),
    ],
)
def test_a_host_without_one_usable_hazelcast_is_refused_with_the_remedy(tmp_path: Path, names: list[str], problem: str) -> None:
    for name in names:
        jar(tmp_path / "share", name)
    with pytest.raises(Refused, match=problem):
        files._content(rendered(tmp_path))


def test_a_refusal_is_readable() -> None:
    said = hazelcast_library._readable(f"found\n '{{\"http://x/y\":group}}' {'z' * 1000}")
    assert said.startswith("found '<group>' zzz")
    assert len(said) < 450


def test_a_document_carries_a_content_for_each_version() -> None:
    (section,) = document.parse("# files: /x\ncontent-3:\n\t# three\ncontent-5:\n\tfive\n")
    assert section.fields == {"content-3": "# three\n", "content-5": "five\n"}
