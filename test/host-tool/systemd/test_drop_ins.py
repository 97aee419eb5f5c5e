from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from jtel_chat.systemd import drop_ins, unit_state

UNIT = "jtel-clientmessenger.service"
GIVEN = "LoadCredential=clientmessenger.args:/etc/jtel-chat/clientmessenger.args"

Findings = tuple[list[str], list[str]]


@pytest.fixture
def findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Findings]:
    """What is found with these drop-ins, in their order."""

    def found(*texts: str, ours: bool = False) -> Findings:
        paths = [tmp_path / f"{number}.conf" for number, _ in enumerate(texts)]
        for path, text in zip(paths, texts):
            path.write_text(text)
        said = {"DropInPaths": " ".join(map(str, paths))}
        monkeypatch.setattr(unit_state, "properties", lambda _: said)
        return drop_ins.findings(UNIT, GIVEN, paths if ours else ())

    return found


def test_no_drop_in_and_harmless_ones_are_no_finding(findings: Callable[..., Findings]) -> None:
    assert findings() == ([], [])
    assert findings("[Service]\nNice=5\nLimitNOFILE=65536\n", "[Unit]\nAfter=x.service\n", "no unit\n") == ([], [])


def test_a_start_line_that_sorts_behind_ours_is_named_with_its_file(
    findings: Callable[..., Findings], tmp_path: Path
) -> None:
    """`systemctl edit` with the old password: what we wrote is checked, but another line is what starts."""
    problems, [warning] = findings("[Service]\nExecStart=\nExecStart=/usr/bin/java -Dpassword=old Main\n")
    assert problems == []
    assert warning.startswith(f"{tmp_path}/0.conf sets ExecStart, so what {UNIT} itself says there has no effect")
    assert "old" not in warning


def test_who_takes_the_login_away_is_a_problem_before_anything_stops(
    findings: Callable[..., Findings], tmp_path: Path
) -> None:
    [problem], _ = findings("[Service]\nProcSubset=all\n", "[Service]\nLoadCredential=\n")
    assert problem.startswith(f"{tmp_path}/1.conf empties LoadCredential, so {UNIT} would start without its database")


def test_who_gives_it_back_or_adds_another_is_none(findings: Callable[..., Findings]) -> None:
    assert findings("[Service]\nLoadCredential=\n" + GIVEN + "\n") == ([], [])
    assert findings("[Service]\nLoadCredential=other:/etc/other\n") == ([], [])
    [problem], _ = findings("[Service]\nLoadCredential=\nLoadCredential=other:/etc/other\n")
    assert "empties LoadCredential" in problem


def test_a_drop_in_of_an_earlier_version_is_ours(findings: Callable[..., Findings]) -> None:
    assert findings("[Service]\nExecStart=\nExecStart=/usr/bin/java Main\n", ours=True) == ([], [])
