"""What version 2026-11 left on hosts (test/upgrade/hosts) is read as this version's own.

Nothing differs but what had been edited there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jtel_chat.engine import migration
from jtel_chat.kinds import release
from jtel_chat.text import words

HOSTS = Path(__file__).parents[2] / "upgrade/hosts/2026-11"
RECORDS = sorted(HOSTS.glob("*/var/lib/jtel-chat/steps/*.json"))
SHORT = {
    "content",
    "mode",
    "owner",
    "link",
    "source",
    "release",
    "package",
    "blocks",
    "loaded",
    "certificate",
    "active",
    "enabled",
    "runs",
    "rule",
}


def name(path: Path) -> str:
    return f"{path.parents[4].name}-{path.stem}"


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The release that those versions recorded is the one that is installed."""
    monkeypatch.setattr(release, "is_recorded", lambda *_: True)
    monkeypatch.setattr(release, "installed", lambda _: release.Release("f" * 64, ("bin",)))


def upgraded(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    before = json.loads(path.read_text())
    return before, migration.upgraded(before)


@pytest.mark.parametrize("path", RECORDS, ids=name)
def test_every_key_gets_short_and_says_what_it_said(path: Path) -> None:
    before, after = upgraded(path)
    assert after["format"] == migration.FORMAT
    assert {key.partition(":")[0] for key in after["state"]} <= {*SHORT, "ufw"}
    assert [words.item(key) for key in after["state"]] == list(before["state"])
    same = {key: words.value(key, value) for key, value in after["state"].items() if not key.startswith("release:")}
    packages = [key for key in before["state"] if key.startswith("package ")]
    said = before["state"] | dict.fromkeys(packages, "installed")
    assert list(same.values()) == [value for key, value in said.items() if not key.startswith("release in")]


def test_a_record_that_had_short_keys_loses_the_versions_of_packages() -> None:
    state = {"package:openjdk-17-jdk": "17.0.9", "package:jq": "absent", "java": "Java 21 at /opt/java"}
    record = {"format": 2, "generation": 3, "state": state}
    kept = {**state, "package:openjdk-17-jdk": "installed"}
    assert migration.upgraded(record) == {"format": migration.FORMAT, "generation": 3, "state": kept}


@pytest.mark.parametrize("path", RECORDS, ids=name)
def test_what_else_it_says_stays(path: Path) -> None:
    before, after = upgraded(path)
    for key in ("generation", "reason", "document", "first", "applied", "by", "from"):
        assert after[key] == before[key]
    assert {words.item(key): value for key, value in after["text"].items()} == before["text"]
    assert migration.upgraded(after) == after


@pytest.mark.parametrize("path", RECORDS, ids=name)
def test_no_section_keeps_a_program_or_an_account(path: Path) -> None:
    _, after = upgraded(path)
    for section in after["sections"]:
        assert not {"owner", "checker", "login", "run-as", "exclusive"} & section["fields"].keys()


def test_the_release_is_the_same_one_under_its_new_digest() -> None:
    _, after = upgraded(HOSTS / "chatserver/var/lib/jtel-chat/steps/messenger.json")
    assert after["state"]["release:/home/jtel/ClientMessenger"] == "f" * 64


def test_another_release_than_the_recorded_one_stays_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "is_recorded", lambda *_: False)
    before, after = upgraded(HOSTS / "chatserver/var/lib/jtel-chat/steps/messenger.json")
    assert (
        after["state"]["release:/home/jtel/ClientMessenger"] == before["state"]["release in /home/jtel/ClientMessenger"]
    )


def test_a_step_that_was_put_back_is_said_in_the_same_words() -> None:
    record = {
        "sections": [],
        "state": {},
        "restored": ["put back at 2026-11-25T12:00:00Z, since the service was not healthy with it"],
    }
    [restored] = migration.upgraded(record)["restored"]
    assert restored == "restored:2026-11-25T12:00:00Z"
    assert words.item(restored) == record["restored"][0]
