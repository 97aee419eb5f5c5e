"""What a file keeps when it is replaced."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest
from jtel_chat.access import disk, trees

NOTE = "user.note"
OWNER = (os.getuid(), os.getgid())


@pytest.mark.parametrize(("mode", "kept"), [(0o640, [NOTE]), (0o600, [])])
def test_attributes_stay_with_the_mode_that_they_were_made_for(tmp_path: Path, mode: int, kept: list[str]) -> None:
    file = tmp_path / "file"
    disk.write(file, b"old", 0o640, OWNER)
    os.setxattr(file, NOTE, b"of the customer")
    disk.write(file, b"new", mode, OWNER)
    assert (file.read_bytes(), os.listxattr(file)) == (b"new", kept)


def test_an_attribute_that_cannot_be_set_does_not_keep_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, set_attribute = tmp_path / "file", os.setxattr
    disk.write(file, b"old", 0o640, OWNER)
    for name in ("user.first", NOTE):
        os.setxattr(file, name, b"of the customer")
    refused = os.listxattr(file)[0]

    def refusing(target: int, name: str, value: bytes) -> None:
        if name == refused:
            raise PermissionError(name)
        set_attribute(target, name, value)

    monkeypatch.setattr(os, "setxattr", refusing)
    disk.write(file, b"new", 0o640, OWNER)
    assert len(os.listxattr(file)) == 1


def test_a_scratch_folder_goes_again(state: Path) -> None:
    with disk.scratch("trial") as directory:
        assert directory.stat().st_mode & 0o777 == 0o700
        (directory / "file").touch()
    assert not directory.exists()
    assert directory.parent == state / "run"


def test_what_a_killed_run_has_left_goes_with_a_later_one_whatever_the_clock_says(state: Path) -> None:
    ended = subprocess.Popen("true")
    ended.wait()
    left, of_now, of_another = (
        state / f"run/{name}" for name in (f"run-{ended.pid}-1a", f"run-{os.getpid()}-2b", f"haproxy-{ended.pid}-3c")
    )
    for directory in (left, of_now, of_another):
        directory.mkdir(parents=True)
        os.utime(directory, (0, 0))
    with disk.scratch("run"):
        assert not left.exists()
        assert of_now.exists()
        assert of_another.exists()


def test_an_error_of_the_drive_names_the_file_that_it_is_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "share", tmp_path / "log"
    source.write_text("x")
    target.write_text("")

    def fails(*_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "read", fails)
    with pytest.raises(OSError, match=str(source)):
        trees.copy_tree(source, tmp_path / "copy", lambda entry: entry.mode)
    monkeypatch.setattr(os, "write", fails)
    with pytest.raises(OSError, match=str(target)):
        disk.append(target, b"line")
    with pytest.raises(OSError, match=str(target)):
        disk.write(target, b"text")


def test_nothing_left_to_remove_is_no_error_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel answers EROFS before it looks for the name."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "unlink", refused)
    disk.remove_staged(tmp_path / "file")
    disk.forget_beside(tmp_path / "file")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Read-only"):
        disk.remove(tmp_path / "file")
