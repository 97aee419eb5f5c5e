from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat.access import disk, mounts, writable
from jtel_chat.errors import Refused
from jtel_chat.programs import process


@pytest.fixture
def target(state: Path) -> Path:
    (state / "etc").mkdir()
    path = state / "etc/haproxy.cfg"
    path.write_bytes(b"old")
    return path


def test_what_can_be_replaced_is_no_problem(target: Path) -> None:
    assert writable.problems(target, 1000) == []
    assert writable.problems(target.with_name("new"), 1000) == []
    assert writable.problems(target.parent / "missing/new", 1000) == []


@pytest.mark.parametrize(("flag", "words"), [(0x10, "immutable"), (0x20, "append-only")])
@pytest.mark.parametrize("folder", [True, False])
def test_flags_of_the_file_and_of_its_folder_are_seen(
    target: Path, monkeypatch: pytest.MonkeyPatch, flag: int, words: str, folder: bool
) -> None:
    marked = target.parent if folder else target
    monkeypatch.setattr(disk, "flags", lambda path: flag if path == marked else 0)
    [problem] = writable.problems(target, 1)
    assert problem.startswith(f"{marked} is {words}")
    assert problem.endswith(f"chattr -ia {marked}")


def test_a_file_that_is_a_mount_is_seen(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "points", lambda: {"/", str(target)})
    assert writable.problems(target, 1) == [
        f"{target} is a mount of its own, and cannot be replaced. Unmount it, or mount its folder instead"
    ]


def test_a_drive_that_is_read_only_or_full_is_named(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "points", lambda: {"/", str(target.parent)})
    monkeypatch.setattr(disk, "is_read_only", lambda _: True)
    monkeypatch.setattr(disk, "free", lambda path: 4096 if path == target.parent else 1 << 30)
    read_only, full = writable.problems(target, 5000)
    assert f"mounted read-only ({target.parent})" in read_only
    assert f"the file system of {target.parent} ({target.parent}) has 4096 bytes free, and 70536 are needed" in full


def test_the_backup_needs_room_too(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free", lambda path: 10 if path == disk.STATE else 1 << 30)
    [problem] = writable.problems(target, 5000)
    assert problem.startswith(f"the file system of {disk.STATE} (/) has 10 bytes free, and 65539 are needed")


def test_flags_are_the_kernels(tmp_path: Path) -> None:
    assert disk.flags(tmp_path / "missing") == 0
    assert not disk.flags(tmp_path) & 0x30


TABLE = b"""\
1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 8:2 / /home rw - ext4 /dev/sda2 rw
3 1 0:41 / %s/nfs rw - nfs4 server:/acd rw
4 1 0:42 / %s/auto rw - autofs map rw
5 1 8:3 / %s/bind rw - ext4 /dev/sda3 rw
"""


@pytest.mark.parametrize(
    ("share", "mounted"),
    [
        ("nfs", True),
        ("nfs/", True),
        ("nfs/JTEL/shared", True),
        ("link", True),
        ("auto/shared", True),
        ("bind", True),
        ("bind/below", False),
        ("nothing", False),
    ],
)
def test_a_share_is_mounted_at_its_path_or_above_through_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: str, mounted: bool
) -> None:
    """Below a mount of this host's own drive, as /home often is one, an unmounted share is just an empty folder."""
    place = str(tmp_path).encode()
    for name in ("nfs/JTEL/shared", "auto/shared", "bind/below", "nothing"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "nfs/JTEL")
    monkeypatch.setattr(disk, "kernel", lambda _: TABLE % (place, place, place))
    assert (mounts.problems(f"{tmp_path}/{share}") == []) == mounted
    assert mounts.problems(None) == []


def test_a_share_whose_server_is_silent_is_refused_and_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(mounts, "_silent", set())
    monkeypatch.setattr(process, "ends", lambda *argv, within: asked.append(argv[-1]))
    place = str(tmp_path).encode()
    monkeypatch.setattr(disk, "kernel", lambda _: TABLE % (place, place, place))
    for call in (mounts.require_answer, mounts.is_mounted):
        with pytest.raises(Refused, match=f"the server of the share at {tmp_path}/nfs gives no answer"):
            call(f"{tmp_path}/nfs")
    mounts.require_answer(f"{tmp_path}/bind")
    mounts.require_answer(None)
    assert asked == [f"{tmp_path}/nfs"]


def test_a_mount_point_with_a_blank_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = b"1 0 8:1 / / rw - ext4 x rw\n2 1 8:2 / /mnt/a\\040b rw - ext4 y rw\n"
    monkeypatch.setattr(disk, "kernel", lambda _: lines)
    assert mounts.points() == {"/", "/mnt/a b"}
    assert mounts.of(Path("/mnt/a b/c")) == "/mnt/a b"
