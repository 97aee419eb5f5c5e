"""A release that is not to be: what failed, died, was disproven or undone is as it was before."""

from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat.access import disk, trees
from jtel_chat.engine import journal, originals, releases, steps
from jtel_chat.errors import Failed, Refused
from share_and_server import Server, tree, write


def test_an_installation_by_hand_is_adopted_and_given_back(server: Server) -> None:
    server.offer(bin_a="2", README="new")
    by_hand = {
        **{
            "bin/a": "1",
            "bin/own.jar": "own",
            "README": "old",
            "systemd/unit": "edited",
            "conf/logging": "own",
            "logs/today": "x",
        },
        **{"ClientMessenger/bin/a": "2", "ClientMessenger/README": "new"},
    }
    write(server.home, by_hand)
    [nested] = server.look("hold").warnings
    assert nested.startswith(f"{server.home}/ClientMessenger is a second copy (release ")
    server.apply("hold")
    assert tree(server.home) == by_hand
    server.apply("follow")
    assert (server.home / "bin/a").read_text() == "2"
    assert not (server.home / "bin/own.jar").exists()
    steps.undo("messenger")
    assert tree(server.home) == by_hand


def test_a_first_replacement_that_is_disproven_leaves_nothing_for_undo_to_miss(server: Server) -> None:
    write(server.home, {"bin/a": "by hand"})
    server.offer(bin_a="1")
    server.apply("hold")
    server.prove("follow")
    assert (server.home / "bin/a").read_text() == "1"
    journal.disproven()
    originals.refresh("messenger")
    assert (server.home / "bin/a").read_text() == "by hand"
    assert "put" not in " ".join(line for line in steps.undo("messenger") if "bin" in line)
    assert (server.home / "bin/a").read_text() == "by hand"


def test_a_kept_release_that_is_disproven_is_kept_still(server: Server) -> None:
    releases = []
    for version in ("1", "2", "3"):
        releases.append(server.offer(bin_a=version))
        server.apply("follow")
    server.prove(releases[1])
    assert server.installed() == releases[1]
    journal.disproven()
    assert server.installed() == releases[2]
    server.prove(releases[1])
    journal.proven()
    assert server.installed() == releases[1]
    assert sorted(path.name for path in server.home.parent.iterdir()) == ["ClientMessenger"]
    assert not [path for path in server.home.iterdir() if path.name.startswith(".")]


def test_an_installation_that_fails_halfway_leaves_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.offer(bin_a="1", gui_a="1", lib_a="1")
    copy, copied = trees.copy_tree, []

    def full(source: Path, target: Path, *rest: object) -> None:
        copied.append(target)
        if target == server.home / ".lib.jtel-chat":
            raise OSError(28, "No space left on device")
        copy(source, target, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(trees, "copy_tree", full)
    with pytest.raises(OSError, match="No space"):
        server.apply("hold")
    assert server.home / ".lib.jtel-chat" in copied
    assert not server.home.exists()


def test_a_release_that_finds_no_room_is_refused_before_its_first_byte(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.offer(bin_a="1")
    monkeypatch.setattr(disk, "free", lambda _: 1 << 20)
    with pytest.raises(Refused, match=r"has not the 64 MiB free that release [0-9a-f]{16} takes"):
        server.apply("hold")
    assert not server.home.exists()


def test_a_run_that_died_between_two_renames_is_put_back(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.offer(bin_a="1")
    server.apply("hold")
    before = tree(server.home)
    server.offer(bin_a="2", lib_b="2")

    class PowerCut(BaseException):
        pass

    rename = disk.rename

    def cut(path: Path, name: str) -> None:
        if path.name == ".bin.jtel-chat":
            raise PowerCut
        rename(path, name)

    with monkeypatch.context() as broken:
        broken.setattr(disk, "rename", cut)
        broken.setattr(journal, "roll_back", lambda *_: ([], True))
        with pytest.raises(PowerCut):
            server.apply("follow")
    assert not (server.home / "bin").exists()
    journal.recover()
    assert tree(server.home) == before


def test_half_an_installation_by_hand_is_given_back(server: Server) -> None:
    server.offer(bin_a="1", gui_a="1")
    by_hand = {"gui/a": "mine", "gui/b": "mine", "logs/x": "x"}
    write(server.home, by_hand)
    server.apply("hold")
    assert tree(server.home)["gui/a"] == "1"
    steps.undo("messenger")
    assert {name: text for name, text in tree(server.home).items() if not name.startswith("conf/")} == by_hand


def test_a_program_that_could_not_be_put_back_is_not_forgotten(
    server: Server, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    write(server.home, {"bin/a": "by hand"})
    server.offer(bin_a="1")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    def swap_on_a_disk_that_fills(*where: object, comes: bool) -> None:
        swap(*where, comes=comes)  # type: ignore[arg-type]
        broken.setattr(trees, "copy_tree", full)
        full()

    swap = releases._swap
    with monkeypatch.context() as broken:
        broken.setattr(releases, "_swap", swap_on_a_disk_that_fills)
        with pytest.raises(Failed, match=r"No space left on device\nwhat was not put back is kept: .*/not-put-back/"):
            server.apply("follow")
    other = f"# files: {state}/other\ncontent:\n\tx\n"
    steps.apply("other", 1, "first", other)
    assert [text for path, text in tree(releases.store()).items() if path.endswith("bin/a")] == ["by hand"]
    assert "not-put-back holds what could not be put back" in steps.undo("other")[-1]
    assert "by hand" in tree(releases.store()).values()
    disk.remove_tree(journal.not_put_back())
    steps.apply("other", 1, "first", other)
    steps.undo("other")
    assert not disk.STATE.exists()


def test_a_failed_installation_leaves_a_folder_of_somebodys_own_as_it_is(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.offer(bin_a="1", lib_a="1")
    server.apply("follow")
    server.offer(bin_a="2")
    server.apply("follow")
    write(server.home, {"lib/mine": "somebody's own"})
    before = tree(server.home)
    server.offer(bin_a="3")

    def fails_afterwards(*where: object, comes: bool) -> None:
        swap(*where, comes=comes)  # type: ignore[arg-type]
        broken.setattr(releases, "_swap", swap)
        raise OSError(28, "No space left on device")

    swap = releases._swap
    with monkeypatch.context() as broken:
        broken.setattr(releases, "_swap", fails_afterwards)
        with pytest.raises(OSError, match="No space"):
            server.apply("follow")
    assert tree(server.home) == before


def test_undo_keeps_a_folder_of_somebodys_own_where_the_original_had_one(server: Server) -> None:
    write(server.home, {"bin/a": "by hand", "lib/a": "by hand"})
    server.offer(bin_a="1", lib_a="1")
    server.apply("follow")
    server.offer(bin_a="2")
    server.apply("follow")
    write(server.home, {"lib/mine": "somebody's own"})
    steps.undo("messenger")
    assert (server.home / "lib/a").read_text() == "by hand"
    assert (server.home / "lib.edited-under-jtel-chat/mine").read_text() == "somebody's own"


def test_a_second_undo_keeps_what_the_first_has_kept(server: Server, state: Path) -> None:
    ours = state / "file"
    ours.write_text("customer's")
    server.offer(bin_a="1")
    for edit in ("one", "two"):
        steps.apply("file", 1, "first", f"# files: {ours}\ncontent:\n\tours\n")
        server.apply("follow")
        ours.write_text(edit)
        (server.home / "bin/a").write_text(edit)
        steps.undo("messenger")
        steps.undo("file")
    kept = "{}.edited-under-jtel-chat", "{}.edited-under-jtel-chat-2"
    assert [(state / name.format("file")).read_text() for name in kept] == ["one", "two"]
    assert [(server.home / name.format("bin") / "a").read_text() for name in kept] == ["one", "two"]
