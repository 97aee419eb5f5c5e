from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat.access import disk, mounts
from jtel_chat.engine import originals
from jtel_chat.engine.transaction import Transaction
from jtel_chat.programs import process
from jtel_chat.systemd import late_share


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/jtel/shared", "home-jtel-shared"),
        ("/srv/my-share/a b", r"srv-my\x2dshare-a\x20b"),
        ("/.x/.y/ü_1:2.3", r"\x2ex-.y-\xc3\xbc_1:2.3"),
    ],
)
def test_a_mount_is_named_as_systemd_names_it(path: str, name: str) -> None:
    """The names are those of `systemd-escape --path`."""
    assert late_share.escaped(Path(path)) == name


@pytest.fixture
def called(state: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What systemd was told; below `state` is everything, and the share is mounted at `/mnt/acd`."""
    told: list[str] = []
    monkeypatch.setattr(process, "run", lambda *argv, **_: told.append(" ".join(argv[1:])) or "")
    monkeypatch.setattr(process, "attempt", lambda *argv, **_: told.append(" ".join(argv[1:])))
    system = state / "system"
    system.mkdir()
    monkeypatch.setattr(late_share, "_SYSTEM", system)
    monkeypatch.setattr(late_share, "_UNIT", system / "jtel-chat-share@.service")
    monkeypatch.setattr(mounts, "of", lambda path: "/mnt/acd" if str(path).startswith("/mnt/acd") else "/")
    return told


def links(state: Path) -> list[str]:
    return sorted(str(each.relative_to(state / "system")) for each in (state / "system").glob("*/*"))


def test_the_mount_of_the_share_and_no_other_starts_the_service(state: Path, called: list[str]) -> None:
    with Transaction("running") as change:
        late_share.apply(Path("/mnt/acd/shared"), change)
    assert links(state) == ["mnt-acd.mount.wants/jtel-chat-share@mnt-acd.service"]
    assert called == ["daemon-reload", "start jtel-chat-share@mnt-acd.service"]
    assert list(late_share.state().values()) == [str(state / "system/jtel-chat-share@.service")]
    with Transaction("running") as change:
        late_share.apply(Path("/mnt/acd/shared"), change)
    assert len(called) == 2  # a second time changes nothing

    with Transaction("running") as change:
        late_share.apply(Path("/home/jtel/shared"), change)  # the share is elsewhere now
    assert links(state) == ["home-jtel-shared.mount.wants/jtel-chat-share@home-jtel-shared.service"]

    with Transaction("running", keep=False) as change:
        late_share.undo(change)
        originals.put_back("running", change)
    assert links(state) == []
    assert "stop jtel-chat-share@home-jtel-shared.service" in called
    assert called[-1] == "daemon-reload"
    assert late_share.state() == {}


def test_a_link_that_somebody_has_removed_is_missed(state: Path, called: list[str]) -> None:
    with Transaction("running") as change:
        late_share.apply(Path("/mnt/acd"), change)
    before = late_share.state()
    disk.remove(next(iter((state / "system").glob("*/*"))))
    assert late_share.state() != before
