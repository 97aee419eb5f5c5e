"""Whose rights end where: links, special files and swaps at every part of a path below somebody else's folder."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from jtel_chat.access import account, disk, trees
from jtel_chat.access.place import at
from jtel_chat.cli import report
from jtel_chat.documents import kind
from jtel_chat.documents.document import Section
from jtel_chat.engine import steps
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Ended, Refused

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can act with other users' rights")
HIS, OTHER = 3171, 3172  # numbers that no account of the machine has


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder of somebody else's, in folders of root's; beside it a victim of root's: a file and a folder."""
    for path in (tmp_path, *list(tmp_path.parents)[:2]):
        path.chmod(0o755)
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o700)
    (victim / "file").write_text("root's")
    (victim / "file").chmod(0o600)
    folder = tmp_path / "home"
    for path in (folder, folder / "conf"):
        path.mkdir()
        os.chown(path, HIS, HIS)
    before = snapshot(victim)
    yield folder
    assert snapshot(victim) == before


def snapshot(victim: Path) -> list[tuple[str, int, int, str]]:
    return [
        (str(each), each.stat().st_mode, each.stat().st_uid, each.read_text() if each.is_file() else "")
        for each in [victim, *victim.rglob("*")]
    ]


def his(make: Callable[[], object]) -> None:
    """Do something as the user whose folder it is."""
    with account.acting_as(account.owning(HIS)):
        make()


def test_what_is_written_in_his_folder_is_his_and_without_set_uid(home: Path) -> None:
    disk.write(home / "conf/x", b"1", 0o6755, (0, 0))
    found = (home / "conf/x").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (HIS, HIS, 0o755)
    assert (os.geteuid(), os.getegid()) == (0, 0)


LINKED: dict[str, Callable[[Path], object]] = {
    "to a folder of root's, as a folder on the way": lambda home: [
        (home / "conf").rename(home / "was"),
        (home / "conf").symlink_to(home.parent / "victim"),
    ],
    "to a folder of his own, as a folder on the way": lambda home: [
        (home / "conf").rename(home / "was"),
        (home / "conf").symlink_to("was"),
    ],
    "to a file of root's, as the file": lambda home: (home / "conf/file").symlink_to(home.parent / "victim/file"),
    "to nothing, as the file": lambda home: (home / "conf/file").symlink_to("/nowhere"),
    "to the staged file's name": lambda home: (home / "conf/.file.jtel-chat").symlink_to(home.parent / "victim/file"),
    "a folder at the staged file's name": lambda home: (home / "conf/.file.jtel-chat").mkdir(),
}


@pytest.mark.parametrize("what", LINKED)
def test_a_link_leads_no_write_anywhere(home: Path, what: str) -> None:
    his(lambda: LINKED[what](home))
    if "on the way" in what:
        with pytest.raises(
            Refused, match=r"leads through the link 'conf' to .*, which is not followed\. Put the folder itself there"
        ):
            disk.write(home / "conf/file", b"1")
        assert not (home / "was/file").exists()
        return
    disk.write(home / "conf/file", b"1")
    assert not (home / "conf/file").is_symlink()
    assert (home / "conf/file").read_bytes() == b"1"


SPECIAL: dict[str, tuple[Callable[[Path], object], str]] = {
    "a FIFO": (os.mkfifo, "is no file but a FIFO"),
    "a socket": (lambda path: socket.socket(socket.AF_UNIX).bind(str(path)), "is no file but a socket"),
    "a link": (
        lambda path: path.symlink_to(path.parent.parent.parent / "victim/file"),
        r"is a link to .*, which is not followed",
    ),
    "a folder": (lambda path: path.mkdir(), "is no file but a directory"),
    "a huge sparse file": (
        lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 64 << 30),
        "has 68719476736 bytes, at most 16777216 are read",
    ),
}


@pytest.mark.parametrize("what", SPECIAL)
def test_only_a_regular_file_of_bounded_size_is_read(home: Path, what: str) -> None:
    make, said = SPECIAL[what]
    his(lambda: make(home / "conf/file"))
    with pytest.raises(Refused, match=said):
        disk.read(home / "conf/file")


def test_a_device_is_not_read(home: Path) -> None:
    os.mknod(home / "conf/zero", 0o020666, os.makedev(1, 5))
    with pytest.raises(Refused, match="is no file but a device"):
        disk.read(home / "conf/zero")


def test_a_file_that_he_could_not_read_himself_is_not_read_for_him(home: Path) -> None:
    (home / "conf/key").write_text("root's")
    (home / "conf/key").chmod(0o600)
    with pytest.raises(Refused, match=rf"{HIS} cannot read it \(mode 0600, owner root\).*Give it to {HIS}"):
        disk.read(home / "conf/key")


def test_a_hard_link_to_a_file_of_roots_is_replaced_not_written(home: Path) -> None:
    os.link(home.parent / "victim/file", home / "conf/file")
    disk.write(home / "conf/file", b"1", 0o666)
    assert (home / "conf/file").stat().st_nlink == 1


def test_a_folder_of_roots_in_his_is_not_written_with_roots_rights(home: Path) -> None:
    (home / "bin").mkdir()
    with pytest.raises((Refused, PermissionError)):
        disk.write(home / "bin/x", b"1")
    assert not list((home / "bin").iterdir())


@pytest.mark.parametrize(("mode", "group"), [(0o777, 0), (0o775, HIS)])
def test_where_others_may_write_root_works_but_follows_no_link_not_even_roots(
    tmp_path: Path, mode: int, group: int
) -> None:
    """Whoever may write there could give a link of root's the name that root is about to use."""
    for folder in ("open", "elsewhere"):
        (tmp_path / folder).mkdir()
    (tmp_path / "elsewhere/file").write_text("root's")
    (tmp_path / "open/conf").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "open/link").symlink_to(tmp_path / "elsewhere/file")
    os.chown(tmp_path / "open", 0, group)
    (tmp_path / "open").chmod(mode)
    disk.write(tmp_path / "open/x", b"1")
    assert (tmp_path / "open/x").stat().st_uid == 0
    with pytest.raises(Refused, match="is not followed"):
        disk.write(tmp_path / "open/conf/file", b"1")
    with pytest.raises(Refused, match="is not followed"):
        disk.read(tmp_path / "open/link")
    assert (tmp_path / "elsewhere/file").read_text() == "root's"


def test_roots_own_links_are_followed_and_stay(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    disk.write(tmp_path / "link/x", b"1")
    assert (tmp_path / "real/x").read_bytes() == b"1"


def test_a_link_of_roots_into_his_folder_ends_roots_rights_there(home: Path) -> None:
    (home.parent / "link").symlink_to(home)
    disk.write(home.parent / "link/conf/x", b"1")
    assert (home / "conf/x").stat().st_uid == HIS


def test_a_tree_with_a_link_or_a_special_file_is_refused_by_its_name(home: Path) -> None:
    his((home / "conf/deep").mkdir)
    his(lambda: (home / "conf/deep/passwd").symlink_to("/etc/passwd"))
    with pytest.raises(Refused, match=rf"{home}/conf/deep/passwd is a link; only files and folders are taken"):
        trees.copy_tree(home / "conf", home.parent / "copy", lambda entry: entry.mode)


def test_removing_a_tree_follows_no_link(home: Path) -> None:
    his(lambda: (home / "conf/away").symlink_to(home.parent / "victim"))
    disk.remove_tree(home / "conf")
    assert not (home / "conf").exists()


def test_a_swap_between_look_and_use_gives_him_nothing(home: Path) -> None:
    """He exchanges the folder for a link as fast as he can, while root writes, reads and removes there."""
    (home / "link").symlink_to(home.parent / "victim")
    os.chown(home / "link", HIS, HIS, follow_symlinks=False)
    swapper = os.fork()
    if swapper == 0:
        os.setgid(HIS)
        os.setuid(HIS)
        while True:
            os.rename(home / "conf", home / "was")
            os.rename(home / "link", home / "conf")
            os.rename(home / "conf", home / "link")
            os.rename(home / "was", home / "conf")
    try:
        for _ in range(1500):
            with contextlib.suppress(Refused, OSError):
                disk.write(home / "conf/file", b"1", 0o4777)
                disk.read(home / "conf/file")
                disk.remove_tree(home / "conf/file")
    finally:
        os.kill(swapper, 9)
        os.waitpid(swapper, 0)


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_put_back_that_is_refused_is_said_and_the_others_go_on(home: Path, state: Path, what: str) -> None:
    os.chown(home / "conf", HIS, HIS)
    disk.write(home / "conf/his", b"before")
    disk.write(home.parent / "ours", b"before")
    with (
        pytest.raises(Exception, match=r"it broke(?s:.*)conf/his could not be put back and stays as it is") as failure,
        Transaction("x") as change,
    ):
        change.write(home.parent / "ours", b"after", 0o600)
        change.write(home / "conf/his", b"after", 0o600)
        obstacle(home, what)
        raise ZeroDivisionError("it broke")
    assert (home.parent / "ours").read_bytes() == b"before"
    assert "what was not put back is kept: " in str(failure.value)
    kept = next((state / "state/not-put-back").iterdir())
    assert b"before" in [blob.read_bytes() for blob in kept.iterdir()]
    assert not list((state / "state/journal").iterdir())


def obstacle(home: Path, what: str) -> None:
    if what == "file":
        his((home / "conf/his").unlink)
        his((home / "conf/his").mkdir)
        return
    his(lambda: (home / "conf").rename(home / "was"))
    his(lambda: (home / "conf").symlink_to(home.parent / "victim"))


def test_the_account_of_a_place_is_asked_of_the_kernel(home: Path) -> None:
    for path, expected in ((home / "x", HIS), (home.parent / "x", 0)):
        with at(path) as place:
            assert place.account.uid == expected


def test_what_cannot_be_looked_at_hides_no_other_step(
    home: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk.write(home.parent / "ours", b"before")
    steps.apply("his", 1, "first", f"# files: {home}/conf/his\ncontent:\n\tx\n")
    steps.apply("ours", 1, "first", f"# files: {home.parent}/ours\ncontent:\n\tx\n")
    (home.parent / "ours").write_text("edited")
    obstacle(home, "folder")
    assert report.run("check", []) == 1
    his_line, ours_line = capsys.readouterr().out.splitlines()
    assert "his: cannot be looked at: " in his_line
    assert "leads through the link 'conf'" in his_line
    assert ours_line.startswith("ours: content of ")


def test_a_link_in_his_folder_keeps_no_service_from_its_old_files(
    home: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in ("ours", "his"):
        disk.write(home.parent / "ours", b"before")
        path = home / "conf/his" if step == "his" else home.parent / "ours"
        steps.apply(step, 1, "first", f"# files: {path}\ncontent:\n\t{step}\nloaded-by: jtel-clientmessenger.service\n")
    obstacle(home, "folder")
    monkeypatch.setattr(kind, "of", lambda _: SimpleNamespace(run_again=lambda section: f"{section.name} runs again"))
    said = steps._put_back_unproven(Section("service", "messenger", {}))
    assert "Put back with it: his, ours. messenger runs again" in said
    assert "conf/his could not be put back and stays as it is" in said
    assert (home.parent / "ours").read_bytes() == b"before"


def deep(folder: Path, name: str, levels: int) -> None:
    """Folders inside each other, more than a path can name."""
    inside = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=inside)
        below = os.open(name, os.O_RDONLY, dir_fd=inside)
        os.close(inside)
        inside, name = below, "d"
    os.close(inside)


def test_folders_that_lie_in_each_other_by_the_thousand_are_refused(home: Path) -> None:
    his(lambda: deep(home / "conf", ".x.jtel-chat", 3000))
    try:
        with pytest.raises(
            Refused,
            match=r"'\.x\.jtel-chat' holds folders that lie in each other more than 64 deep\. Remove it \(rm -r\)",
        ):
            disk.write(home / "conf/x", b"1")
        with pytest.raises(Refused, match=r"/conf holds folders that lie in each other more than 64 deep"):
            trees.tree(home / "conf")
    finally:
        subprocess.run(["rm", "-r", str(home / "conf/.x.jtel-chat")], check=True)  # pytest cannot
    his(lambda: deep(home / "conf", ".x.jtel-chat", 60))
    disk.write(home / "conf/x", b"1")


def test_a_folder_with_names_without_end_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_MOST", 3)
    for name in "abc":
        his((home / "conf" / name).touch)
    assert disk.names(home / "conf") == ["a", "b", "c"]
    his((home / "conf/d").touch)
    with pytest.raises(Refused, match=r"holds more than 3 files, among them '[abcd]'"):
        disk.names(home / "conf")


def test_a_signal_while_the_user_is_switched_leaves_root_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(uid: int) -> None:
        switched(uid)
        if uid == HIS:
            raise Ended("the run was ended")

    switched = os.seteuid
    monkeypatch.setattr(os, "seteuid", ended)
    with pytest.raises(Ended), account.acting_as(account.owning(HIS)):
        raise AssertionError("never reached")
    assert (os.geteuid(), os.getegid()) == (0, 0)
    assert os.getgroups() != [HIS]


def test_an_error_of_the_system_names_the_whole_path(tmp_path: Path) -> None:
    """By descriptors the kernel is told only the last part of a name, or none."""
    for error in (OSError(28, "No space left on device"), OSError(28, "No space left on device", "x")):
        with pytest.raises(OSError, match=f"No space left on device: '{tmp_path}/x'"), at(tmp_path / "x"):
            raise error
