"""A fake /proc: `sshd` of root holds the connection, below it sshd of the user, a shell, sudo, and the tool."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.engine import logbook
from jtel_chat.firewall import trial as firewall_trial
from jtel_chat.net import origin
from jtel_chat.programs import bounded, cgroup

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#: 10.1.0.21:22 from 10.1.0.5:50000, socket 4242; and a forwarded connection of the same session, socket 4243.
TCP = """\
   0: 1500010A:0016 0500010A:C350 01 00000000:00000000 00:00000000 00000000     0        0 4242 1 x
   1: 1500010A:9C40 0900010A:0050 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 x
"""


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(origin, "PROC", tmp_path)
    monkeypatch.setattr(disk, "KERNEL", (f"{tmp_path}/",))
    monkeypatch.setattr(cgroup, "PROC", str(tmp_path))
    monkeypatch.setattr(os, "getpid", lambda: 900)
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp").write_text(HEADER + TCP)
    place(tmp_path, "1", "/init.scope")
    place(tmp_path, "self", "/user.slice/user-1001.slice/session-4.scope")
    return tmp_path


def place(proc: Path, process: str, path: str, hierarchy: str = "0::") -> None:
    (proc / process).mkdir(exist_ok=True)
    (proc / process / "cgroup").write_text(f"{hierarchy}{path}\n")


def process(proc: Path, number: int, program: str, uid: int, parent: int, *held: str) -> None:
    folder = proc / str(number)
    (folder / "fd").mkdir(parents=True)
    (folder / "exe").symlink_to(program)
    (folder / "status").write_text(f"Name:\tx\nPPid:\t{parent}\nUid:\t{uid}\t0\t0\t0\n")
    for descriptor, socket in enumerate(held):
        (folder / "fd" / str(descriptor)).symlink_to(f"socket:[{socket}]")


def session(proc: Path, monitor: str = "/usr/sbin/sshd") -> None:
    process(proc, 500, "/usr/sbin/sshd", 0, 1, "77")
    process(proc, 600, monitor, 0, 500, "4243", "4242")
    process(proc, 700, "/usr/sbin/sshd", 1001, 600, "4242")
    process(proc, 800, "/usr/bin/sudo", 1001, 700)
    process(proc, 900, "/usr/bin/python3.11", 0, 800)


@pytest.mark.parametrize("monitor", ["/usr/sbin/sshd", "/usr/lib/openssh/sshd-session", "/usr/sbin/sshd (deleted)"])
def test_the_peer_is_the_socket_of_the_nearest_sshd_of_root(
    proc: Path, monitor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "203.0.113.9 1 203.0.113.9 22")
    session(proc, monitor)
    assert logbook.connection() == "10.1.0.5 50000 10.1.0.21 22"


def test_an_sshd_that_a_user_has_started_is_not_asked(proc: Path) -> None:
    process(proc, 700, "/usr/sbin/sshd", 1001, 1, "4242")
    process(proc, 900, "/usr/bin/python3.11", 0, 700)
    assert logbook.connection() == ""


def test_a_call_without_ssh_comes_from_this_host(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "203.0.113.9 1 203.0.113.9 22")
    process(proc, 900, "/usr/bin/python3.11", 0, 1)
    assert logbook.caller()["from"] == "this host"


def test_a_caller_cannot_say_who_he_is(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session(proc)
    monkeypatch.setattr(os, "getppid", lambda: 1)
    monkeypatch.setenv("SUDO_USER", "deploy")
    monkeypatch.setenv("JTEL_CHAT_BY", "somebody")
    monkeypatch.setenv("JTEL_CHAT_CONNECTION", "203.0.113.9 1 203.0.113.9 22")
    assert (logbook.caller()["by"], logbook.caller()["from"]) == ("deploy", "10.1.0.5")


def test_a_run_is_told_by_the_call_that_started_it(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place(proc, "self", "/system.slice/jtel-chat-java-812.service")
    monkeypatch.setattr(os, "getppid", lambda: 1)
    monkeypatch.setenv("JTEL_CHAT_BY", "deploy")
    monkeypatch.setenv("JTEL_CHAT_CONNECTION", "10.1.0.5 50000 10.1.0.21 22")
    assert (logbook.caller()["by"], logbook.caller()["from"]) == ("deploy", "10.1.0.5")


@pytest.mark.parametrize(
    ("path", "parent"),
    [
        ("/system.slice/jtel-chat-java-812.service", 800),  # a child of a run is no run
        ("/user.slice/user-1001.slice/user@1001.service/system.slice/jtel-chat-java-812.service", 1),
        ("/system.slice/jtel-chat-attest.service", 1),
        ("/system.slice/cron.service/system.slice/jtel-chat-java-812.service", 1),
        ("/system.slice/jtel-chat-look-812.scope", 1),
    ],
)
def test_only_systemds_child_in_a_runs_unit_is_a_run(
    proc: Path, path: str, parent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(proc, "self", path)
    monkeypatch.setattr(os, "getppid", lambda: parent)
    assert not origin.inside_run()


@pytest.mark.parametrize(
    ("first", "own", "inside"),
    [
        ("0::/init.scope", "0::/system.slice/jtel-chat-look-812.scope", True),
        (
            "1:name=systemd:/init.scope\n4:memory:/",
            "1:name=systemd:/system.slice/jtel-chat-look-812.scope\n4:memory:/\n0::/other",
            True,
        ),
        ("0::/machine.slice/lxc-1/init.scope", "0::/machine.slice/lxc-1/system.slice/jtel-chat-look-812.scope", True),
        ("0::/init.scope", "0::/user.slice/user@1001.service/system.slice/jtel-chat-look-812.scope", False),
        ("0::/init.scope", "0::/system.slice/jtel-chat-look-812.service", False),
    ],
)
def test_a_look_knows_whether_it_runs_within_its_limits(proc: Path, first: str, own: str, inside: bool) -> None:
    place(proc, "1", "", first)
    place(proc, "self", "", own)
    assert bounded.is_inside() is inside


def test_a_forged_variable_does_not_confirm_a_firewall_trial(
    proc: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session's own connection is older than the trial; the variable names a newer one."""
    session(proc)
    monkeypatch.setenv("SSH_CONNECTION", "203.0.113.9 1 10.1.0.21 22")
    monkeypatch.setenv("JTEL_CHAT_CONNECTION", "203.0.113.9 1 10.1.0.21 22")
    trial = state / "state/firewall-trial"
    trial.parent.mkdir()
    trial.write_text('{"limit": "30min", "before": ["10.1.0.5 50000"]}')
    logbook.confirm_firewall()
    assert trial.exists()


def test_a_newer_connection_confirms_it(proc: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session(proc)
    monkeypatch.setattr(firewall_trial.process, "attempt", lambda *_: None)
    trial = state / "state/firewall-trial"
    trial.parent.mkdir()
    trial.write_text('{"limit": "30min", "before": ["10.1.0.5 49999"]}')
    logbook.confirm_firewall()
    assert not trial.exists()
