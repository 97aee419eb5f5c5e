"""The trial of ufw: what a rollback leaves of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Failed, Stuck
from jtel_chat.firewall import trial, ufw
from jtel_chat.programs import process


class Host:
    """A host whose programs note what they are asked; `ufw disable` succeeds, or does not."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = folder / "calls"
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.program("ufw", "true")
        self.program("systemctl", "exit 5")
        monkeypatch.setitem(process.ENVIRONMENT, "PATH", f"{self.programs}:/usr/bin:/bin")
        monkeypatch.setattr(ufw, "LOCK", folder / "lock")
        monkeypatch.setattr(ufw, "_LOCKED", ufw._LOCKED.replace("/run/ufw.lock", f"{folder}/lock"))
        monkeypatch.setattr(ufw, "is_active", lambda: True)
        self.program("systemd-run", "true")

    def program(self, name: str, end: str) -> None:
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.calls}\n{end}\n')
        path.chmod(0o755)

    def called(self) -> list[str]:
        return [line for line in self.calls.read_text().splitlines() if not line.startswith("systemd-run")]


@pytest.fixture
def host(state: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(state, monkeypatch)


def test_ufw_that_stays_on_keeps_its_trial(host: Host) -> None:
    host.program("ufw", 'test "$1" != disable')
    with pytest.raises(Stuck, match="'ufw disable' would have"), Transaction("firewall") as transaction:
        trial.begin("30min", transaction)
        raise Failed("the record could not be written")
    assert host.called() == ["ufw --force enable", "ufw disable"]
    assert trial._path().exists()


def test_the_trial_ends_when_ufw_is_off_again(host: Host) -> None:
    with pytest.raises(Failed) as failed, Transaction("firewall") as transaction:
        trial.begin("30min", transaction)
        raise Failed("the record could not be written")
    assert not isinstance(failed.value, Stuck)
    assert host.called() == ["ufw --force enable", "ufw disable", "systemctl stop jtel-chat-firewall-trial.timer"]
    assert not trial._path().exists()


def test_a_timer_that_was_left_is_stopped_for_the_next_try_and_ufw_is_not_called(host: Host) -> None:
    host.program("systemd-run", "exit 1")
    with pytest.raises(Failed, match="systemd-run"), Transaction("firewall") as transaction:
        trial._write({"limit": "30min", "before": []})
        trial.begin("30min", transaction)
    assert host.called() == ["systemctl stop jtel-chat-firewall-trial.timer"]
