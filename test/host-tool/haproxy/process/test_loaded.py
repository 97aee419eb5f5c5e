"""What of the customer's files HAProxy has not loaded yet."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from jtel_chat.haproxy.file import edit
from jtel_chat.haproxy.file.configuration import Configuration
from jtel_chat.haproxy.process import loaded
from jtel_chat.haproxy.process.instance import Running
from jtel_chat.haproxy.process.invocation import Start
from jtel_chat.haproxy.process.loaded import Worker

CUSTOMER = b"""\
global
    maxconn 100

frontend portal
    acl edge src 192.0.2.0/24
    bind :443
    default_backend web
"""
DENY = b"    http-request return status 503 unless { req.hdr(x-key) s3cret }\n"
OURS = Configuration(b"global\n    setenv CFGREV 0\n\nbackend backend_chat_ws\n    balance leastconn\n")


class Host:
    """A haproxy.cfg and one beside it, and the HAProxy that has loaded them."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.beside = directory / "haproxy.cfg", directory / "more.cfg"
        self.path.write_bytes(CUSTOMER)
        self.beside.write_bytes(b"backend web\n    server a 10.0.0.1:80\n")
        self.worker: Worker | None = None
        monkeypatch.setattr(loaded, "worker_of", lambda _: self.worker)
        for file in (self.path, self.beside):
            os.utime(file, (time.time() - 7200,) * 2)
        self.reload("first")

    def reload(self, worker: str) -> None:
        """Somebody reloads HAProxy: a worker of that name begins now."""
        time.sleep(0.03)
        self.worker = Worker(worker, time.time())
        time.sleep(0.03)

    def running(self) -> Running:
        start = Start(files=(self.path, self.beside))
        config = start.around(Configuration(self.path.read_bytes(), self.path))
        return Running(1, start, config, frozenset({2}), None, None, None, None)

    def configure(self) -> None:
        """An apply of ours: blocks, a reload, a copy."""
        edited = edit.edit(self.running().configuration, OURS, portal="", rules=[])
        self.path.write_bytes(edited.text)
        self.reload("ours")
        loaded.keep(self.running())

    def change(self, old: bytes, new: bytes) -> None:
        self.path.write_bytes(self.path.read_bytes().replace(old, new))

    def unloaded(self) -> list[str]:
        return loaded.unloaded(self.running())


@pytest.fixture
def host(state: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(state, monkeypatch)


def test_what_we_have_loaded_is_no_news_until_somebody_edits_it(host: Host) -> None:
    host.configure()
    assert host.unloaded() == []
    assert not loaded.is_edited(host.running().configuration)
    host.change(b"    bind :443\n", b"    bind :443\n" + DENY)
    [said] = host.unloaded()
    assert said.startswith(f"{host.path} was changed at 20")
    assert "(line 7 'http-request return status 503 unless …')" in said
    assert "systemctl reload haproxy" in said
    assert "s3cret" not in said
    assert loaded.is_edited(host.running().configuration)


def test_taking_it_back_or_loading_it_ends_it(host: Host) -> None:
    host.configure()
    host.change(b"    bind :443\n", DENY)
    host.change(DENY, b"    bind :443\n")
    assert host.unloaded() == []
    host.change(b"    bind :443\n", DENY)
    assert host.unloaded()
    host.reload("customer's")
    assert host.unloaded() == []


def test_our_own_blocks_comments_and_blanks_are_nothing_of_the_customers(host: Host) -> None:
    host.configure()
    host.change(b"balance leastconn", b"balance roundrobin")
    host.change(b"global\n    maxconn", b"# since then\nglobal\n\n\tmaxconn")
    assert host.unloaded() == []


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        (b"src 192.0.2.0/24", b"hdr(x) s3cret", "line 5 'acl edge …', a line less"),
        (b"    bind :443\n", b"", "(a line less)"),
        (b"    bind :443\n", b"".join(b"    bind :%d\n" % port for port in range(80, 86)), "3 further lines, a line"),
        (b"    bind :443\n    default_backend web\n", b"    default_backend web\n    bind :443\n", "in another order"),
    ],
)
def test_the_difference_is_named_without_what_a_rule_compares_with(
    host: Host, old: bytes, new: bytes, difference: str
) -> None:
    host.configure()
    host.change(old, new)
    [said] = host.unloaded()
    assert difference in said
    assert "s3cret" not in said


def test_a_file_beside_counts_as_well(host: Host) -> None:
    host.configure()
    host.beside.write_bytes(b"backend web\n    server a 10.0.0.2:80\n")
    [said] = host.unloaded()
    assert said.startswith(f"{host.beside} was changed")
    assert "line 2 'server a 10.0.0.2:80'" in said


def test_a_file_that_is_gone_counts_until_it_is_back_or_haproxy_is_reloaded(host: Host) -> None:
    host.configure()
    away = host.beside.rename(host.beside.with_suffix(".off"))
    assert host.unloaded() == [loaded._said_gone(str(host.beside))]
    assert f"{host.beside} is gone, and HAProxy has it still" in host.unloaded()[0]
    assert loaded.is_edited(host.running().configuration)
    away.rename(host.beside)
    assert host.unloaded() == []
    assert not loaded.is_edited(host.running().configuration)
    host.beside.unlink()
    host.reload("customer's")
    assert host.unloaded() == []


def test_a_file_of_comments_that_is_gone_is_nothing(host: Host) -> None:
    host.beside.write_bytes(b"# nothing yet\n\n")
    host.configure()
    host.beside.unlink()
    assert host.unloaded() == []


def test_after_a_reload_of_the_customers_times_tell_and_the_copy_says_since_when(host: Host) -> None:
    host.configure()
    host.change(b"maxconn 100", b"maxconn 200")
    host.reload("customer's")
    os.utime(host.path, (time.time() - 3600,) * 2)  # `cp -a` keeps the time of what it copies
    [said] = host.unloaded()
    assert "since our last reload: line 2 'maxconn 200', a line less" in said
    assert said.endswith("else take it back, and reload it then")


def test_the_same_text_written_anew_is_no_edit(host: Host) -> None:
    host.configure()
    host.reload("customer's")
    host.path.write_bytes(host.path.read_bytes())
    assert host.unloaded() == []


def test_a_host_of_an_earlier_version_has_no_copy_and_is_not_stopped(host: Host) -> None:
    host.configure()
    loaded.forget()
    assert host.unloaded() == []
    host.path.chmod(0o640)
    assert host.unloaded() == []
    host.change(b"balance leastconn", b"balance roundrobin")  # an edit of our block alone is drift, which is healed
    assert host.unloaded() == []


def test_without_a_copy_what_was_written_since_the_start_is_seen(host: Host) -> None:
    assert host.unloaded() == []
    host.change(b"maxconn 100", b"maxconn 200")
    [said] = host.unloaded()
    assert "HAProxy has not loaded that. The next reload" in said


def test_what_does_not_run_has_loaded_nothing_and_keeps_nothing(host: Host) -> None:
    host.configure()
    host.worker = None
    host.change(b"maxconn 100", b"maxconn 200")
    assert host.unloaded() == []
    loaded.keep(host.running())
    assert not loaded.is_edited(host.running().configuration)


def test_the_youngest_worker_is_the_one_that_serves() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        begin = time.time()
        running = Running(1, Start(), Configuration(b""), frozenset({os.getpid(), child.pid}), None, None, None, None)
        worker = loaded.worker_of(running)
        child.kill()
    assert worker is not None
    assert worker.identity.split()[1] == str(child.pid)
    assert abs(worker.since - begin) < 5


def test_a_worker_that_has_ended_is_none() -> None:
    running = Running(0, Start(), Configuration(b""), frozenset({4194305}), None, None, None, None)
    assert loaded.worker_of(running) is None
