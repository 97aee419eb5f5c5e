"""A look at a host whose HAProxy runs what the document says."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.documents.document import Section
from jtel_chat.engine import logbook, record
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Failed, Refused
from jtel_chat.haproxy.file import edit, parse
from jtel_chat.haproxy.file.configuration import Configuration
from jtel_chat.haproxy.process import check, instance, invocation, loaded, probe
from jtel_chat.haproxy.process.instance import Running
from jtel_chat.haproxy.process.invocation import Start
from jtel_chat.haproxy.process.loaded import Worker
from jtel_chat.kinds import haproxy
from jtel_chat.net import addresses, listeners
from jtel_chat.programs import confined, process
from jtel_chat.text import printable

CHECK = check.check
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
def section(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> Section:
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
    monkeypatch.setattr(loaded, "worker_of", lambda running: Worker("4243", time.time() + 1) if running.main else None)
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


def test_what_would_be_written_is_said_and_that_haproxy_reloads(section: Section) -> None:
    assert haproxy.due(section) == {}
    assert haproxy.due(changed(section)) == {section.name: "our blocks written", "haproxy.service": "reloaded"}


def test_a_portal_that_cannot_be_proven_is_said_before_and_once_in_sync_only_as_a_warning(section: Section) -> None:
    path = Path(section.name)
    path.write_bytes(b"frontend shop\n    bind *:443\n" + path.read_bytes())
    number = path.read_bytes().split(b"\n").index(b"    bind :443") + 1
    expected = f"{path}: line {number} 'bind :443': 'frontend shop' binds this address and port, too."
    seen = haproxy.observe(section)
    assert [text for text in seen.warnings if text.startswith(expected)]
    assert seen.problems == []
    path.write_bytes(path.read_bytes().replace(b"path /incoming", b"path /other"))
    seen = haproxy.observe(section)
    assert [text for text in seen.problems if text.startswith(expected)]


def test_lines_that_keep_requests_away_have_the_numbers_of_the_file_as_it_stands(section: Section) -> None:
    path = Path(section.name)
    bare = PORTAL.replace(b"    default", b"    use_backend web if { path /x }\n    redirect location /x\n    default")
    path.write_bytes(bare)
    (problem,) = [text for text in haproxy.observe(section).problems if "redirect" in text]
    assert problem.startswith(f"{path}: line {bare.split(b'%c' % 10).index(b'    redirect location /x') + 1} 'redirect")


def test_a_restriction_that_a_version_before_has_adopted_is_a_warning_of_every_look(section: Section) -> None:
    path = Path(section.name)
    path.write_bytes(
        path.read_bytes().replace(b"#~     server", b"#~     http-request deny if !LOCALHOST\n#~     server")
    )
    number = path.read_bytes().split(b"\n").index(b"#~     http-request deny if !LOCALHOST") + 1
    seen = haproxy.observe(section)
    expected = f"{path}: line {number} 'http-request deny if !LOCALHOST' decides who reaches chat"
    assert [text for text in seen.warnings if text.startswith(expected)]
    assert [text for text in seen.problems if "decides" in text] == []


def test_any_byte_of_the_file_can_be_said_logged_and_recorded(
    section: Section, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(section.name)
    described = PASTED + b"    .if 1\n    description Z\xfcrich\n    .endif\n"
    path.write_bytes(PORTAL.replace(b"global\n", b"global\n    chroot /srv/z\xfcrich\n") + described)
    seen = haproxy.observe(section)
    said = [*seen.problems, *seen.warnings, *(read() for read in seen.text.values())]
    assert any("chroot /srv/z" in text for text in seen.problems)
    assert any("description" in text for text in seen.warnings)
    disk.STATE.mkdir(parents=True)
    logbook.note("apply", "haproxy", "done", said)
    (entry,) = map(json.loads, (disk.STATE / "log").read_text().splitlines())
    assert entry["said"] == [printable.block(text) for text in said]
    assert record._text({"state": {}, "text": dict(enumerate(said))})


def test_a_refusal_by_the_checker_has_the_line_of_the_file_as_it_stands(
    section: Section, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(argv: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        candidate = Path(argv[argv.index("-f") + 3])
        number = candidate.read_bytes().split(b"\n").index(b"    default_backend web") + 1
        return subprocess.CompletedProcess(
            argv, 1, "", f"[ALERT]    (1) : config : parsing [{candidate}:{number}] : odd"
        )

    monkeypatch.setattr(haproxy.check, "check", CHECK)
    monkeypatch.setattr(confined, "run", run)
    monkeypatch.setattr(confined, "lacking", list)
    monkeypatch.setattr(loaded, "unloaded", lambda _: [])  # the edit below
    path = Path(section.name)
    path.write_bytes(path.read_bytes().replace(b"acl whatsapp_req path /incoming\n", b"\n    # more\n"))
    expected = f"parsing [{path}:{path.read_bytes().split(b'%c' % 10).index(b'    default_backend web') + 1}] : odd"
    assert [text for text in haproxy.observe(section).problems if text.endswith(expected)]
    with Transaction("haproxy") as transaction, pytest.raises(Refused) as refused:
        haproxy.undo(section, transaction)
    assert str(refused.value).endswith(expected)


def test_an_address_that_two_sections_share_gets_no_request(
    section: Section, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = b"defaults\n    mode http\nfrontend a\n    bind :80\n    bind :81\nfrontend b\n    bind :80\n"
    asked: list[str] = []
    monkeypatch.setattr(probe, "statuses", lambda binds, _: asked.extend(map(str, binds)) or {})
    unneeded = (
        (probe, "as_before"),
        (instance, "reload"),
        (haproxy, "_write"),
        (haproxy, "_prove_rules"),
        (loaded, "keep"),
    )
    for module, name in unneeded:
        monkeypatch.setattr(module, name, lambda *_: None)
    file = Configuration(before, Path(section.name))
    running = instance.look(file)._replace(configuration=file)
    with Transaction("haproxy") as transaction:
        haproxy._load(section, haproxy._ours(section), running, file, transaction)
    assert asked == [":81"]


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


def test_a_file_for_both_hosts_of_a_pair_is_no_problem_on_either(
    section: Section, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(section.name)
    monkeypatch.setattr(addresses, "bindable", lambda address: not address.startswith("192.0.2."))
    file, portal = path.read_bytes(), b"    bind :443\n"
    one, other = b"    bind 192.0.2.11:8443\n", b"    bind 192.0.2.12:8443\n"
    path.write_bytes(file.replace(portal, portal + b".if defined(A)\n" + one + b".else\n" + other + b".endif\n"))
    assert haproxy.observe(changed(section)).problems == []
    path.write_bytes(file.replace(portal, portal + one))
    [problem] = haproxy.observe(changed(section)).problems
    assert "binds 192.0.2.11:8443, and no interface of this host has that address" in problem


def test_an_edit_that_nobody_has_loaded_stops_a_reload_of_ours_and_nothing_else(section: Section) -> None:
    path = Path(section.name)
    loaded.keep(instance.look(Configuration(path.read_bytes(), path)))
    path.write_bytes(path.read_bytes().replace(b"maxconn 100", b"maxconn 10"))
    seen = haproxy.observe(section)
    assert seen.problems == []
    assert any("(line 2 'maxconn 10', a line less)" in warning for warning in seen.warnings)
    [problem] = haproxy.observe(changed(section)).problems
    assert problem.startswith(f"{path} was changed at ")
    with Transaction("haproxy") as transaction, pytest.raises(Refused, match="not by us, and HAProxy has not loaded"):
        haproxy.undo(section, transaction)


@pytest.mark.parametrize("change", [haproxy.apply, haproxy.undo])
def test_an_edit_while_the_checker_runs_is_kept_and_nothing_is_reloaded(
    section: Section, monkeypatch: pytest.MonkeyPatch, change: Callable[[Section, Transaction], None]
) -> None:
    path = Path(section.name)

    def edited_meanwhile(*_: object) -> list[str]:
        path.write_bytes(path.read_bytes().replace(b"maxconn 100", b"maxconn 20000"))
        return []

    monkeypatch.setattr(haproxy.check, "check", edited_meanwhile)
    monkeypatch.setattr(probe, "statuses", lambda *_: {})
    monkeypatch.setattr(instance, "reload", lambda _: pytest.fail("HAProxy was reloaded"))
    monkeypatch.setattr(haproxy, "load_again", lambda _: pytest.fail("HAProxy was reloaded"))
    expected = path.read_bytes().replace(b"maxconn 100", b"maxconn 20000")
    with pytest.raises(Refused, match=r"haproxy\.cfg was changed meanwhile.*Repeat"), Transaction("haproxy") as step:
        change(changed(section), step)
    assert path.read_bytes() == expected


def test_a_rollback_does_not_load_what_somebody_has_edited_meanwhile(
    section: Section, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(section.name)
    loaded.keep(instance.look(Configuration(path.read_bytes(), path)))
    path.write_bytes(path.read_bytes().replace(b"maxconn 100", b"maxconn 10"))
    monkeypatch.setattr(process, "attempt", lambda *_, **__: pytest.fail("HAProxy was told something"))
    assert "somebody has changed" in haproxy.load_again(section)


@pytest.fixture
def commands(section: Section, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What systemd is told on a host whose HAProxy is off and disabled."""
    told: list[str] = []
    answers = {"UnitFileState": "disabled", "ActiveState": "inactive"}

    def attempt(*argv: str, **_: object) -> subprocess.CompletedProcess[str]:
        told.append(" ".join(argv))
        return subprocess.CompletedProcess(argv, 0, answers.get(argv[-2].partition("=")[2], ""), "")

    monkeypatch.setattr(process, "run", lambda *_: "0\n")
    monkeypatch.setattr(process, "attempt", attempt)
    monkeypatch.setattr(Running, "ask", lambda *_: "")
    return told


def test_a_haproxy_that_is_off_and_disabled_is_written_and_never_started(section: Section, commands: list[str]) -> None:
    wanted = changed(section, certificate=f"{section.name}.pem")
    with Transaction("haproxy") as transaction:
        haproxy.apply(wanted, transaction)
    assert b"roundrobin" in Path(section.name).read_bytes()
    assert f"warning: {instance.OFF}" in transaction.said
    assert haproxy.load_again(section) == "HAProxy is off, and stays so."
    assert {command.split()[1] for command in commands} == {"show"}


def test_a_failover_is_no_drift(section: Section, commands: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    certified = Section(section.kind, section.name, {**section.fields, "certificate": f"{section.name}.pem"})
    off = haproxy.observe(certified)
    assert instance.OFF in off.warnings
    assert (off.state["loaded:haproxy"], off.state[f"certificate:{section.name}.pem"]) == ("current", "served")
    monkeypatch.setattr(process, "attempt", lambda *argv, **_: subprocess.CompletedProcess(argv, 0, "enabled", ""))
    assert haproxy.observe(section).state["loaded:haproxy"] == "nothing"


def test_a_start_by_others_while_the_file_is_written_is_no_success(
    section: Section, commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["0\n", "4242\n"])
    before = Path(section.name).read_bytes()
    monkeypatch.setattr(process, "run", lambda *_: next(answers))
    with pytest.raises(Failed, match="somebody has started HAProxy"), Transaction("haproxy") as transaction:
        haproxy.apply(changed(section), transaction)
    assert Path(section.name).read_bytes() == before
