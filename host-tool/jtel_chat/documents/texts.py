"""Gives the texts that come with the tool: programs and units on a host are the tool's own, never a document's."""

from __future__ import annotations

from ..access import digests
from ..programs import itself


def text(path: str) -> str:
    """Gives a text by its place on the host: `usr/local/bin/updatesc.sh`."""
    return itself.brought(path)


def digest(path: str) -> str:
    """Makes the 16 digits by which a document names a text, so that a changed text is a changed document."""
    return digests.short(text(path).encode())
