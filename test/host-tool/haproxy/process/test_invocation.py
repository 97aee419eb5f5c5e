"""What the command line and the environment of HAProxy's main process say."""

from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat.haproxy.file.configuration import Configuration
from jtel_chat.haproxy.process import invocation
from jtel_chat.haproxy.process.invocation import Start


def started(monkeypatch: pytest.MonkeyPatch, command: str, *environment: str) -> Start:
    strings = {"cmdline": command.split(), "environ": list(environment)}
    monkeypatch.setattr(invocation, "_strings", lambda _, name: strings[name])
    return invocation.read(1)


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        (
            "-Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid -S /run/haproxy-master.sock",
            ["/etc/haproxy/haproxy.cfg"],
        ),
        ("-sf 12 13 -x sockpair@4 -Ws -f /etc/a.cfg -f /etc/b.cfg", ["/etc/a.cfg", "/etc/b.cfg"]),
        ("-W -f /etc/a.cfg -- /etc/b.cfg /etc/c.cfg", ["/etc/a.cfg", "/etc/b.cfg", "/etc/c.cfg"]),
        ("-W", []),
    ],
)
def test_its_files_are_known_in_their_order(monkeypatch: pytest.MonkeyPatch, arguments: str, files: list[str]) -> None:
    assert started(monkeypatch, f"/usr/sbin/haproxy {arguments}").files == tuple(map(Path, files))


def test_of_a_directory_it_reads_what_ends_in_cfg_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("20-web.cfg", "10-global.cfg", "notes.txt", ".off.cfg"):
        (tmp_path / name).write_text(name)
    (tmp_path / "old.cfg").mkdir()
    start = started(monkeypatch, f"haproxy -f {tmp_path}")
    assert [file.name for file in start.files] == ["10-global.cfg", "20-web.cfg"]
    assert start.with_candidate(tmp_path / "20-web.cfg", Path("/new")) == [tmp_path / "10-global.cfg", Path("/new")]
    last, first, other = (
        start.around(Configuration(b"changed", tmp_path / name))
        for name in ("20-web.cfg", "10-global.cfg", "other.cfg")
    )
    assert ([file.text for file in last.before], last.after) == ([b"10-global.cfg\n"], ())
    assert [file.text for file in first.after] == [b"20-web.cfg\n"]
    assert last.whole == b"10-global.cfg\nchanged\n"
    assert other.whole == b"changed\n"
    assert start.around(last) is last


def test_a_link_to_its_file_is_that_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    link, file = tmp_path / "haproxy.cfg", tmp_path / "acd.cfg"
    file.touch()
    link.symlink_to(file)
    start = started(monkeypatch, f"haproxy -f {file}")
    assert start.loads(link)
    assert not start.loads(tmp_path / "other.cfg")
    assert start.with_candidate(tmp_path / "other.cfg", Path("/new")) == [Path("/new")]


@pytest.mark.parametrize(
    ("argument", "socket"),
    [
        ("-S /run/haproxy-master.sock", "/run/haproxy-master.sock"),
        ("-S unix@/run/m.sock,mode,600,level,admin", "/run/m.sock"),
        ("-S 127.0.0.1:9999", None),
        ("-f -S", None),
        ("", None),
    ],
)
def test_its_master_socket_is_found_wherever_it_is_a_file(
    monkeypatch: pytest.MonkeyPatch, argument: str, socket: str | None
) -> None:
    assert started(monkeypatch, f"haproxy -Ws {argument}").master == socket


def test_another_haproxy_gets_its_variables_but_not_what_makes_it_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = (
        "PORT=443",
        "EMPTY=",
        "EQUAL=a=b",
        "HAPROXY_MWORKER_REEXEC=1",
        "HAPROXY_PROCESSES=x",
        "NOTIFY_SOCKET=/run/n",
        "broken",
    )
    assert started(monkeypatch, "haproxy", *environment).environment == {"PORT": "443", "EMPTY": "", "EQUAL": "a=b"}


def test_what_decides_how_a_file_is_judged_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    start = started(monkeypatch, "haproxy -Ws -dr -C /etc/haproxy -f haproxy.cfg -p /run/p")
    assert start.options == ("-dr", "-C", "/etc/haproxy")
    assert start.loads(Path("/etc/haproxy/haproxy.cfg"))


def test_a_message_names_the_variables_of_the_file_and_hides_their_values() -> None:
    start = Start(
        environment={
            "KEY": "sEcReT",
            "LONG": "sEcReT-more",
            "WORDS": "first1 second2",
            "PATH": "/usr/bin",
            "PORT": "8443",
            "EMPTY": "",
        }
    )
    config = (
        b"acl a hdr(X-Key) ${KEY} $LONG\nacl b hdr(X-Key) ${WORDS[*]}\nbind :$EMPTY\nbind :$PORT\nsetenv OWN 'own"
        b" secret'\n"
    )
    said = "found 'sEcReT', 'sEcReT-more', 'second2', 'own secret' in /usr/bin:8443"
    assert start.unexpanded(said, Configuration(config)) == "found '$KEY', '$LONG', '$WORDS', '$OWN' in /usr/bin:8443"


def test_what_it_was_started_with_is_shown_without_the_environment() -> None:
    start = Start((Path("/etc/haproxy/haproxy.cfg"),), environment={"KEY": "sEcReT"})
    assert "haproxy.cfg" in repr(start)
    assert "sEcReT" not in f"{start} {[start]}"


def test_what_does_not_run_has_no_files() -> None:
    assert invocation.read(0) == Start()
    assert Start().around(Configuration(b"text", Path("/etc/haproxy/haproxy.cfg"))).whole == b"text\n"
