from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat.documents import document
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Refused
from jtel_chat.kinds import resources


def section(tmp_path: Path, *lines: str) -> document.Section:
    return document.parse("\n".join([f"# resources: {tmp_path / 'program'}", *lines]) + "\n")[0]


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "memory", lambda: {"MemTotal": 8.2, "MemAvailable": 3.0})
    monkeypatch.setattr(resources.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(resources, "system", lambda: "debian 13")


def test_less_than_asked_for_is_a_problem_with_numbers_and_the_override(tmp_path: Path) -> None:
    assert resources.observe(section(tmp_path, "memory: 16", "additional: yes")).problems == [
        "memory: the vendor asks for 16 GB free, this host has 3. Give it more, or accept that: resources.accept:"
        " [memory]"
    ]
    with pytest.raises(Refused, match="16 GB"):
        resources.apply(section(tmp_path, "memory: 16"), Transaction.__new__(Transaction))


def test_what_the_vendor_asks_for_is_enough(tmp_path: Path) -> None:
    seen = resources.observe(section(tmp_path, "memory: 8.2", "cores: 2"))
    assert (seen.problems, seen.warnings) == ([], [])


def test_less_that_is_accepted_is_a_warning(tmp_path: Path) -> None:
    seen = resources.observe(section(tmp_path, "memory: 8", "cores: 4", "accept:", "\tcores"))
    assert (seen.problems, seen.warnings) == (
        [],
        ["cores: the vendor asks for 4, this host has 2. Accepted by resources.accept"],
    )


def test_one_core_is_for_what_runs_there_already(tmp_path: Path) -> None:
    assert resources.observe(section(tmp_path, "cores: 2")).problems == []
    assert resources.observe(section(tmp_path, "cores: 2", "additional: yes")).problems


def test_an_installed_program_is_asked_nothing(tmp_path: Path) -> None:
    (tmp_path / "program").mkdir()
    assert resources.observe(section(tmp_path, "memory: 999")).problems == []


def test_another_debian_is_refused_unless_it_is_accepted(tmp_path: Path) -> None:
    assert (
        "debian 13, and the CHAT role was tried on debian 12 only"
        in resources.observe(section(tmp_path, "system: debian 12")).problems[0]
    )
    assert resources.observe(section(tmp_path, "system: debian 12", "accept:", "\tsystem")).problems == []
    assert resources.observe(section(tmp_path, "system: debian 1, debian 130")).problems
    assert resources.observe(section(tmp_path, "system: debian 12, debian 13")).problems == []
