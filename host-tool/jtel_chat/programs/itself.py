"""Gives the tool's own text, its version's digest, and the texts that it brings, from wherever it runs.

It runs in three forms: as one text (`bundle.py`), which a look brings to a host; from the archive in which that text is
installed compiled (`archive.py`); and from its checkout, in tests.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import jtel_chat

from ..access import disk

#: The archive's members with the tool's text and that text's digest, and its folder of the texts that the tool brings.
TEXT = "jtel-chatctl"
DIGEST = "digest"
TEXTS = "texts"


def text() -> bytes:
    """Gives the tool as one text, which installs itself. Raises OSError where it runs from its checkout."""
    archive = _archive()
    return archive.get_data(f"{archive.archive}/{TEXT}") if archive else disk.program(sys.argv[0])


def digest() -> str:
    """Names this version of the tool: SHA-256 of its text, 64 hexadecimal digits."""
    if archive := _archive():
        return str(archive.get_data(f"{archive.archive}/{DIGEST}").decode())
    return hashlib.sha256(text()).hexdigest()


def brought(path: str) -> str:
    """Gives a text that comes with the tool, by its place on the host: `usr/local/bin/updatesc.sh`."""
    bundled: dict[str, str] | None = getattr(jtel_chat, "TEXTS", None)
    if bundled is not None:
        return bundled[path]
    if archive := _archive():
        return str(archive.get_data(f"{archive.archive}/{TEXTS}/{path}").decode())
    return disk.text(Path(__file__).parents[3] / "templates" / path)


def _archive() -> Any:
    """Finds the zipimporter that this package comes from; None where it comes from no archive."""
    loader = jtel_chat.__loader__
    return loader if hasattr(loader, "archive") else None
