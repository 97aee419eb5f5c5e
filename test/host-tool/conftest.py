"""The host tool's modules are imported from where they are written, and keep their state in a temporary folder."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's user is who runs the test: this machine has no `jtel`."""
    from jtel_chat.access import account

    monkeypatch.setattr(account, "SERVICE", (pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host of its own: where its state is, and documents that may own any path in it."""
    from jtel_chat.access import disk
    from jtel_chat.documents import declaration
    from jtel_chat.kinds import files

    monkeypatch.setattr(disk, "STATE", tmp_path / "state")
    monkeypatch.setattr(disk, "RUN", tmp_path / "run")
    monkeypatch.setattr(declaration, "owns", lambda *_: True)
    monkeypatch.setattr(files, "OWNED", Anywhere())
    return tmp_path


class Anywhere(dict):  # type: ignore[type-arg]
    """Every path may be owned: as a file, or as a link where its name says so."""

    def __missing__(self, path: str) -> object:
        from jtel_chat.kinds.files import Rule

        return Rule(link=".*") if "link" in Path(path).name else Rule()
