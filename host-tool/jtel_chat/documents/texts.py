"""Texts that come with the tool: what is executed on a host is the tool's own, never a document's."""

from __future__ import annotations

from ..access import digests
from ..programs import itself


def text(path: str) -> str:
    """A text by its place on the host: `usr/local/bin/updatesc.sh`."""
    return itself.brought(path)


def digest(path: str) -> str:
    """What a document names a text by, so that a changed one is a changed document: 16 hexadecimal digits."""
    return digests.short(text(path).encode())
