from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from jtel_chat import document, packages, process

#: What programs answer; the first words of a command line decide.
Answers = dict[str, str]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    said: Answers = {}

    def attempt(*argv: str, **_: object) -> subprocess.CompletedProcess[str]:
        text = next((text for start, text in said.items() if " ".join(argv).startswith(start)), None)
        return subprocess.CompletedProcess(argv, 0 if text is not None else 1, text or "", text or "")

    monkeypatch.setattr(process, "attempt", attempt)
    monkeypatch.setattr(process, "run", lambda *argv, **options: attempt(*argv, **options).stdout)
    return said


def observed(*lines: str) -> packages.Observed:
    return packages.observe(document.parse("\n".join(["# packages: openjdk-17-jdk", *lines]) + "\n")[0])


def test_a_package_that_no_source_has_is_a_problem(answers: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers["apt-get indextargets"] = "https://deb.debian.org\n"
    answers["apt-cache policy"] = "openjdk-17-jdk:\n  Installed: (none)\n  Candidate: (none)\n"
    monkeypatch.setattr(packages, "LISTS", tmp_path)
    assert observed().problems == []  # no lists yet: apply fetches them
    (tmp_path / "deb_main_Packages").touch()
    assert "java.aptSource" in observed().problems[0]
    assert observed("source: /etc/apt/sources.list.d/not-there-yet").problems == []
    answers["apt-cache policy"] = "openjdk-17-jdk:\n  Candidate: 17.0.13\n"
    assert observed().problems == []


@pytest.mark.parametrize(("text", "release", "serves"), [("17.0.9", "17", True), ("21.0.1", "17", True), ("11.0.2", "17", False), ("1.8.0_392", "8", True)])
def test_a_java_of_another_origin_serves_when_it_is_new_enough(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, release: str, serves: bool
) -> None:
    java = tmp_path / "java"
    java.touch()
    monkeypatch.setattr(packages, "JAVA", java)
    answers[str(java)] = f'openjdk version "{text}" 2024-01-16\n'
    answers["apt-get indextargets"] = "x"
    assert (observed(f"java: {release}").state.get("java") is not None) == serves
