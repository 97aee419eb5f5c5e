"""Describes files in a look's answer: by digest, or as text with secrets masked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..text import masking
from . import digests, disk

_SHOWN = 65536  # bytes; longer files are named, not shown


def digest(path: Path) -> str:
    """Makes the digest of a file's bytes; `link to /x` for a link, `absent` where nothing is."""
    if (target := disk.link_target(path)) is not None:
        return f"link to {target}"
    try:
        return digests.short(disk.read(path))
    except (FileNotFoundError, NotADirectoryError):
        return "absent"


def text(path: Path) -> str:
    """Reads a text file with its secrets masked. Empty for what is no text."""
    if not disk.is_file(path):
        return ""
    try:
        content = disk.read(path).decode()
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return ""
    return masking.masked(content) if len(content) < _SHOWN else ""


def differing(texts: Mapping[Path, bytes]) -> dict[Path, bytes]:
    """Gives those of some texts that are not what is at their paths."""
    return {path: wanted for path, wanted in texts.items() if digest(path) != digests.short(wanted)}


def due(texts: Mapping[Path, bytes]) -> dict[str, str]:
    """Names the files that have another content than these."""
    return {str(path): "written" for path in differing(texts)}
