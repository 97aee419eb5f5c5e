from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from jtel_chat import __main__
from jtel_chat.access import disk
from jtel_chat.cli import report
from jtel_chat.engine import logbook
from jtel_chat.programs import transient
from jtel_chat.text import printable

#: What terminals, pagers and readers obey: escapes, bidi controls, separators, C1, zero width.
OBEYED = [
    "\x1b",
    "\x07",
    "\r",
    "\x00",
    "\x7f",
    "\x9b",
    "\u202e",
    "\u2066",
    "\u2028",
    "\u2029",
    "\u200b",
    "\ufeff",
    "\ud800",
]


@pytest.mark.parametrize("character", OBEYED)
def test_what_a_terminal_obeys_becomes_a_question_mark(character: str) -> None:
    assert printable.line(f"a{character}b") == printable.block(f"a{character}b") == "a?b"


def test_breaks_and_tabs_stay_in_a_block_only() -> None:
    assert printable.block("ä\n\t€") == "ä\n\t€"
    assert printable.line("ä\n\t€") == "ä??€"


def test_of_a_long_text_the_ends_stay() -> None:
    text = printable.block("a" * 10 + "b" * 80 + "c" * 10, 20)
    assert text == f"{'a' * 10}\n… 80 characters were cut here …\n{'c' * 10}"


def test_entries_of_an_old_log_are_cleaned_when_they_are_read(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk.STATE.mkdir()
    entry = {
        "time": "2026",
        "action": "apply",
        "step": "x",
        "by": "a\x1b[2J",
        "from": "b",
        "run": "",
        "outcome": "failed",
        "said": ["c\x1b]0;d\n\u202ee"],
    }
    (disk.STATE / "log").write_text(json.dumps(entry, ensure_ascii=False) + "\n")
    assert report.run("log", []) == 0
    assert logbook.entries()[0]["by"] == "a?[2J"
    assert capsys.readouterr().out == "2026  apply x by a?[2J from b: failed\n    c?]0;d\n?e\n"


def test_what_is_noted_is_clean_and_bounded(state: Path) -> None:
    disk.STATE.mkdir()
    logbook.note("apply", "x", "done", ["a\x1b[2J", "b" * 200_000])
    said = logbook.entries()[-1]["said"]
    assert said[0] == "a?[2J"
    assert len(said[1]) < 66_000


def test_what_a_run_printed_is_clean_and_bounded(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(argv: list[str], **_: object) -> SimpleNamespace:
        out = next(word.partition("append:")[2] for word in argv if word.startswith("--property=StandardOutput="))
        Path(out).write_bytes(b"begin\x1b[2J" + b"x" * 10**7 + b"\xff end")
        return SimpleNamespace(wait=lambda _: 0)

    monkeypatch.setattr(transient.subprocess, "Popen", run)
    assert transient.run(["apply", "x", "1", "y"], "") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("begin?[2Jx")
    assert printed.endswith("\ufffd end")
    assert f"… {10**7 + 14 - 65536} bytes were cut here …" in printed
    assert len(printed) < 66_000


def test_an_error_is_printed_clean(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert __main__._report("bad\x1b[2J", 1) == 1
    assert "\x1b" not in capsys.readouterr().err
