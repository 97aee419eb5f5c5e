from __future__ import annotations

import contextlib
import os
import re
import subprocess
from pathlib import Path

import pytest
from jtel_chat.access import account
from jtel_chat.documents import apt_source, declaration, document
from jtel_chat.documents.document import Section
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Failed, Refused
from jtel_chat.kinds import packages
from jtel_chat.programs import process

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


def test_a_package_that_no_source_has_is_a_problem(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers["apt-get indextargets"] = "http://mirror.example\n"
    answers["apt-cache policy"] = "openjdk-17-jdk:\n  Installed: (none)\n  Candidate: (none)\n"
    monkeypatch.setattr(packages, "LISTS", tmp_path)
    assert observed().problems == []  # no lists yet: apply fetches them
    (tmp_path / "deb_main_Packages").touch()
    assert "java.aptSource" in observed().problems[0]
    assert observed("source: /etc/apt/sources.list.d/not-there-yet").problems == []
    answers["apt-cache policy"] = "openjdk-17-jdk:\n  Candidate: 17.0.13\n"
    assert observed().problems == []


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            "openjdk-21-jdk openjdk-25-jdk openjdk-21-jdk-headless openjdk-17-jdk",
            ", which have Java 21 and Java 25. Name one of these, java: { package: openjdk-21-jdk, version: 21 }, or a"
            " source of your own that has openjdk-17-jdk: java.aptSource and java.aptKey",
        ),
        (
            "openjdk-11-jdk",
            ", which have Java 11. Name one of these, java: { package: openjdk-11-jdk, version: 11 }, or a source of"
            " your own that has openjdk-17-jdk: java.aptSource and java.aptKey",
        ),
        (
            "",
            ". Correct java.package, or name a source of your own that has openjdk-17-jdk: java.aptSource and"
            " java.aptKey",
        ),
    ],
)
def test_a_problem_offers_the_javas_that_the_hosts_sources_have(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, names: str, said: str
) -> None:
    (tmp_path / "deb_main_Packages").touch()
    monkeypatch.setattr(packages, "LISTS", tmp_path)
    answers["apt-get indextargets"] = "http://mirror.example\n"
    monkeypatch.setattr(packages, "JAVA", tmp_path / "no-java")
    answers["apt-cache pkgnames openjdk-"] = names.replace(" ", "\n")
    answers["apt-cache policy openjdk-17-jdk"] = "Candidate: (none)\n"
    answers["apt-cache policy"] = "Candidate: 1\n"
    text = f"package openjdk-17-jdk cannot be had from the host's apt sources{said}"
    assert observed("java: 17").problems == [text]
    answers["apt-get -q"] = ""
    with pytest.raises(Failed, match=re.escape(text)):
        packages.apply(Section("packages", "openjdk-17-jdk", {"java": "17"}), Transaction.__new__(Transaction))


@pytest.mark.parametrize(
    ("text", "release", "serves"),
    [("17.0.9", "17", True), ("21.0.1", "17", True), ("11.0.2", "17", False), ("1.8.0_392", "8", True)],
)
def test_a_java_of_another_origin_serves_when_it_is_new_enough(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, release: str, serves: bool
) -> None:
    java = tmp_path / "java"
    java.touch()
    monkeypatch.setattr(packages, "JAVA", java)
    answers[str(java)] = f'openjdk version "{text}" 2024-01-16\n'
    answers["apt-get indextargets"] = "x"
    assert (observed(f"java: {release}").state.get("java") is not None) == serves
    due = packages.due(Section("packages", "openjdk-17-jdk", {"java": release}))
    assert due == ({} if serves else {"openjdk-17-jdk": "installed"})


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act with other users' rights")
def test_a_java_of_another_origin_is_asked_without_roots_rights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for path in (tmp_path, *list(tmp_path.parents)[:2]):
        path.chmod(0o755)
    java = tmp_path / "java"
    java.write_text('#!/bin/sh\necho "version \\"17.$(id -u).$(id -g).$(id -G)\\"" >&2\n')
    java.chmod(0o755)
    monkeypatch.setattr(account, "service", lambda: account.owning(3171))
    assert process.attempt(str(java), "-version", account=account.service()).stderr == 'version "17.3171.3171.3171"\n'
    asked = []
    monkeypatch.setattr(
        process,
        "attempt",
        lambda *_, **options: (
            asked.append(options["account"]) or subprocess.CompletedProcess((), 0, "", 'version "17.0"')
        ),
    )
    monkeypatch.setattr(packages, "JAVA", java)
    assert packages._java(Section("packages", "openjdk-17-jdk", {"java": "17"})) is not None
    assert asked == [account.owning(3171)]


def test_a_java_that_the_service_may_not_run_does_not_serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "java").touch(0o600)
    monkeypatch.setattr(packages, "JAVA", tmp_path / "java")
    assert packages._java(Section("packages", "openjdk-17-jdk", {"java": "17"})) is None


@pytest.mark.parametrize(
    "name",
    [
        "openjdk-17-jdk-",
        "openjdk-17-jdk+",
        "-o",
        "--reinstall",
        "a=1",
        "a/sid",
        "a*",
        "a?",
        "^a",
        "A",
        "a;b",
        "a\x1bb",
        "a  b",
        "",
        "a:i386",
    ],
)
def test_a_name_that_apt_takes_for_something_else_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="the kind packages owns nothing of this name"):
        declaration.check(Section("packages", name, {}), packages.DECLARATION)


@pytest.mark.parametrize("name", ["openjdk-17-jdk", "libstdc++6", "python3.11", "temurin-17-jdk jq"])
def test_a_name_of_a_package_is_none_of_these(name: str) -> None:
    declaration.check(Section("packages", name, {}), packages.DECLARATION)


def test_a_name_that_no_source_has_never_reaches_apt_which_would_take_it_for_a_pattern(answers: Answers) -> None:
    answers["apt-cache policy"] = "a.b:\n  Candidate: (none)\n"
    answers["apt-get -q -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold update"] = ""
    with pytest.raises(Failed, match=r"package a\.b cannot be had"):
        packages.apply(Section("packages", "a.b", {}), Transaction.__new__(Transaction))


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("deb [trusted=yes] http://x.example bookworm main", ["trusted=yes"]),
        (
            "deb [ arch=amd64 allow-insecure=yes allow-weak=1 ] http://x bookworm main",
            ["allow-insecure=yes", "allow-weak=1"],
        ),
        ("deb [Allow-Downgrade-To-Insecure=yes] http://x bookworm main", ["allow-downgrade-to-insecure=yes"]),
        ("deb [trusted=no signed-by=/usr/share/keyrings/x.gpg] https://x bookworm main", []),
        ("deb https://x.example/trusted=yes bookworm main", []),
    ],
)
def test_a_source_that_needs_no_signature_is_said(line: str, named: list[str]) -> None:
    said = apt_source.warnings(f"{line}\n")
    assert [re.search(r"says (\S+),", each)[1] for each in said] == named  # type: ignore[index]
    assert all("signed-by" in each for each in said)


def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, int, str]) -> list[str]:
    """apt as it answers, in its order: the start of a command line, exit code, words. Gives the calls."""
    calls: list[str] = []
    waiting = list(answers)

    def attempt(*argv: str, **_: object) -> subprocess.CompletedProcess[str]:
        words = " ".join(word for word in argv if not word.startswith("-") and "::" not in word)
        if waiting and words.startswith(waiting[0][0]):
            _, code, said = waiting.pop(0)
            calls.append(words)
            return subprocess.CompletedProcess(argv, code, said, "")
        return subprocess.CompletedProcess(argv, 0, "", "")

    monkeypatch.setattr(process, "attempt", attempt)
    monkeypatch.setattr(process, "run", lambda *argv, **_: attempt(*argv).stdout)
    return calls


HAD, NOT_HAD = "Candidate: 17.0.13\n", "Candidate: (none)\n"
POLICY = "apt-cache policy"


def installed(state: Path) -> list[str]:
    with Transaction("java") as transaction:
        packages.apply(Section("packages", "openjdk-17-jdk", {}), transaction)
    return transaction.said


def test_lists_that_are_older_than_the_mirror_are_read_once_more(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = "Err:1 http://mirror.example bookworm/main openjdk-17-jdk 17.0.1\n  404  Not Found\n"
    calls = package(
        tmp_path,
        monkeypatch,
        (POLICY, 0, HAD),
        (POLICY, 0, HAD),
        ("apt-get install", 100, gone),
        ("apt-get update", 0, ""),
        ("apt-get install", 0, ""),
    )
    assert installed(state) == ["installed openjdk-17-jdk"]
    assert calls[-3:] == ["apt-get install openjdk-17-jdk", "apt-get update", "apt-get install openjdk-17-jdk"]


def test_a_broken_source_of_somebody_else_stops_nothing_that_another_one_has(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = "Get:1 http://mirror.example\nE: 'http://gone.example x Release' does not have a Release file.\n"
    package(
        tmp_path,
        monkeypatch,
        (POLICY, 0, NOT_HAD),
        ("apt-get update", 100, broken),
        (POLICY, 0, HAD),
        ("apt-get install", 0, ""),
    )
    assert installed(state) == [
        "warning: a source of this host is broken, and was not needed: E: 'http://gone.example x Release' does not have"
        " a Release file.",
        "installed openjdk-17-jdk",
    ]


def test_a_broken_source_is_the_reason_where_no_other_one_has_the_package(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(
        tmp_path, monkeypatch, (POLICY, 0, NOT_HAD), ("apt-get update", 100, "E: no network\n"), (POLICY, 0, NOT_HAD)
    )
    with pytest.raises(Failed, match=r"cannot be had from the host's apt sources \(apt-get update: E: no network\)"):
        installed(state)


def test_an_update_of_a_package_is_no_drift_and_changes_what_a_process_has_loaded(answers: Answers) -> None:
    answers["dpkg-query"] = "openjdk-17-jdk installed 17.0.9\n"
    before = observed()
    answers["dpkg-query"] = "openjdk-17-jdk installed 17.0.10\n"
    after = observed()
    assert before.state == after.state == {"package:openjdk-17-jdk": "installed"}
    assert (before.loaded, after.loaded) == (
        {"package:openjdk-17-jdk": "17.0.9"},
        {"package:openjdk-17-jdk": "17.0.10"},
    )


def test_an_alternative_that_leads_to_an_older_java_is_seen_although_the_package_is_there(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old, java = tmp_path / "jvm/java-11-openjdk-amd64", tmp_path / "java"
    (old / "bin").mkdir(parents=True)
    (old / "bin/java").touch()
    (old / "release").write_text('IMPLEMENTOR="Debian"\nJAVA_VERSION="11.0.21"\n')
    java.symlink_to(old / "bin/java")
    monkeypatch.setattr(packages, "JAVA", java)
    monkeypatch.setattr(packages, "_JVMS", tmp_path / "jvm")
    answers["dpkg-query"] = "openjdk-17-jdk installed 17.0.9\n"
    [problem] = observed("java: 17").problems
    assert problem == (
        f"openjdk-17-jdk is installed, but {java} is Java 11 ({old}/bin/java), which is what the service starts. Choose"
        " the other one: update-alternatives --config java"
    )
    (old / "release").write_text('JAVA_VERSION="17.0.9"\n')
    assert observed("java: 17").problems == []


def test_a_java_that_the_service_starts_and_that_does_not_is_a_problem(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    java = tmp_path / "java"
    monkeypatch.setattr(packages, "JAVA", java)
    answers["dpkg-query"] = "openjdk-17-jdk installed 17.0.9\n"
    problem = (
        "openjdk-17-jdk is installed, but {}, which is what the service starts. Choose the other one:"
        " update-alternatives --config java"
    )
    assert observed("java: 17").problems == [problem.format(f"{java} is missing")]
    assert observed().problems == []
    java.symlink_to(tmp_path / "jdk-17-removed/bin/java")
    assert observed("java: 17").problems == [problem.format(f"{java} is a link that leads nowhere")]
    answers["systemctl show"] = f"{{ path={java} ; argv[]={java} -jar x ; ignore_errors=no }}\n"
    java.unlink()
    java.touch()
    assert observed("java: 17").problems == [problem.format(f"{java} does not start ({java})")]
    answers["systemctl show"] = "{ path=/opt/jdk-17/bin/java ; argv[]=/opt/jdk-17/bin/java ; ignore_errors=no }\n"
    assert observed("java: 17").problems == []


def test_a_package_that_was_removed_is_not_installed(answers: Answers) -> None:
    answers["dpkg-query"] = "installed openjdk-21-jre-headless\nconfig-files openjdk-17-jre-headless\n"
    assert packages._all_installed() == {"openjdk-21-jre-headless"}


@pytest.mark.parametrize(("tries", "wait", "outcome"), [(3, 60.0, ""), (3, 0.0, "E: Could not get lock /x")])
def test_a_lock_of_another_apt_is_waited_for_and_its_holder_named_after_that(
    monkeypatch: pytest.MonkeyPatch, tries: int, wait: float, outcome: str
) -> None:
    """apt itself waits for dpkg's lock only, not for those of its lists and archives."""
    calls: list[tuple[str, ...]] = []

    def attempt(*argv: str, **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(argv)
        held = len(calls) < tries
        return subprocess.CompletedProcess(argv, 100 if held else 0, "", "E: Could not get lock /x" if held else "")

    monkeypatch.setattr(process, "attempt", attempt)
    monkeypatch.setattr(packages, "_LOCK_WAIT", wait)
    monkeypatch.setattr(packages, "_LOCK_TICK", 0.0)
    assert packages._install(["java"]) == outcome
    assert len(calls) == (1 if outcome else tries)


LOCKED = (
    "dpkg: error: dpkg frontend lock was locked by another process with pid 4711\n"
    "Note: removing the lock file is always wrong\n"
)


@pytest.mark.parametrize(
    ("steps", "wait", "outcome"),
    [
        ([("x", 0, "")], 60.0, ""),
        ([("x", 2, LOCKED), ("x", 2, LOCKED), ("x", 0, "")], 60.0, ""),
        ([("x", 2, LOCKED), ("", 1, "not asked")], 60.0, ""),
        ([("x", 2, LOCKED)], 0.0, r"dpkg was not free within 0 s: .* pid 4711\. Let that process end"),
        ([("x", 1, "dependency problems")], 60.0, "dpkg is half-configured and .* fails: dependency problems"),
    ],
)
def test_another_apt_between_two_runs_of_dpkg_is_waited_for_and_named_after_that(
    monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, int, str]], wait: float, outcome: str
) -> None:
    """steps: what `dpkg --audit` says each time, and with which code and words `dpkg --configure` ends after that."""
    left = list(steps)

    def attempt(*argv: str, **_: object) -> subprocess.CompletedProcess[str]:
        if argv[1] == "--audit":
            return subprocess.CompletedProcess(argv, 0, left[0][0] and f"{left[0][0]} is half-configured\n", "")
        _, code, said = left.pop(0)
        return subprocess.CompletedProcess(argv, code, "", said)

    monkeypatch.setattr(process, "attempt", attempt)
    monkeypatch.setattr(packages, "_LOCK_WAIT", wait)
    monkeypatch.setattr(packages, "_LOCK_TICK", 0.0)
    with pytest.raises(Failed, match=outcome) if outcome else contextlib.nullcontext():
        packages._finish_interrupted()
    assert [step for step in left if step[0]] == []
