"""How a confined program is started and what its end means. That it is confined is shown on booted hosts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from jtel_chat.errors import Refused
from jtel_chat.programs import confined, process
from jtel_chat.programs.confined import GIVEN, Rights


class Host:
    """Answers for systemd: the version, what systemd-run gives, and what the unit is like then."""

    version = "252 (252.39-1~deb12u2)"
    code = 0
    shown = "LoadState=loaded\nResult=success\nExecMainStatus=0\n"
    stderr = ""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.files: dict[str, bytes] = {}

    def attempt(self, *argv: str, **_: object) -> subprocess.CompletedProcess[str]:
        self.calls.append(argv)
        if argv[:2] == ("systemctl", "--version"):
            return subprocess.CompletedProcess(argv, 0, f"systemd {self.version}\n+PAM", "")
        if argv[0] == "systemd-run":
            for word in argv:
                if ":/" in word and "LoadCredential=" in word:
                    name, _, place = word.partition("LoadCredential=")[2].partition(":")
                    self.files[name] = Path(place).read_bytes()
            return subprocess.CompletedProcess(argv, self.code, "out", self.stderr)
        return subprocess.CompletedProcess(argv, 0, self.shown if argv[1] == "show" else "", "")

    def started(self) -> tuple[str, ...]:
        return next(call for call in self.calls if call[0] == "systemd-run")


@pytest.fixture
def host(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    confined._version.cache_clear()
    host = Host()
    monkeypatch.setattr(process, "attempt", host.attempt)
    yield host
    confined._version.cache_clear()


def run(*argv: str, **options: object) -> subprocess.CompletedProcess[str]:
    return confined.run(argv or ("true",), user="jtel", timeout=10, **options)  # type: ignore[arg-type]


def test_files_are_given_by_systemd_and_arguments_stay_as_they_are(host: Host) -> None:
    run("true", f"@{GIVEN}/arguments", "$HOME", given={"arguments": b"secret"})
    line = host.started()
    unit = next(word for word in line if word.startswith("--unit=")).removeprefix("--unit=")
    assert line[-2:] == (f"@/run/credentials/{unit}/arguments", "$$HOME")
    assert host.files == {"arguments": b"secret"}
    assert not any("secret" in word for word in line)


def test_without_an_address_there_is_no_network(host: Host) -> None:
    run()
    assert "--property=PrivateNetwork=yes" in host.started()
    host.calls.clear()
    run(network=["10.1.0.31", "127.0.0.0/8"])
    assert {"--property=IPAddressDeny=any", "--property=IPAddressAllow=10.1.0.31 127.0.0.0/8"} <= set(host.started())
    assert "--property=PrivateNetwork=yes" not in host.started()


def test_what_systemd_of_debian_11_lacks_is_left_out_and_said(host: Host) -> None:
    rights = Rights(executes=("/usr/sbin/haproxy",))
    run(rights=rights)
    assert "--property=ExecPaths=-/usr/sbin/haproxy" in host.started()
    assert confined.lacking() == []
    host.calls.clear()
    host.version = "247 (247.3-7+deb11u5)"
    confined._version.cache_clear()
    run(rights=rights)
    assert not any("ExecPaths" in word for word in host.started())
    assert "systemd 247 here has no NoExecPaths=" in confined.lacking()[0]


@pytest.mark.parametrize(
    ("code", "shown", "verdict"),
    [
        (0, "", 0),
        (1, "LoadState=loaded\nResult=exit-code\nExecMainStatus=1\n", 1),
        (3, "LoadState=loaded\nResult=exit-code\nExecMainStatus=3\n", 3),
        (1, "LoadState=loaded\nResult=timeout\nExecMainStatus=9\n", process.HANGS),
        (process.HANGS, "LoadState=loaded\nResult=success\nExecMainStatus=0\n", process.HANGS),
        (1, "LoadState=loaded\nResult=oom-kill\nExecMainStatus=9\n", confined.ENDED),
        (255, "LoadState=loaded\nResult=signal\nExecMainStatus=11\n", confined.ENDED),
    ],
)
def test_a_programs_own_verdict_is_told_from_its_end(host: Host, code: int, shown: str, verdict: int) -> None:
    host.code, host.shown = code, shown
    assert run().returncode == verdict
    forgotten = [call for call in host.calls if "reset-failed" in call]
    assert len(forgotten) == (code != 0)


@pytest.mark.parametrize(
    ("code", "shown", "stderr", "why"),
    [
        (
            1,
            "LoadState=not-found\nResult=success\nExecMainStatus=0\n",
            "Failed to connect to bus: No such file or directory",
            "Failed to connect to bus",
        ),
        (1, "", "", "systemd says nothing"),
        (226, "LoadState=loaded\nResult=exit-code\nExecMainStatus=226\n", "", "exit code 226"),
        (217, "LoadState=loaded\nResult=exit-code\nExecMainStatus=217\n", "", "exit code 217"),
    ],
)
def test_where_it_cannot_be_confined_nothing_runs(host: Host, code: int, shown: str, stderr: str, why: str) -> None:
    host.code, host.shown, host.stderr = code, shown, stderr
    with pytest.raises(Refused, match=f"this host starts none: .*{why}"):
        run()
    assert sum(call[0] not in ("systemctl", "systemd-run") for call in host.calls) == 0


def test_a_program_that_is_not_there_is_no_matter_of_confinement(host: Host) -> None:
    assert run("/no/such/program").returncode == 127
    assert not host.calls


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", '"plain"'),
        ('a"b\\c`d$e', '"a\\"b\\\\c\\`d\\$e"'),
        ("two\nlines\tand a tab", '"two\nlines\tand a tab"'),
        ("# no comment; ü", '"# no comment; ü"'),
    ],
)
def test_values_are_written_as_systemd_reads_them(value: str, written: str) -> None:
    assert confined.environment_file({"NAME": value}) == f"NAME={written}\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [("A-B", "x"), ("1A", "x"), ("", "x"), ("A", "a\rb"), ("A", "a\x01b"), ("A", "a\udc80b"), ("A\nB", "x")],
)
def test_what_systemd_cannot_carry_is_left_out(name: str, value: str) -> None:
    assert confined.environment_file({name: value, "KEPT": "y"}) == 'KEPT="y"\n'
