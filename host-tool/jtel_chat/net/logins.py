"""Reads who was logged in at some time, from /var/log/wtmp (wtmp(5)). Debian 13 keeps none."""

from __future__ import annotations

import struct
from pathlib import Path

from ..access import disk
from ..errors import Refused

_WTMP = Path("/var/log/wtmp")
_RECORD = struct.Struct("=hxxi32s4s32s256shhiii4i20s")
_BOOT, _USER, _DEAD = 2, 7, 8


def at(moment: float) -> list[str]:
    """Lists who was logged in, as `alice from 10.0.0.5`, sorted; empty where the host does not keep it.

    moment: seconds since 1970.
    """
    try:
        records = disk.read(_WTMP)
    except (OSError, Refused):
        return []
    return sorted(set(_open(records, moment).values()))


def _open(records: bytes, moment: float) -> dict[bytes, str]:
    """Finds the sessions that are open at a moment, by their terminal."""
    found: dict[bytes, str] = {}
    whole = len(records) - len(records) % _RECORD.size
    for kind, _, line, _, user, host, _, _, _, seconds, *_ in _RECORD.iter_unpack(records[:whole]):
        if seconds > moment:
            break
        if kind == _BOOT:
            found.clear()
        elif kind == _DEAD:
            found.pop(line, None)
        elif kind == _USER:
            origin = _text(host)
            found[line] = f"{_text(user)}{f' from {origin}' if origin else ''}"
    return found


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("utf-8", "replace")
