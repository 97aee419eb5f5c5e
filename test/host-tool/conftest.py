"""The host tool's modules are imported from where they are written, and keep their state in a temporary folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "templates/usr/local/lib/jtel-chat"))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host's state directory of its own."""
    from jtel_chat import durable, lock, logbook, record

    monkeypatch.setattr(durable, "STATE", tmp_path / "state")
    monkeypatch.setattr(durable, "RUN", tmp_path / "run")
    monkeypatch.setattr(record, "STATE", tmp_path / "state")
    monkeypatch.setattr(record, "_STEPS", tmp_path / "state/steps")
    monkeypatch.setattr(logbook, "_RUNS", tmp_path / "run/runs")
    monkeypatch.setattr(lock, "LOCK", tmp_path / "run/lock")
    monkeypatch.setattr(lock, "HOLDER", tmp_path / "run/holder")
    return tmp_path
