"""Who was logged in is a hint for whoever looks for an edit."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from jtel_chat.net import logins

BOOT, USER, DEAD = 2, 7, 8


def record(kind: int, line: str, user: str, host: str, seconds: int) -> bytes:
    """One record as login(1) writes it: 384 bytes."""
    ends = struct.pack("=hhiii", 0, 0, 0, seconds, 0)
    head = struct.pack("=hxxi32s4s32s256s", kind, 1, line.encode(), b"", user.encode(), host.encode())
    return head + ends + bytes(36)


HISTORY = (
    record(BOOT, "~", "reboot", "6.1.0", 100)
    + record(USER, "pts/0", "alice", "10.0.0.5", 200)
    + record(USER, "tty1", "bob", "", 300)
    + record(DEAD, "pts/0", "", "", 400)
    + record(BOOT, "~", "reboot", "6.1.0", 500)
)


@pytest.mark.parametrize(
    ("moment", "found"),
    [
        (150, []),
        (250, ["alice from 10.0.0.5"]),
        (350, ["alice from 10.0.0.5", "bob"]),
        (450, ["bob"]),
        (550, []),
    ],
)
def test_names_who_was_logged_in_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int, found: list[str]
) -> None:
    assert len(HISTORY) == 5 * 384
    wtmp = tmp_path / "wtmp"
    wtmp.write_bytes(HISTORY + b"cut")
    monkeypatch.setattr(logins, "_WTMP", wtmp)
    assert logins.at(moment) == found


def test_a_host_without_wtmp_names_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "_WTMP", tmp_path / "wtmp")
    assert logins.at(1) == []
