"""When a look reads a release's files, and when it believes what was noted of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jtel_chat.engine import observing, releases
from share_and_server import Server, write


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose bytes were read."""
    names: list[str] = []
    feed = releases._feed

    def noted(digest: object, path: Path, *arguments: object) -> None:
        names.append(path.name)
        feed(digest, path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(releases, "_feed", noted)
    return names


@pytest.fixture
def settled(server: Server, read: list[str], monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server whose release was installed, and noted as if that were long ago."""
    monkeypatch.setattr(releases, "_TICK", -(10**9))
    server.offer(bin_a="1", bin_b="2")
    server.apply("hold")
    read.clear()
    return server


def looked(server: Server) -> str:
    """The release that a look finds."""
    with observing.looking():
        return server.installed()


def test_a_look_reads_no_file_that_was_not_changed_since_it_was_noted(settled: Server, read: list[str]) -> None:
    assert looked(settled) == settled.on_share().short
    read.clear()
    assert looked(settled) == settled.on_share().short
    assert read == ["a", "b", "unit"]  # of the share, by this test itself


def test_other_bytes_of_the_same_length_and_time_are_seen(settled: Server) -> None:
    file = settled.home / "bin/a"
    before = file.stat()
    file.write_text("X")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    assert looked(settled) != settled.on_share().short


@pytest.mark.parametrize("change", ["new", "gone", "replaced"])
def test_a_file_that_came_went_or_was_replaced_is_seen(change: str, settled: Server) -> None:
    file = settled.home / "bin/a"
    if change == "new":
        write(settled.home, {"bin/c": "3"})
    else:
        file.unlink()
    if change == "replaced":
        file.write_text("X")
    assert looked(settled) != settled.on_share().short


def test_an_apply_and_a_start_read_every_byte(settled: Server, read: list[str]) -> None:
    settled.installed()
    assert read == ["a", "b", "unit"]


def test_what_was_changed_within_a_tick_is_not_noted(server: Server, read: list[str]) -> None:
    server.offer(bin_a="1")
    server.apply("hold")
    read.clear()
    looked(server)
    assert read == ["a", "unit"]


def test_a_release_of_another_folder_is_not_taken_for_it(settled: Server, read: list[str]) -> None:
    moved = settled.home.with_name("moved")
    settled.home.rename(moved)
    settled.home = moved
    looked(settled)
    assert read == ["a", "b", "unit"]


def test_a_folder_without_a_program_is_no_release_whatever_else_lies_there(server: Server) -> None:
    server.home.mkdir(parents=True)
    (server.home / "logs").symlink_to("/var/log")
    assert (server.installed(), looked(server)) == ("absent", "absent")
