from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from jtel_chat.documents import declaration, document
from jtel_chat.documents.document import Section
from jtel_chat.errors import Refused
from jtel_chat.hazelcast import configuration, joining, library
from jtel_chat.kinds import files
from jtel_chat.programs import java

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
def test_the_lines_to_add_are_those_of_the_version_that_the_file_is_for(
    said: bytes, of_the_host: str, lines: str
) -> None:
    ringbuffer, counters = configuration.problems(NEITHER % said, of_the_host)
    assert '<ringbuffer name="CHAT">' in ringbuffer
    assert lines in counters


def test_a_schema_in_the_file_tells_its_version() -> None:
    text = (
        b"<hazelcast xmlns:x='http://www.w3.org/2001/XMLSchema-instance' x:schemaLocation='c"
        b" hazelcast-config-5.3.xsd'/>"
    )
    assert "<eviction eviction-policy" in configuration.problems(text, "3")[1]


def test_hazelcasts_wildcards_serve_too() -> None:
    assert configuration.problems(NEITHER % b"<ringbuffer name='CH*'/><map name='*COUNTERS'/>") == []


def test_what_comes_from_elsewhere_is_not_called_missing() -> None:
    assert configuration.problems(NEITHER % b"<import resource='file:///etc/x.xml'/>") == []


def rendered(directory: Path) -> Section:
    fields = {
        "jars": f"{directory}/installed\n{directory}/share\n",
        "content-3": "three\n",
        "content-5": "five\n",
        "check": "hazelcast",
    }
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
    before = configuration.state(rendered(tmp_path))
    jar(tmp_path / "share", "hazelcast-5.5.0.jar")
    assert configuration.state(rendered(tmp_path)) != before


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (
            ["hazelcast-client-3.12.jar"],
            r"no hazelcast-VERSION\.jar in .*installed or .*share\. Put the vendor's release",
        ),
        (["hazelcast-4.2.jar"], r"hazelcast-4\.2\.jar is neither Hazelcast 3 nor 5.*source: share"),
        (
            ["hazelcast-3.12.jar", "hazelcast-5.5.0.jar"],
            r"hazelcast-3\.12\.jar and hazelcast-5\.5\.0\.jar.*Remove the old one",
        ),
    ],
)
def test_a_host_without_one_usable_hazelcast_is_refused_with_the_remedy(
    tmp_path: Path, names: list[str], problem: str
) -> None:
    for name in names:
        jar(tmp_path / "share", name)
    with pytest.raises(Refused, match=problem):
        files._content(rendered(tmp_path))


def test_a_refusal_is_readable() -> None:
    said = library._readable(f"found\n '{{\"http://x/y\":group}}' {'z' * 1000}")
    assert said.startswith("found '<group>' zzz")
    assert len(said) < 450


def test_a_document_carries_a_content_for_each_version() -> None:
    (section,) = document.parse("# files: /x\ncontent-3:\n\t# three\ncontent-5:\n\tfive\n")
    assert section.fields == {"content-3": "# three\n", "content-5": "five\n"}


BOMB = """<?xml version="1.0" encoding="{encoding}"?>
<!DOCTYPE h [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>
<hazelcast><group><name>&b;&c;</name></group></hazelcast>"""


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "ISO-8859-1"])
def test_entities_and_document_types_are_refused_in_any_encoding(encoding: str) -> None:
    data = BOMB.format(encoding=encoding).encode(encoding)
    assert "entities or a document type" in configuration.problems(data)[0]
    with pytest.raises(Refused, match="entities or a document type"):
        joining.read(data)
    assert (
        "entities" in configuration.judge(Section("files", "/nowhere", {"jars": "/none\n"}), data, ask=True).problems[0]
    )


def test_a_document_type_alone_is_refused_too() -> None:
    assert "document type" in configuration.problems(b'<!DOCTYPE hazelcast SYSTEM "file:///etc/passwd"><hazelcast/>')[0]


@pytest.mark.parametrize("encoding", ["utf-7", "cp037", "shift_jis", "no-such"])
def test_an_encoding_that_only_java_might_know_is_refused(encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{encoding}"?><hazelcast/>'
    data = head.encode("cp037") if encoding == "cp037" else head.encode()
    assert configuration.problems(data)[0].startswith(("its encoding is not read here", "it is not well-formed"))


def test_large_and_deep_files_are_refused_before_they_cost_anything() -> None:
    assert "at most 524288 are read" in configuration.problems(b"<hazelcast>" + b" " * 600_000 + b"</hazelcast>")[0]
    assert "deep" in configuration.problems(b"<a>" * 50_000)[0]


NETWORK = (
    "<hazelcast><network><port port-count='{count}'>{port}</port>"
    "<join><tcp-ip enabled='true'><member-list>{members}</member-list></tcp-ip></join></network></hazelcast>"
)


def network(*members: str, port: str = "5701", count: str = "100") -> joining.Network:
    listed = "".join(f"<member>{member}</member>" for member in members)
    return joining.read(NETWORK.format(port=port, count=count, members=listed).encode())


def test_a_range_stands_for_its_hosts() -> None:
    assert [member.host for member in network("10.1.0.254-255").members or []] == ["10.1.0.254", "10.1.0.255"]
    assert len(network("10.1.0.*").members or []) == 254


@pytest.mark.parametrize("member", ["10.1.0.1-9999999999", "10.1.0.1-256", "10.1.0.999-1000", f"10.1.0.1-{'9' * 5000}"])
def test_a_range_beyond_an_octet_is_a_problem(member: str) -> None:
    with pytest.raises(Refused, match="ends beyond 255"):
        network(member)
    data = NETWORK.format(port="5701", count="1", members=f"<member>{member}</member>").encode()
    assert (
        "ends beyond 255"
        in configuration.judge(Section("files", "/nowhere", {"jars": "/none\n"}), data, ask=True).problems[0]
    )


def test_many_ranges_are_a_problem() -> None:
    with pytest.raises(Refused, match="more than 1000 hosts"):
        network(*(f"10.1.{third}.1-254" for third in range(10)))


@pytest.mark.parametrize(("port", "count"), [("9" * 5000, "100"), ("5701", "9" * 5000), ("65535", "65535")])
def test_ports_end_where_ports_end(port: str, count: str) -> None:
    assert network("10.1.0.1", port=port, count=count).ports[-1] <= 65535


@pytest.mark.parametrize("import_", ["", '<import resource="file:///chat.xml"/>'])
@pytest.mark.parametrize("installed", [False, True])
def test_what_a_java_without_a_compiler_leaves_unread_is_said(
    import_: str, installed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def without_compiler(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess((), 1, "", "error: compiling a source file needs a JDK")

    monkeypatch.setattr(java, "is_there", lambda: installed)
    monkeypatch.setattr(java, "run", without_compiler)
    monkeypatch.setattr(java, "jars", lambda folder: ["hazelcast-3.12.13.jar"])
    section = Section("files", str(tmp_path / "hazelcast.xml"), {"jars": "/bin\n"})
    data = NETWORK.format(port="5701", count="1", members="").replace("</hazelcast>", f"{import_}</hazelcast>").encode()
    found = " ".join(configuration.judge(section, data, ask=True).warnings)
    assert ("only its XML was read" in found) == installed
    assert ("before Java is installed" in found) == (bool(import_) and not installed)
    assert ("what its <import> brings" in found) == bool(import_)


@pytest.mark.parametrize(
    "folder",
    [
        "/srv",
        "/home/jtel",
        "/home/jtel/ClientMessenger/bin/../../x",
        "/x/../JTELCarrierPortal/Utils/Install/ClientMessenger/bin",
        "bin",
    ],
)
def test_jars_of_other_folders_are_not_loaded(folder: str) -> None:
    section = rendered(Path("/srv"))
    section.fields["jars"] = f"{folder}\n"
    with pytest.raises(Refused, match="'jars' has a value that is none"):
        declaration.check(section, files.DECLARATION)


def test_a_refusal_shows_no_secret_and_nothing_for_a_terminal() -> None:
    said = library._readable("bad <password>s3cret</password> \x1b[2J")
    assert "s3cret" not in said
    assert "\x1b" not in said
