"""Counts the sessions of a service: connections over which bytes went lately, whoever holds them.

HAProxy's checks carry no byte, and it keeps no connection in a pool (render/haproxy.ts). ss(8): `lastsnd` and `lastrcv`
are the milliseconds since the last data went out and came in.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter

from ..programs import process

_ASKED = ("ss", "--no-header", "--oneline", "--tcp", "--numeric", "--info", "state", "established")


def active(port: int, idle: float) -> Counter[str]:
    """Counts the sessions on a port by the address that they come from.

    idle: seconds of silence after which one does not count any more.
    """
    return parse(process.run(*_ASKED, f"sport = :{port}", limit=process.MUCH), idle)


def parse(text: str, idle: float) -> Counter[str]:
    """Reads what ss(8) prints, one connection a line."""
    found: Counter[str] = Counter()
    for line in text.splitlines():
        peer = _peer(line)
        if peer and not peer.is_loopback and _carried(line) and _silence(line) < idle * 1000:
            found[str(peer)] += 1
    return found


def _peer(line: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    words = line.split()
    if len(words) < 4:
        return None
    host = words[3].rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _carried(line: str) -> bool:
    """Tells whether any byte has come: of a connection that has just been accepted none has."""
    return re.search(r"\bbytes_received:[1-9]", line) is not None


def _silence(line: str) -> int:
    """Gives the milliseconds since data last went either way."""
    return min((int(each) for each in re.findall(r"\blast(?:snd|rcv):(\d+)", line)), default=0)
