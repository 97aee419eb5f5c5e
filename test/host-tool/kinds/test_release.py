from __future__ import annotations

import pytest
from jtel_chat.access import account, disk
from jtel_chat.documents.document import parse
from jtel_chat.engine import releases, steps
from jtel_chat.errors import Refused
from jtel_chat.kinds import release
from share_and_server import Server, tree, write


def test_hold_installs_what_the_share_has_once_and_keeps_it(server: Server) -> None:
    first = server.offer(bin_a="1")
    (section,) = parse(server.document("hold"))
    assert release.due(section) == {str(server.home): f"release {first} installed"}
    assert server.apply("hold") == [f"installed release {first} in {server.home}"]
    server.offer(bin_a="2")
    assert release.due(section) == {}
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


def test_a_nested_copy_is_no_part_of_the_release_when_the_share_is_away(server: Server) -> None:
    write(server.home, {"bin/a": "1"})
    alone = server.installed()
    write(server.home, {"ClientMessenger/bin/a": "2"})
    assert server.installed() == alone


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
