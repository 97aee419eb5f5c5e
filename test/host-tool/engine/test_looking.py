from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from jtel_chat import __main__
from jtel_chat.access import summary
from jtel_chat.cli import report
from jtel_chat.documents import document, kind
from jtel_chat.engine import logbook, looking, observing, steps
from jtel_chat.errors import Refused
from jtel_chat.programs import sudo_log


class Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.fixture
def ask(state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Calls `jtel-chatctl COMMAND`; exit code, answer and what it said."""

    def call(command: str, request: object = None, *arguments: str) -> tuple[int, Any, str]:
        data = request if isinstance(request, bytes) else json.dumps(request).encode()
        monkeypatch.setattr(sys, "stdin", Stdin(data + b"\nthe tool's text"))
        code = __main__.main([command, *arguments])
        said = capsys.readouterr()
        lines = [line for line in said.out.split("\n") if line.startswith(looking.ANSWER)]
        return code, json.loads(lines[0][len(looking.ANSWER) :]) if lines else None, said.err

    return call


def applied(state: Path, content: str = "as applied\n") -> Path:
    """A step `java` that owns one file."""
    path = state / "etc/file"
    steps.apply("java", 1, "new", f"# files: {path}\ncontent:\n\t{content}")
    return path


def test_observe_answers_about_what_was_applied(ask: Any, state: Path) -> None:
    path = applied(state)
    code, answer, _ = ask("observe", {"steps": {"java": None}})
    assert code == 0
    assert len(answer["tool"]) == 64
    assert answer["steps"]["java"] | {"reason": "", "diff": ""} == {
        **{
            "generation": 1,
            "reason": "",
            "drifted": False,
            "diff": "",
            "problems": [],
            "warnings": [],
            "facts": {},
            "alike": {},
            "active": False,
        }
    }
    path.write_text("by hand\n")
    answer = ask("observe", {"steps": {"java": None}})[1]["steps"]["java"]
    assert (answer["generation"], answer["drifted"]) == (2, True)
    assert "+by hand" in answer["diff"]


def test_observe_tells_the_problems_and_warnings_that_what_was_applied_has_now(
    ask: Any, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(state)
    monkeypatch.setattr(
        observing, "observe", lambda _: kind.Observed(problems=["the share is not mounted"], warnings=["6 days left"])
    )
    answer = ask("observe", {"steps": {"java": None}})[1]["steps"]["java"]
    assert (answer["problems"], answer["warnings"]) == (["the share is not mounted"], ["6 days left"])


@pytest.mark.parametrize("request_", [b"", b"{}", b'{"steps": {}}'])
def test_an_empty_request_asks_for_every_step(ask: Any, state: Path, request_: bytes) -> None:
    applied(state)
    assert ask("observe", request_)[1]["steps"].keys() == {"java"}


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"steps": {"java": "# files: /etc/shadow\nexclusive: x\n"}}, "takes names of steps only"),
        ({"steps": {"java": ""}}, "takes names of steps only"),
        ({"steps": {"java": None}, "run": "commit 1a2b"}, "takes names of steps only"),
        ({"steps": {"java": None}, "secret": ["java"]}, "takes names of steps only"),
        ({"steps": {"../../../tmp/evil": None}}, "no name for a step"),
        ({"steps": {"\x1b[2J": None}}, r"'\?\[2J' is no name"),
        ({"steps": ["java"]}, "not of the form"),
        ([], "not of the form"),
        (b"no json", "not one line of JSON"),
        (b"[" * 60000, "not one line of JSON"),
        (b"\xff", "not one line of JSON"),
        (b'{"steps": {' + b" " * 65536, "longer than 65536 bytes"),
    ],
)
def test_observe_takes_nothing_but_names(ask: Any, state: Path, request_: object, why: str) -> None:
    code, answer, said = ask("observe", request_)
    assert (code, answer) == (2, None)
    assert re.search(why, said)


def test_no_more_of_a_request_is_read_than_it_may_have(ask: Any, state: Path) -> None:
    assert ask("observe", b"x" * 10**6)[0] == 2
    assert sys.stdin.buffer.tell() == 65537


@pytest.mark.parametrize("command", ["observe", "look"])
def test_a_look_takes_no_arguments(ask: Any, command: str) -> None:
    code, answer, said = ask(command, {"steps": {}}, "x")
    assert (code, answer) == (2, None)
    assert "takes no arguments" in said


def test_no_document_is_read_for_observe(ask: Any, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    applied(state)
    monkeypatch.setattr(document, "parse", lambda _: pytest.fail("a document was read"))
    assert ask("observe", {"steps": {"java": None}})[0] == 0


def test_a_step_outside_the_records_folder_is_never_read(ask: Any, state: Path) -> None:
    """With a record of one's own choice every kind would look where one likes."""
    applied(state)
    (state / "evil.json").write_text((state / "state/steps/java.json").read_text())
    assert ask("look", {"steps": {"../../evil": None}})[0] == 2


def test_look_judges_documents_and_notes_the_run(ask: Any, state: Path) -> None:
    text = f"# files: {state}/etc/file\ncontent:\n\tx\n"
    code, answer, _ = ask("look", {"steps": {"java": text, "haproxy": None}, "run": "commit 1a2b"})
    assert (code, answer["steps"].keys()) == (0, {"java", "haproxy"})
    assert logbook.caller()["run"] == "commit 1a2b"


def test_look_says_what_a_first_apply_changes_and_of_an_applied_step_nothing(ask: Any, state: Path) -> None:
    link = state / "link"
    text = f"# files: {state}/etc/file\ncontent:\n\tas applied\n\n# files: {link}\nlink: /elsewhere\n"

    def due() -> dict[str, str]:
        facts: dict[str, str] = ask("look", {"steps": {"java": text}})[1]["steps"]["java"]["facts"]
        return facts

    assert due() == {f"due:{state}/etc/file": "written", f"due:{link}": "linked"}
    (state / "etc").mkdir()
    (state / "etc/file").write_text("as applied\n")
    assert due() == {f"due:{link}": "linked"}
    link.symlink_to("/elsewhere")
    assert due() == {}
    link.unlink()
    steps.apply("java", 1, "new", text)
    assert due() == {}


def test_a_secret_that_sudo_would_keep_is_its_steps_problem(
    ask: Any, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sudo_log, "problem", lambda: "sudo logs it")
    request = {"steps": {"java": None, "messenger-secret": None}}
    answer = ask("look", {**request, "secret": ["messenger-secret"]})[1]["steps"]
    assert (answer["java"]["problems"], answer["messenger-secret"]["problems"]) == ([], ["sudo logs it"])
    assert ask("look", request)[1]["steps"]["messenger-secret"]["problems"] == []


def test_a_text_is_read_only_where_it_differs(ask: Any, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = applied(state)
    read: list[Path] = []
    monkeypatch.setattr(summary, "text", lambda path: read.append(path) or "")
    ask("observe", {"steps": {"java": None}})
    assert read == []
    path.write_text("edited\n")
    ask("observe", {"steps": {"java": None}})
    assert read == [path]


def test_an_answer_is_no_longer_than_a_controller_reads(ask: Any, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    applied(state)
    seen = kind.Observed({"content:file": "1"}, problems=["x" * 10**6] * 10**3, text={"file": lambda: "y\n" * 10**6})
    monkeypatch.setattr(observing, "observe", lambda _: seen)
    answer = ask("observe", {"steps": {"java": None}})[1]["steps"]["java"]
    assert (len(answer["problems"]), len(answer["diff"]) < 300_000) == (200, True)
    assert "characters were cut here" in answer["diff"]


def test_only_names_of_steps_are_compared(state: Path) -> None:
    with pytest.raises(Refused, match="no name for a step"):
        report.run("diff", ["../../evil"])
