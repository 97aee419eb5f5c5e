"""A look at a host whose HAProxy runs what the document says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.documents.document import Section
from jtel_chat.haproxy.file import edit, parse
from jtel_chat.haproxy.file.configuration import Configuration
from jtel_chat.haproxy.process import instance, invocation
from jtel_chat.haproxy.process.instance import Running
from jtel_chat.haproxy.process.invocation import Start
from jtel_chat.kinds import haproxy
from jtel_chat.net import listeners
from jtel_chat.programs import process

SECTIONS = """\
global
    setenv CFGREV 0

frontend acdportal_chat_wss
    mode http
    bind :3003
    default_backend backend_chat_ws

backend backend_chat_ws
    mode http
    balance leastconn
"""
RULES = "acl whatsapp_req path /incoming\nuse_backend backend_chat_ws if whatsapp_req\n"
PORTAL = b"global\n    maxconn 100\n\nfrontend acdportal_https\n    bind :443\n    default_backend web\n"
PASTED = b"backend backend_chat_ws\n    server chatserver1 10.1.0.21:3000 check\n"
BEFORE, AFTER = b"defaults\n    mode http\n", b"defaults\n    mode tcp\nlisten mysql\n    bind :3306\n"


@pytest.fixture
def section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Section:
    """The document of a host that is in sync, with a file before the customer's own and one after it."""
    before, path, after = (tmp_path / name for name in ("10-defaults.cfg", "haproxy.cfg", "20-mysql.cfg"))
    before.write_bytes(BEFORE)
    after.write_bytes(AFTER)
    wanted = Section(
        "haproxy", str(path), {"sections": SECTIONS, "portal": "acdportal_https", "rules": RULES, "public": "chat"}
    )
    start = Start(files=(before, path, after), environment={"LANG": "C.UTF-8"})
    file = start.around(Configuration(PORTAL + PASTED, path))
    edited = edit.edit(file, Configuration(SECTIONS.encode()), portal="acdportal_https", rules=wanted.lines("rules"))
    path.write_bytes(edited.text)
    revision = edit.revision(edited)
    monkeypatch.setattr(process, "run", lambda *_: "4242\n")
    monkeypatch.setattr(invocation, "read", lambda _: start)
    monkeypatch.setattr(instance, "_children", lambda _: frozenset({4243}))
    monkeypatch.setattr(Running, "ask", lambda _, command: f"CFGREV={revision}" if "env" in command else "2.6")
    monkeypatch.setattr(listeners, "listening", lambda _: [])
    monkeypatch.setattr(haproxy.check, "check", lambda *_: [])
    return wanted


def changed(section: Section, **fields: str) -> Section:
    """A document that owes a reload."""
    sections = SECTIONS.replace("leastconn", "roundrobin")
    return Section(section.kind, section.name, {**section.fields, "sections": sections, **fields})


def test_a_look_at_a_file_in_sync_reads_every_text_once(section: Section, monkeypatch: pytest.MonkeyPatch) -> None:
    words, split = parse.words, parse.split
    lines: Counter[bytes] = Counter()
    texts: Counter[bytes] = Counter()

    def counted_words(line: bytes) -> tuple[str, ...]:
        lines[line] += 1
        return words(line)

    def counted_split(text: bytes) -> list[bytes]:
        texts[text] += 1
        return split(text)

    monkeypatch.setattr(parse, "words", counted_words)
    monkeypatch.setattr(parse, "split", counted_split)
    seen = haproxy.observe(section)
    assert (seen.state["loaded:haproxy"], seen.problems) == ("current", [])
    file, rules = Path(section.name).read_bytes(), RULES.rstrip("\n").encode()
    # A carried line is read as the comment that it is, and as the line that it was.
    once = [file, PASTED, BEFORE + b"\n", AFTER + b"\n", SECTIONS.encode(), rules]
    assert lines == Counter(line for text in once for line in split(text))
    assert set(texts.values()) == {1}


def test_a_certificate_stops_what_needs_a_reload_and_nothing_else(section: Section) -> None:
    none = f"{section.name}.pem"
    missing = f"the certificate {none} is missing"
    seen = haproxy.observe(Section(section.kind, section.name, {**section.fields, "certificate": none}))
    assert seen.problems == []
    assert any(warning.startswith(missing) for warning in seen.warnings)
    seen = haproxy.observe(changed(section, certificate=none))
    assert [problem[: len(missing)] for problem in seen.problems] == [missing]
    assert not any(warning.startswith(missing) for warning in seen.warnings)


def test_a_file_that_nothing_can_replace_is_a_problem_where_it_has_to_be_written(
    section: Section, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "flags", lambda path: 0x10 if str(path) == section.name else 0)
    assert haproxy.observe(section).problems == []
    [problem] = haproxy.observe(changed(section)).problems
    assert problem.startswith(f"{section.name} is immutable")
