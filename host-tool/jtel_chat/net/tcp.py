"""Asks who answers where, over TCP."""

from __future__ import annotations

import socket
from collections.abc import Iterable

ACCEPTS, REFUSES, SILENT = "accepts", "refuses", "silent"

_PATIENCE = 5.0  # seconds; longer than the kernel looks for a host that is off in the same network (3 s)
_AT_ONCE = 32


def probe(places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Connects to addresses and ports side by side, and says whether each accepts, refuses or is silent.

    A host that is off refuses, too, in the same network: the kernel says so after three seconds.
    """
    from concurrent.futures import ThreadPoolExecutor

    wanted = list(places)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(_answer, wanted)))


def _answer(place: tuple[str, int]) -> str:
    try:
        with socket.create_connection(place, timeout=_PATIENCE):
            return ACCEPTS
    except (TimeoutError, socket.timeout):  # two classes until Python 3.10
        return SILENT
    except OSError:
        return REFUSES
