from __future__ import annotations

import os
from pathlib import Path

import pytest
from jtel_chat import kind, originals, release, steps, transaction
from jtel_chat.document import parse
from jtel_chat.errors import Refused

OWNER = "0:0"


class Server:
    """A share and a server, with one release after the other on the share."""

    def __init__(self, place: Path) -> None:
        self.share, self.home = place / "share/ClientMessenger", place / "home/ClientMessenger"

    def offer(self, **files: str) -> str:
        """Put a release on the share, `bin_a="…"` for `bin/a`; its digest."""
        if self.share.exists():
            kind.durable.remove_tree(self.share)
        write(self.share, {"conf/logging": "vendor's", "systemd/unit": "unit", **{name.replace("_", "/"): text for name, text in files.items()}})
        return release.tree_digest(self.share)

    def document(self, wanted: str) -> str:
        return f"# release: {self.home}\nfrom: {self.share}\nowner: {OWNER}\nrelease: {wanted}\n"

    def apply(self, wanted: str) -> list[str]:
        return steps.apply("messenger", 1, "first", self.document(wanted))

    def prove(self, wanted: str) -> None:
        """Apply it as something that only a start can prove good."""
        steps.apply("messenger", 1, "first", self.document(wanted) + "loaded-by: x.service\n")

    def look(self, wanted: str) -> kind.Observed:
        return release.observe(parse(self.document(wanted))[0])

    def installed(self) -> str:
        return release.installed_digest(parse(self.document("hold"))[0])


def write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)


def tree(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() for path in sorted(directory.rglob("*")) if path.is_file()}


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
    now = {name: text for name, text in tree(server.home).items() if name != ".release"}
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
    kind.durable.remove_tree(server.share)
    assert bool(server.look(wanted).problems) == (wanted == "follow")
    if wanted == "follow":
        with pytest.raises(Refused, match="holds no release"):
            server.apply(wanted)
    assert tree(server.home) == before
    assert release.observe(parse(server.document("hold"))[0]).state == {f"release in {server.home}": server.installed()}


def test_an_installation_by_hand_is_adopted_and_given_back(server: Server) -> None:
    server.offer(bin_a="2", README="new")
    by_hand = {
        **{"bin/a": "1", "bin/own.jar": "own", "README": "old", "systemd/unit": "edited", "conf/logging": "own", "logs/today": "x"},
        **{"ClientMessenger/bin/a": "2", "ClientMessenger/README": "new"},
    }
    write(server.home, by_hand)
    [nested] = server.look("hold").warnings
    assert nested.startswith(f"{server.home}/ClientMessenger is a second copy (release ")
    server.apply("hold")
    assert {name: text for name, text in tree(server.home).items() if name != ".release"} == by_hand
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


def test_a_program_that_was_changed_by_hand_is_brought_back_from_wherever_its_release_is(server: Server) -> None:
    server.offer(bin_a="1")
    server.apply("hold")
    server.offer(bin_a="2")
    write(server.home, {"bin/a": "changed"})
    assert "is to be had nowhere" in server.apply("hold")[0]
    server.apply("follow")
    write(server.home, {"bin/a": "changed"})
    assert server.apply("follow")[0].startswith("installed release")


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
    transaction.disproven()
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
    transaction.disproven()
    assert server.installed() == releases[2]
    server.prove(releases[1])
    transaction.proven()
    assert server.installed() == releases[1]
    assert not list(server.home.parent.rglob("*.removed"))


def test_a_nested_copy_is_no_part_of_the_release_when_the_share_is_away(server: Server) -> None:
    write(server.home, {"bin/a": "1"})
    alone = server.installed()
    write(server.home, {"ClientMessenger/bin/a": "2"})
    assert server.installed() == alone


def test_an_installation_that_fails_halfway_leaves_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.offer(bin_a="1", gui_a="1", lib_a="1")
    copied: list[Path] = []

    def full(source: Path, target: Path) -> None:
        copied.append(target)
        target.mkdir()
        if len(copied) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(release.shutil, "copytree", full)
    with pytest.raises(OSError, match="No space"):
        server.apply("hold")
    assert not server.home.exists()


def test_a_run_that_died_between_two_renames_is_put_back(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.offer(bin_a="1")
    server.apply("hold")
    before = tree(server.home)
    server.offer(bin_a="2")

    class PowerCut(BaseException):
        pass

    def cut(path: Path, target: Path) -> Path:
        if path.name == ".bin.jtel-chat":
            raise PowerCut
        os.rename(path, target)
        return target

    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", cut)
        broken.setattr(transaction, "_roll_back", lambda *_: None)
        broken.setattr(transaction, "_close", lambda *_: None)
        with pytest.raises(PowerCut):
            server.apply("follow")
    assert not (server.home / "bin").exists()
    transaction.recover()
    assert tree(server.home) == before


def test_a_document_of_an_older_version_is_looked_at_without_the_fields_that_it_lacks(server: Server) -> None:
    text = server.document("hold") + f"\n# unit: x.service\nfrom: {server.home}/systemd/unit\nargument: -D\nargument-file: /x\ndrop-in:\n\t[Service]\n"
    assert steps.observe("messenger", text)["problems"]
