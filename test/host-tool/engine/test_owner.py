"""A host belongs to one state, whatever its stack is called; only `jtel-chatctl adopt` gives it to another one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.cli import adopt, report
from jtel_chat.engine import owner, steps
from jtel_chat.errors import Refused

ONE = "3f1c2b7a-0000-4000-8000-000000000001"
TWO = "9a8b7c6d-0000-4000-8000-000000000002"
NEW = "jtel-chat/dev (made by the first up)"


@pytest.fixture(autouse=True)
def host(state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    disk.own_directory(disk.STATE)
    monkeypatch.setenv("SUDO_USER", "deploy")
    return state


def document(stack: str) -> str:
    return f"# files: {owner.path()}\ncontent:\n\t{stack}\n"


def apply(stack: str) -> None:
    steps.apply("tool", 1, "trial", document(stack))


def problems(stack: str) -> list[str]:
    found: list[str] = steps.observe("tool", document(stack))["problems"]
    return found


def warnings(stack: str) -> list[str]:
    found: list[str] = steps.observe("tool", document(stack))["warnings"]
    return found


def test_a_host_without_an_owner_is_for_whoever_comes_first(host: Path) -> None:
    assert problems(NEW) == []
    apply(f"jtel-chat/dev {ONE}")
    assert owner.path().read_text() == f"jtel-chat/dev {ONE}\n"


def test_a_person_on_the_host_sees_whose_it_is(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apply(f"jtel-chat/dev {ONE}")
    report.run("status", [])
    assert "this host belongs to jtel-chat/dev (state 3f1c2b7a)" in capsys.readouterr().out.splitlines()


def test_a_renamed_stack_stays_the_owner_and_brings_its_new_name(host: Path) -> None:
    apply(f"jtel-chat/dev {ONE}")
    assert problems(f"jtel-chat/prod {ONE}") == []
    assert not steps.observe("tool", document(f"jtel-chat/prod {ONE}"))["drifted"]
    apply(f"jtel-chat/prod {ONE}")
    assert owner.path().read_text() == f"jtel-chat/prod {ONE}\n"


@pytest.mark.parametrize("stack", [f"jtel-chat/dev {TWO}", f"jtel-chat/other {TWO}", NEW, "jtel-chat/dev"])
def test_another_state_is_refused_also_under_the_same_name(host: Path, stack: str) -> None:
    apply(f"jtel-chat/dev {ONE}")
    [problem] = problems(stack)
    assert problem.startswith("this host belongs to jtel-chat/dev (state 3f1c2b7a), not to jtel-chat/")
    assert re.search(r" Last applied there: 2\d{3}-\S+Z by deploy from .+$", problem)
    assert f"sudo jtel-chatctl adopt {stack.split(maxsplit=1)[0]}." in problem
    assert problem.index("adopt") < 330
    assert "destroy" not in problem
    assert ("(its state is new)" in problem) == (TWO not in stack)
    with pytest.raises(Refused, match="belongs to"):
        apply(stack)
    assert owner.path().read_text() == f"jtel-chat/dev {ONE}\n"


def test_a_host_of_a_version_without_ids_is_taken_on_by_the_stack_of_its_name(host: Path) -> None:
    apply("jtel-chat/dev")
    assert problems(NEW) == warnings(NEW) == problems(f"jtel-chat/dev {ONE}") == []
    [problem] = problems(f"jtel-chat/prod {ONE}")
    assert f"echo 'jtel-chat/prod' | sudo tee {owner.path()}." in problem
    apply(f"jtel-chat/dev {ONE}")
    assert len(problems(f"jtel-chat/dev {TWO}")) == 1


def test_one_command_gives_it_to_another_state_and_the_look_says_whose_it_was(host: Path) -> None:
    apply(f"jtel-chat/dev {ONE}")
    assert adopt.run("jtel-chat/dev") == [
        "this host belonged to jtel-chat/dev (state 3f1c2b7a). The next pulumi up of jtel-chat/dev owns it"
    ]
    assert warnings(NEW) == [
        "this host was given to jtel-chat/dev by jtel-chatctl adopt, in place of jtel-chat/dev (state 3f1c2b7a): the"
        " next up owns it"
    ]
    assert problems(NEW) == []
    assert steps.drifted("tool") == []
    entry = json.loads((disk.STATE / "log").read_text().splitlines()[-1])
    assert (entry["action"], entry["by"], entry["outcome"]) == ("adopt", "deploy", "done")
    apply(f"jtel-chat/dev {TWO}")
    assert owner.path().read_text() == f"jtel-chat/dev {TWO}\n"
    assert warnings(f"jtel-chat/dev {TWO}") == []


def test_the_former_owner_does_not_get_it_back_by_itself(host: Path) -> None:
    apply(f"jtel-chat/dev {ONE}")
    adopt.run("jtel-chat/dev")
    [problem] = problems(f"jtel-chat/dev {ONE}")
    assert "(by jtel-chatctl adopt, in place of jtel-chat/dev (state 3f1c2b7a)), not to jtel-chat/dev" in problem
    assert "sudo jtel-chatctl adopt jtel-chat/dev." in problem
    adopt.run("jtel-chat/dev")
    assert problems(f"jtel-chat/dev {ONE}") == []


def test_what_is_no_stack_or_no_owned_host_is_not_given(host: Path) -> None:
    with pytest.raises(Refused, match="belongs to no stack"):
        adopt.run("jtel-chat/dev")
    with pytest.raises(Refused, match="'dev' is no stack's name"):
        adopt.run("dev")


def test_of_an_owner_that_is_no_stack_nothing_is_shown(host: Path) -> None:
    apply("jtel-chat/dev")
    owner.path().write_text("root:secret\x1b[31m\nbefore: \n")
    [problem] = problems(f"jtel-chat/dev {ONE}")
    assert "something that is no stack's name" in problem
    assert "secret" not in problem
