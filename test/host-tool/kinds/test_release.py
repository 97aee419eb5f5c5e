from __future__ import annotations

import os
from pathlib import Path

import pytest
from jtel_chat.access import account, disk, trees
from jtel_chat.documents import kind
from jtel_chat.documents.document import parse
from jtel_chat.engine import journal, originals, releases, steps
from jtel_chat.errors import Failed, Refused
from jtel_chat.kinds import release


class Server:
    """A share and a server, with one release after the other on the share."""

    def __init__(self, place: Path) -> None:
        self.share, self.home = place / "share/ClientMessenger", place / "home/ClientMessenger"

    def offer(self, **files: str) -> str:
        """Put a release on the share, `bin_a="…"` for `bin/a`; its digest."""
        if self.share.exists():
            disk.remove_tree(self.share)
        write(
            self.share,
            {
                "conf/logging": "vendor's",
                "systemd/unit": "unit",
                **{name.replace("_", "/"): text for name, text in files.items()},
            },
        )
        return self.on_share().short

    def on_share(self) -> releases.Release:
        return releases.examine(self.share, releases.offered(self.share, account.service()), account.service())

    def document(self, wanted: str) -> str:
        return f"# release: {self.home}\nfrom: {self.share}\nrelease: {wanted}\n"

    def apply(self, wanted: str) -> list[str]:
        return steps.apply("messenger", 1, "first", self.document(wanted))

    def prove(self, wanted: str) -> None:
        """Apply it as something that only a start can prove good."""
        steps.apply("messenger", 1, "first", self.document(wanted) + "loaded-by: jtel-clientmessenger.service\n")

    def look(self, wanted: str) -> kind.Observed:
        return release.observe(parse(self.document(wanted))[0])

    def installed(self) -> str:
        return release.installed(parse(self.document("hold"))[0]).short


def write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)


def tree(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): path.read_text() for path in sorted(directory.rglob("*")) if path.is_file()
    }


@pytest.fixture
def server(state: Path) -> Server:
    os.umask(0o022)
    (state / "home").mkdir()
    return Server(state)


def test_hold_installs_what_the_share_has_once_and_keeps_it(server: Server) -> None:
    first = server.offer(bin_a="1")
    assert server.apply("hold") == [f"installed release {first} in {server.home}"]
    server.offer(bin_a="2")
    assert server.apply("hold") == ["nothing to change"]
    assert server.installed() == first


def test_follow_takes_the_shares_and_no_old_jar_or_folder_stays(server: Server) -> None:
    server.offer(bin_a="1", bin_old="1", lib_old="1", README="1")
    server.apply("follow")
    write(server.home, {"conf/logging": "the host's", "logs/today": "x", "conf/hazelcast.xml": "y"})
    second = server.offer(bin_a="2", conf_new="new")
    assert server.apply("follow") == [f"installed release {second} in {server.home}"]
    assert server.installed() == second
    now = tree(server.home)
    assert now == {
        **{"bin/a": "2", "systemd/unit": "unit", "logs/today": "x"},
        **{"conf/logging": "the host's", "conf/hazelcast.xml": "y", "conf/new": "new"},
    }


def test_a_digest_installs_that_release_from_the_share_or_from_the_kept_one(server: Server) -> None:
    first = server.offer(bin_a="1", bin_old="1", README="1")
    server.apply("follow")
    second = server.offer(bin_a="2")
    server.apply(second)
    assert server.installed() == second
    third = server.offer(bin_a="3")
    server.apply(third)
    assert server.apply(second) == [f"installed release {second} in {server.home}"]
    assert server.apply(third) == [f"installed release {third} in {server.home}"]
    assert server.apply(third) == ["nothing to change"]
    assert first not in {second, third}


def test_a_digest_that_is_nowhere_is_refused_with_what_there_is(server: Server) -> None:
    first = server.offer(bin_a="1")
    server.apply("hold")
    second = server.offer(bin_a="2")
    problem = server.look("0123456789abcdef").problems
    assert problem == [
        f"release 0123456789abcdef is to be had nowhere: the share has {second}, installed is {first}. "
        f"Put it into {server.share}, or set clientMessenger.release to one of these"
    ]
    assert server.look(first).problems == []


@pytest.mark.parametrize("wanted", ["hold", "follow"])
def test_an_empty_share_is_a_problem_only_where_something_has_to_come_from_it(server: Server, wanted: str) -> None:
    (server.share / "bin").mkdir(parents=True)
    assert "holds no release" in server.look(wanted).problems[0]
    server.offer(bin_a="1")
    server.apply(wanted)
    before = tree(server.home)
    disk.remove_tree(server.share)
    assert bool(server.look(wanted).problems) == (wanted == "follow")
    if wanted == "follow":
        with pytest.raises(Refused, match="holds no release"):
            server.apply(wanted)
    assert tree(server.home) == before
    assert release.observe(parse(server.document("hold"))[0]).state == {
        f"release:{server.home}": server.look("hold").loaded[f"release:{server.home}"]
    }


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


def test_logs_that_a_program_writes_beside_itself_are_no_drift(server: Server) -> None:
    server.offer(bin_a="1")
    server.apply("hold")
    write(server.home, {"logs/today": "x"})
    assert not steps.drifted("messenger")
    write(server.home, {"bin/b": "x"})
    assert steps.drifted("messenger")


def test_what_desktops_and_nfs_leave_on_the_share_is_no_part_of_a_release(server: Server) -> None:
    server.offer(bin_a="1")
    server.apply("follow")
    for name in ("Thumbs.db", "bin/desktop.ini", "bin/.nfs00000000000a1b2c", "bin/~$notes.docx", "bin/.DS_Store"):
        (server.share / name).write_text("litter")
    assert server.apply("follow") == ["nothing to change"]
    assert "Thumbs.db" not in tree(server.home)
    (server.share / "bin/Thumbs.dbx").write_text("1")
    assert server.apply("follow") != ["nothing to change"]


def test_a_program_that_was_changed_by_hand_is_brought_back_from_roots_own_copy(server: Server) -> None:
    first = server.offer(bin_a="1")
    server.apply("hold")
    server.offer(bin_a="2")
    write(server.home, {"bin/a": "changed"})
    assert server.apply("hold") == [f"installed release {first} in {server.home}"]
    assert (server.home / "bin/a").read_text() == "1"


def test_servers_with_different_releases_can_be_told(server: Server) -> None:
    first = server.offer(bin_a="1")
    assert set(server.look("hold").alike.values()) == {first}
    server.apply("hold")
    second = server.offer(bin_a="2")
    assert set(server.look("hold").alike.values()) == {first}
    assert set(server.look("follow").alike.values()) == {second}


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


def test_a_nested_copy_is_no_part_of_the_release_when_the_share_is_away(server: Server) -> None:
    write(server.home, {"bin/a": "1"})
    alone = server.installed()
    write(server.home, {"ClientMessenger/bin/a": "2"})
    assert server.installed() == alone


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


def test_a_pin_of_16_or_64_digits_names_a_release_also_in_the_form_of_earlier_versions(server: Server) -> None:
    server.offer(bin_a="1", README="x")
    first = server.on_share()
    earlier = releases.earlier_digest(server.share, first.entries, account.service())
    server.apply("hold")
    server.offer(bin_a="2")
    server.apply("follow")
    assert earlier != first.short
    for pin in (first.digest, first.short, earlier):
        server.apply("follow")
        assert server.apply(pin) == [f"installed release {first.short} in {server.home}"]
        assert server.apply(pin) == ["nothing to change"]


def test_a_pin_that_names_two_releases_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = server.offer(bin_a="1")
    server.apply("hold")
    server.offer(bin_a="2")
    server.apply("follow")
    server.offer(bin_a="3")
    third = server.on_share()
    monkeypatch.setattr(releases, "earlier_digest", lambda place, *_: pin if place == server.share else "other")
    with pytest.raises(Refused, match=f"release {pin} names .*{third.digest}.*all 64 digits"):
        server.apply(pin)


def test_a_line_break_in_a_files_name_forges_no_digest(server: Server) -> None:
    def digest(**files: str) -> str:
        disk.remove_tree(server.share)
        write(server.share, files)
        return server.on_share().digest

    one = digest(**{"bin/a": "1", "bin/b": "2"})
    assert one != digest(**{"bin/a": "1" + "bin/b2"})
    earlier = f"bin/a {disk_digest('1')}\nbin/b"
    assert one != digest(**{earlier: "2", "bin/c": ""})


def disk_digest(text: str) -> str:
    from jtel_chat.access import digests

    return digests.short(text.encode())


def test_a_folder_of_somebodys_own_under_a_name_that_a_new_release_brings_is_not_replaced(server: Server) -> None:
    server.offer(bin_a="1")
    server.apply("hold")
    write(server.home, {"lib/own": "mine"})
    server.offer(bin_a="2", lib_new="2")
    with pytest.raises(Refused, match="lib is no part of the installed release"):
        server.apply("follow")
    assert tree(server.home)["lib/own"] == "mine"


def test_half_an_installation_by_hand_is_given_back(server: Server) -> None:
    server.offer(bin_a="1", gui_a="1")
    by_hand = {"gui/a": "mine", "gui/b": "mine", "logs/x": "x"}
    write(server.home, by_hand)
    server.apply("hold")
    assert tree(server.home)["gui/a"] == "1"
    steps.undo("messenger")
    assert {name: text for name, text in tree(server.home).items() if not name.startswith("conf/")} == by_hand


def test_only_what_is_used_is_kept(server: Server) -> None:
    for version in ("1", "2", "3", "4"):
        server.offer(bin_a=version)
        server.apply("follow")
    kept = {name: release.short for name, release in releases.index().items() if not release.is_absent}
    assert sorted(kept) == ["current", "previous"]
    assert len([name for name in disk.names(releases.store()) if len(name) == 64]) == 2


def test_a_document_of_an_older_version_is_looked_at_without_the_fields_that_it_lacks(server: Server) -> None:
    text = (
        server.document("hold") + f"\n# unit: x.service\nfrom: {server.home}/systemd/unit\nargument: -D\nargument-file:"
        " /x\ndrop-in:\n\t[Service]\n"
    )
    assert steps.observe("messenger", text)["problems"]


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
