"""Reads what a survey says of HAProxy: frontends, certificates, and a chat that was pasted by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..access import disk
from ..haproxy.file import listening, parse
from ..haproxy.file.configuration import Configuration
from ..haproxy.file.parse import Section
from ..haproxy.process import certificate
from .found import Found

_FILE = Path("/etc/haproxy/haproxy.cfg")
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,16000}-----END CERTIFICATE-----")
_CERTIFICATES = 16
_CHAT = "backend_chat_ws"


def read() -> Found:
    """Reads haproxy.cfg."""
    from .answer import is_active

    try:
        config = Configuration(disk.read(_FILE), _FILE)
    except FileNotFoundError:
        return Found(None, [])
    backend = next((each for each in config.sections if each.keyword == "backend" and each.name == _CHAT), None)
    paths = list(dict.fromkeys(path for section in config.sections for path in _certificates(section)))
    facts = {
        "active": is_active("haproxy.service"),
        "managed": b"jtel-chat" in config.text,
        "frontends": [_frontend(each, config) for each in config.sections if each.keyword in ("frontend", "listen")],
        "chatServers": [" ".join(line.words[1:3]) for line in backend.named("server")] if backend else [],
        "certificates": [_certificate(path, config) for path in paths[:_CERTIFICATES]],
    }
    return Found(facts, _deviations(backend))


def _frontend(section: Section, config: Configuration) -> dict[str, Any]:
    binds = [bind for _, bind in listening.of_section(section, parse.mode(config.sections, section))]
    return {
        "name": section.name,
        "ports": sorted({bind.port for bind in binds}),
        "tls": any(bind.tls for bind in binds),
        "certificates": list(_certificates(section)),
    }


def _certificates(section: Section) -> Iterator[str]:
    for line in section.named("bind"):
        yield from (path for word, path in zip(line.words, line.words[1:]) if word == "crt" and path.startswith("/"))


def _certificate(path: str, config: Configuration) -> dict[str, str]:
    """Gives the first certificate at a path, which every visitor gets. The key beside it is left alone."""
    try:
        file = certificate.files(Path(path), certificate.lookup(config))[0]
        return {"path": path, "pem": _BLOCK.findall(disk.read(file, 1 << 20).decode("ascii", "ignore"))[0]}
    except (OSError, IndexError):
        return {"path": path, "pem": ""}


def _deviations(backend: Section | None) -> list[str]:
    """Says what of a pasted backend cuts chats, or finds a dead server late."""
    if backend is None:
        return []
    tunnel = any(line.words[:2] == ("timeout", "tunnel") for line in backend.content())
    return [] if tunnel else [f"backend {_CHAT} has no 'timeout tunnel': idle chats end with HAProxy's timeout server"]
