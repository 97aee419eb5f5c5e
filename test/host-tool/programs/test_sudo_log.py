"""Listings as sudo 1.9.13 prints them (`sudo -ll -U deploy`)."""

from __future__ import annotations

import subprocess

import pytest
from jtel_chat.programs import process, sudo_log

TOOL = "/usr/local/sbin/jtel-chatctl"


def listing(
    general: str = "env_reset",
    specific: str = "",
    entries: str = "    RunAsUsers: ALL\n    Options: !authenticate\n    Commands:\n\tALL\n",
) -> str:
    ours = f"\nRunas and Command-specific defaults for deploy:\n{specific}" if specific else ""
    parts = "".join(f"\nSudoers entry:\n{entry}" for entry in entries.split("--\n"))
    return (
        f"Matching Defaults entries for deploy on chatserver1:\n    {general}\n{ours}\nUser deploy may run the"
        f" following commands on chatserver1:\n{parts}"
    )


def entry(options: str, commands: str) -> str:
    return f"    RunAsUsers: root\n    Options: !authenticate{options}\n    Commands:\n\t{commands}\n"


@pytest.mark.parametrize(
    "kept",
    [
        listing("env_reset, mail_badpass,\n    secure_path=/usr/sbin\\:/usr/bin, log_input, log_output"),
        listing("env_reset, log_stdin"),
        listing("log_input, !log_input, log_input"),
        listing("log_input", f"    Defaults!/bin/true !log_input\n    Defaults!{TOOL} log_output\n"),
        listing("log_input", f"    Defaults!{TOOL} observe !log_input\n"),
        listing("log_input", f"    Defaults!{TOOL}x !log_input\n"),
        listing(specific=f"    Defaults!{TOOL} log_input\n"),
        listing(specific="    Defaults!ALL log_input\n"),
        listing(specific="    Defaults>root log_input\n"),
        listing(specific=f"    Defaults!/bin/true,\n        {TOOL} log_output,\n        log_input\n"),
        listing("!log_input", entries=entry(", log_input", "ALL")),
        listing(specific=f"    Defaults!{TOOL} !log_input\n", entries=entry(", log_input", TOOL)),
        listing(entries=entry("", "ALL") + "--\n" + entry(", log_input", TOOL)),
        listing("log_input", entries=entry(", !log_input", f"{TOOL} observe")),
    ],
)
def test_input_that_sudo_keeps(kept: str) -> None:
    assert sudo_log.keeps_input(kept)


@pytest.mark.parametrize(
    "free",
    [
        listing(),
        listing("env_reset, !log_input, log_output"),
        listing('badpass_message="no, log_input is not it", env_reset'),
        listing("log_input", f"    Defaults!{TOOL} !log_input\n"),
        listing("log_input", f"    Defaults!/bin/true, {TOOL}\n        !log_input\n"),
        listing("log_input", "    Defaults!/usr/local/sbin/ !log_input\n"),
        listing(specific="    Defaults!/bin/true log_input\n"),
        listing("log_input", entries=entry(", !log_input", TOOL)),
        listing(entries=entry(", log_input", "/bin/true") + "--\n" + entry("", "ALL")),
        listing(entries=entry(", log_input", "ALL") + "--\n" + entry(", !log_input", TOOL)),
        listing(entries=entry(", log_input", f'{TOOL} observe ""') + "--\n" + entry("", "ALL")),
    ],
)
def test_input_that_sudo_does_not_keep(free: str) -> None:
    assert not sudo_log.keeps_input(free)


def answers(monkeypatch: pytest.MonkeyPatch, code: int, text: str) -> list[tuple[str, ...]]:
    asked: list[tuple[str, ...]] = []

    def attempt(*argv: str, **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(argv)
        return subprocess.CompletedProcess(argv, code, text, text)

    monkeypatch.setattr(process, "attempt", attempt)
    return asked


def test_the_account_behind_sudo_is_asked_about_and_the_remedy_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "deploy")
    asked = answers(monkeypatch, 0, listing("log_input"))
    assert f"Defaults!{TOOL} !log_input" in (sudo_log.problem() or "")
    assert asked == [("sudo", "-n", "-ll", "-U", "deploy")]
    answers(monkeypatch, 0, listing())
    assert sudo_log.problem() is None


def test_a_login_as_root_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    asked = answers(monkeypatch, 0, listing("log_input"))
    assert sudo_log.problem() is None
    assert asked == []


def test_a_sudo_that_gives_no_answer_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "deploy")
    answers(monkeypatch, 1, "sudo: parse error in /etc/sudoers near line 3")
    assert "near line 3" in (sudo_log.problem() or "")
