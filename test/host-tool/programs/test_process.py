from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jtel_chat import moment
from jtel_chat.errors import Ended, Failed
from jtel_chat.programs import process


def python(program: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", program)


def test_input_output_and_exit_code_pass_through() -> None:
    done = process.attempt(
        *python("import sys; sys.stdout.write(sys.stdin.read().upper()); sys.stderr.write('e'); sys.exit(3)"),
        text="ä" * 200_000,
        limit=process.MUCH,
    )
    assert (done.returncode, done.stderr) == (3, "e")
    assert done.stdout == "Ä" * 200_000


def test_a_program_that_reads_nothing_is_no_failure() -> None:
    assert process.attempt("true", text="x" * 1_000_000).returncode == 0


def test_a_program_that_is_not_there_is_127() -> None:
    assert process.attempt("/no/such/program").returncode == 127


def test_whether_a_program_ends_is_told_in_time() -> None:
    begin = time.monotonic()
    assert process.ends("true", within=10)
    assert not process.ends("sleep", "60", within=0.1)
    assert time.monotonic() - begin < 10


def test_of_endless_output_the_beginning_and_the_end_stay() -> None:
    done = process.attempt(*python("print('first'); [print('x' * 999) for _ in range(40_000)]; print('last')"))
    assert done.stdout.startswith("first\n")
    assert done.stdout.endswith("last\n")
    assert "bytes were cut here" in done.stdout
    assert len(done.stdout) < process.LIMIT + 100


def test_what_is_cut_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    done = process.attempt(*python("print('a' * 10 + 'b' * 100 + 'c' * 9)"), limit=20)
    assert done.stdout == f"{'a' * 10}\n… 100 bytes were cut here …\n{'c' * 9}\n"
    assert process.attempt(*python("print('a' * 19)"), limit=20).stdout == f"{'a' * 19}\n"


def test_a_caller_that_needs_all_of_it_never_gets_a_part() -> None:
    program = python("print('x' * 70_000)")
    with pytest.raises(Failed, match="says more than 65536 bytes"):
        process.run(*program)
    assert len(process.run(*program, limit=process.MUCH)) == 70_001


def test_a_flood_on_standard_error_is_cut_and_cleaned() -> None:
    done = process.attempt(*python("import sys; sys.stderr.write('\\x1b[31mred\\u202e' + 'y' * 1_000_000)"))
    assert done.stderr.startswith("?[31mred?y")
    assert len(done.stderr) < process.LIMIT + 100


def test_what_fails_says_so_without_control_characters() -> None:
    with pytest.raises(Failed, match=r"exit code 1: \?\[2Jgone"):
        process.run(*python("print('\\x1b[2Jgone'); raise SystemExit(1)"))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def pid_of_child(file: Path) -> tuple[str, ...]:
    """A program that starts another one, notes its id, and waits for ever."""
    return ("sh", "-c", f"sleep 1000 & echo $! > {file}.new; mv {file}.new {file}; wait")


def await_end(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_alive(pid)


def test_a_program_that_hangs_ends_with_all_that_it_has_started(tmp_path: Path) -> None:
    begin = time.monotonic()
    done = process.attempt(*pid_of_child(tmp_path / "pid"), timeout=1)
    assert (done.returncode, done.stderr) == (process.HANGS, "no end after 1 s")
    assert time.monotonic() - begin < 3
    assert await_end(int((tmp_path / "pid").read_text()))


def test_output_that_drips_does_not_move_the_deadline() -> None:
    begin = time.monotonic()
    assert process.attempt("sh", "-c", "while :; do echo x; sleep 0.1; done", timeout=1).returncode == process.HANGS
    assert time.monotonic() - begin < 3


def test_a_run_that_is_ended_ends_its_programs(tmp_path: Path) -> None:
    def end(*_: object) -> None:
        raise Ended("ended")

    before = signal.signal(signal.SIGALRM, end)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(Ended):
            process.attempt(*pid_of_child(tmp_path / "pid"), timeout=30)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert await_end(int((tmp_path / "pid").read_text()))
    assert os.getpgid(0) == os.getpgrp()  # and not us


def test_within_one_look_the_same_question_is_asked_once(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    argv = ("sh", "-c", f"echo again >>{asked}; cat {asked}")
    with moment.one():
        assert process.ask(*argv).stdout == process.ask(*argv).stdout == "again\n"
    assert process.ask(*argv).stdout == "again\nagain\n"
    assert process.ask(*argv).stdout == "again\nagain\nagain\n"


def test_programs_answer_in_english_whatever_the_language_of_the_host() -> None:
    program = "from jtel_chat.programs import process; print(repr(process.run('printenv', 'LC_ALL', 'LANGUAGE')))"
    environment = {**os.environ, "LANGUAGE": "de_DE:de", "LC_ALL": "de_DE.UTF-8"}
    folder = Path(process.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "'C.UTF-8\\n\\n'\n"
