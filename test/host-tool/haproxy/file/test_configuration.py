"""A file between those that HAProxy reads before and after it."""

from __future__ import annotations

from jtel_chat.haproxy.file import edit
from jtel_chat.haproxy.file.configuration import Configuration

OURS = Configuration(b"global\n    setenv CFGREV 0\n\nbackend backend_chat_ws\n    mode http\n")
PASTED = b"backend backend_chat_ws\n    server chatserver1 10.1.0.21:3000 check\n"
FILE = Configuration(
    b"global\n" + PASTED + b"backend web\n",
    before=(Configuration(b"defaults a\n mode http\n"), Configuration(b"defaults b\n")),
    after=(Configuration(b"# mysql\nlisten mysql\n"),),
)


def edited(config: Configuration) -> Configuration:
    return edit.edit(config, OURS, portal="", rules=[])


def test_a_file_that_the_edit_does_not_change_stays_the_same_object() -> None:
    once = edited(FILE)
    assert once.text != FILE.text
    assert edited(once) is once
    assert edit.remove(FILE) is FILE


def test_a_changed_file_stays_between_the_same_files() -> None:
    once = edited(FILE)
    assert (once.before, once.after) == (FILE.before, FILE.after)
    assert once.changed(b"").path == FILE.path


def test_all_files_are_read_as_one_and_indexes_begin_in_this_one() -> None:
    assert [section.name for section in FILE.all_sections] == ["a", "b", "", "backend_chat_ws", "web", "mysql"]
    assert [line.at for line in FILE.all_lines] == list(range(-3, 6))
    assert [section.name for section in FILE.above] == ["a", "b"]
    assert [section.name for section in FILE.below] == ["mysql"]
    assert FILE.all_lines[3:7] == FILE.lines


def test_the_lines_without_our_blocks_keep_their_numbers_in_the_file() -> None:
    once = edited(FILE)
    assert b"".join(line.raw for line in once.without_blocks) == FILE.text
    assert [line.words for line in once.without_blocks] == [line.words for line in FILE.lines]
    for line in once.without_blocks:
        there = once.lines[line.number - 1].raw
        assert there in (line.raw, b"#~ " + line.raw)
    assert [line.number for line in once.without_blocks] == [1, 3, 4, 6]
