"""What an undo removes of the packages that the step has installed, and when."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from jtel_chat.engine import originals, record, steps
from jtel_chat.programs import process

DOCUMENT = "# packages: openjdk-{}-jdk\nundo: remove\n"


class Apt:
    """A host's packages: each Java comes with its JRE."""

    def __init__(self) -> None:
        self.installed = {"adduser"}

    def attempt(self, *argv: str, **_: object) -> subprocess.CompletedProcess[str]:
        said, names = "", list(argv[argv.index("--") + 1 :] if "--" in argv else [])
        if argv[:2] == ("apt-cache", "policy"):
            said = "Candidate: 1\n"
        elif argv[0] == "dpkg-query" and argv[3].startswith("${Package}"):
            said = "".join(f"{name} installed 1\n" for name in argv[4:] if name in self.installed)
        elif argv[0] == "dpkg-query":
            said = "".join(f"installed {name}\n" for name in sorted(self.installed))
        elif "install" in argv:
            self.installed |= {*names, *(name.replace("-jdk", "-jre") for name in names)}
        elif "remove" in argv and "--simulate" not in argv:
            self.installed -= set(names)
        return subprocess.CompletedProcess(argv, 0, said, "")


@pytest.fixture
def apt(state: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    host = Apt()
    monkeypatch.setattr(process, "attempt", host.attempt)
    monkeypatch.setattr(process, "run", lambda *argv, **options: host.attempt(*argv, **options).stdout)
    return host


def test_a_java_that_another_one_replaces_stays_until_the_step_is_undone(apt: Apt) -> None:
    steps.apply("java", 1, "first", DOCUMENT.format(17))
    said = steps.apply("java", 1, "second", DOCUMENT.format(21))
    assert said == ["installed openjdk-21-jdk", "openjdk-17-jdk stays installed until the step java is taken back"]
    both = {"openjdk-17-jdk", "openjdk-17-jre", "openjdk-21-jdk", "openjdk-21-jre"}
    assert apt.installed == {"adduser"} | both
    assert steps.undo("java") == ["removed openjdk-17-jdk openjdk-21-jdk and what came along with it"]
    assert apt.installed == {"adduser"}


def test_what_a_person_has_removed_meanwhile_is_not_named(apt: Apt) -> None:
    steps.apply("java", 1, "first", DOCUMENT.format(17))
    steps.apply("java", 1, "second", DOCUMENT.format(21))
    apt.installed -= {"openjdk-17-jdk"}
    assert steps.undo("java") == ["removed openjdk-21-jdk and what came along with it"]
    assert apt.installed == {"adduser"}


def test_what_an_earlier_version_has_noted_is_removed_too(apt: Apt, monkeypatch: pytest.MonkeyPatch) -> None:
    steps.apply("java", 1, "first", DOCUMENT.format(17))
    entries = originals.index("java")
    for entry in entries:
        entry["fact"] = entry["fact"].removesuffix(" openjdk-17-jdk")
    originals._write("java", entries)
    steps.undo("java")
    assert (apt.installed, record.read("java")) == ({"adduser"}, None)
