from __future__ import annotations

import os
from pathlib import Path

import pytest
from share_and_server import Server


@pytest.fixture
def server(state: Path) -> Server:
    os.umask(0o022)
    (state / "home").mkdir()
    return Server(state)
