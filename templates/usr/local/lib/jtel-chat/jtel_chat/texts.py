"""Files below `templates/` that travel with the tool: what it writes on its own account, and programs that it has others run."""

from __future__ import annotations

from pathlib import Path

_TEMPLATES = Path(__file__).parents[5]


def text(path: str) -> str:
    """A file by its place on the host, e.g. `etc/systemd/system/jtel-chat-attest.service`."""
    return (_TEMPLATES / path).read_text(encoding="utf-8")
