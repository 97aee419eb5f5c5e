"""Texts that come with the tool: what is executed on a host is the tool's own, never a document's.

They stand below `templates/` in the host's own tree, and the bundle carries them (`TEXTS` in bundle.py).
"""

from __future__ import annotations

import sys
from pathlib import Path

from ..access import digests, disk

_TEMPLATES = 5  # folders above the package


def text(name: str) -> str:
    """A text by its place: `usr/local/bin/updatesc.sh`."""
    bundled: dict[str, str] | None = getattr(sys.modules["jtel_chat"], "TEXTS", None)
    if bundled is not None:
        return bundled[name]
    return disk.text(Path(__file__).parents[_TEMPLATES] / name)


def digest(name: str) -> str:
    """What a document names a text by, so that a changed one is a changed document: 16 hexadecimal digits."""
    return digests.short(text(name).encode())
