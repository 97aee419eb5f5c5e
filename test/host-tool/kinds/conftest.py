from __future__ import annotations

import os
from pathlib import Path

import pytest
from jtel_chat.kinds import service
from jtel_chat.net import listeners, websocket
from jtel_chat.programs import process
from jtel_chat.systemd import unit_state
from share_and_server import Server
from unit_of_machine import Machine, applied


@pytest.fixture
def server(state: Path) -> Server:
    os.umask(0o022)
    (state / "home").mkdir()
    return Server(state)


@pytest.fixture
def machine(state: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(state)
    machine.file.write_text("one")
    applied("0123456789abcdef")
    monkeypatch.setattr(service, "_SETTLE", 0)
    monkeypatch.setattr(service, "_loaded", machine.loaded)
    monkeypatch.setattr(service, "_now", machine.tick)
    monkeypatch.setattr(unit_state, "properties", lambda _: dict(machine.properties))
    monkeypatch.setattr(service, "_property", lambda _, name: machine.properties[name])
    monkeypatch.setattr(process, "attempt", machine.attempt)
    monkeypatch.setattr(process, "run", lambda *_, **__: "")
    monkeypatch.setattr(websocket, "handshake_problem", lambda _: None if machine.healthy else "refused")
    monkeypatch.setattr(listeners, "listening", lambda _: [])
    return machine
