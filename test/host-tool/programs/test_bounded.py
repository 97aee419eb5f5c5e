"""How a look gets its limits: the launcher starts the tool within them, also where only the tool's text is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jtel_chat import start
from jtel_chat.programs import bounded, itself

TOOL = Path(bounded.__file__).parents[2]
LAUNCHER = itself.brought("usr/local/sbin/jtel-chatctl")


class Launcher:
    """The launcher with stand-ins for the programs that it starts; each writes its name and arguments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started = folder / "started"
        self.stands_in("python3", f'echo "python3 $*" >>{self.started}')
        self.stands_in("systemd-run", f'echo "systemd-run $*" >>{self.started}')
        self.stands_in("id", "echo 0")

    def stands_in(self, program: str, script: str) -> None:
        """Puts a script in the place of a program."""
        (self.folder / program).write_text(f"#!/bin/sh\n{script}\n")
        (self.folder / program).chmod(0o755)

    def run(self, *arguments: str, name: str = "/usr/local/sbin/jtel-chatctl") -> tuple[int, str, str]:
        """Runs it; returns its exit code, what it has started, and what it said."""
        text = LAUNCHER.replace("PATH=", f"PATH={self.folder}:").replace("/usr/bin/python3", f"{self.folder}/python3")
        done = subprocess.run(["sh", "-c", text, name, *arguments], capture_output=True, text=True, check=False)
        return done.returncode, self.started.read_text() if self.started.exists() else "", done.stderr


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    return Launcher(tmp_path)


@pytest.mark.parametrize("command", ["observe", "look", "survey"])
def test_a_look_starts_within_limits(command: str, launcher: Launcher) -> None:
    launcher.stands_in("systemd-run", f'echo "systemd-run $*" >>{launcher.started}; exit 7')
    code, started, _ = launcher.run(command)
    assert code == 7
    assert started.startswith("systemd-run --scope --quiet --collect --unit=jtel-chat-look-")
    assert {"--property=RuntimeMaxSec=180s", "--property=MemoryMax=1G", "--property=TasksMax=256"} <= set(
        started.split()
    )
    assert "python3 -IS -c import sys" in started
    assert started.endswith(f" {command}\n")


def test_a_text_that_was_brought_is_started_in_the_place_of_the_archive(launcher: Launcher) -> None:
    assert launcher.run("look", name="text:/proc/self/fd/5")[1].endswith("python3 -IS /proc/self/fd/5 look\n")


def test_no_other_python_of_a_customers_runs_the_tool() -> None:
    assert LAUNCHER.count("python3") == LAUNCHER.count("/usr/bin/python3") == 3


def test_other_commands_have_no_limits_of_a_look(launcher: Launcher) -> None:
    for arguments in (["apply", "java", "1", "it's \\"], ["look", "twice"], []):
        launcher.started.unlink(missing_ok=True)
        code, started, _ = launcher.run(*arguments)
        assert (code, started[:12]) == (0, "python3 -IS ")
        assert started.endswith(f"{' '.join(['sys.exit(start.run())', *arguments])}\n")


@pytest.mark.parametrize(
    ("signal", "why"), [("TERM", "longer than 180 s"), ("KILL", "1G of memory"), ("PIPE", "signal 13 has ended it")]
)
def test_a_look_that_its_limits_end_says_which(signal: str, why: str, launcher: Launcher) -> None:
    launcher.stands_in("systemd-run", f"kill -{signal} $$")
    code, _, said = launcher.run("look")
    assert code == 3
    assert re.search(why, said)
    assert said.startswith(f"{os.uname().nodename}: the look was ended: ")


def test_only_root_looks_and_who_is_not_may_survey(launcher: Launcher) -> None:
    launcher.stands_in("id", "echo 1001")
    code, started, said = launcher.run("observe")
    assert (code, started) == (3, "")
    assert "Use sudo" in said
    assert launcher.run("survey")[1].startswith("python3 -IS ")


def test_no_program_is_taken_from_a_callers_path(tmp_path: Path) -> None:
    evil = tmp_path / "python3"
    evil.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    evil.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["/bin/sh", "-c", LAUNCHER, "jtel-chatctl"], env=environment, check=False, capture_output=True)
    assert not (tmp_path / "ran").exists()


def test_a_text_that_was_brought_becomes_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(bounded, "is_inside", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "execv", lambda _, argv: became.append(argv) or sys.exit(0))  # type: ignore[func-returns-value]
    monkeypatch.setattr(sys, "argv", ["/proc/self/fd/5", "look"])
    with pytest.raises(SystemExit):
        start.run()
    assert became == [["/bin/sh", "-c", LAUNCHER, "text:/proc/self/fd/5", "look"]]


def test_what_the_launcher_has_started_is_not_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where systemd puts a scope elsewhere, the limits hold as well, and there is no end to starting anew."""
    monkeypatch.setattr(bounded, "is_inside", lambda: False)
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("started anew"))
    monkeypatch.setattr(sys, "argv", ["-c", "look", "too much"])
    assert start.run() == 2


def test_only_looks_without_limits_are_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "is_inside", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    concerned = [command for command in ("survey", "look", "status") if bounded.concerns([command])]
    assert concerned == ["look"]
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert bounded.concerns(["survey"])
    monkeypatch.setattr(bounded, "is_inside", lambda: True)
    assert not bounded.concerns(["survey"])


def imported(statement: str) -> list[str]:
    """Lists the modules that a statement imports in a process that has imported os and sys only."""
    program = f"import os, sys; known = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - known))"
    done = subprocess.run([sys.executable, "-S", "-c", program], cwd=TOOL, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_run_that_becomes_the_launcher_imports_next_to_nothing() -> None:
    """It comes before every look at a host that lacks the tool, also where two cores have ten other things to do."""
    assert imported("from jtel_chat import start") == [
        "__future__",
        "jtel_chat",
        "jtel_chat.programs",
        "jtel_chat.programs.bounded",
        "jtel_chat.programs.cgroup",
        "jtel_chat.start",
    ]


def test_no_module_imports_what_makes_every_call_slow() -> None:
    """`dataclasses` imports `inspect`, which imports much more, and makes each class by running generated text."""
    files = [file.relative_to(TOOL).with_suffix("") for file in sorted(TOOL.glob("jtel_chat/**/*.py"))]
    every = [".".join(file.parts).removesuffix(".__init__") for file in files]
    found = imported(f"import {', '.join(every)}")
    assert set(every) <= set(found)
    assert {"dataclasses", "inspect"}.isdisjoint(found)
