"""Answers `survey`: what this host is, and what differs from the vendor's procedure, before anything is managed on it.

Reads only, without a lock, and writes nothing. It runs as root where the account may use sudo, else with the account's
own rights; what those do not suffice for is listed as `unread`. No secret is among the answer: of a unit's connection
come host, database, user and time zone, of certificates what HAProxy shows to everybody.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from .. import moment
from ..access import disk
from ..engine import looking
from ..errors import Ended
from ..kinds import resources as needs
from ..net import addresses, listeners, sockets
from ..programs import process
from ..text import printable
from . import chat, haproxy, system
from .found import Found

_MOST = 200  # entries of a list
_LONGEST = 300  # characters of a text


def run() -> int:
    """Prints the answer as one line of JSON; returns the exit code."""
    with moment.one():
        answer = answered()
    print(looking.ANSWER + json.dumps(answer))
    return 0


def answered() -> dict[str, Any]:
    """Gives the answer; what could not be read is missing from it, and named."""
    unread: list[str] = []

    def tried(what: str, read: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return read()
        except Ended:
            raise
        except Exception as error:  # noqa: BLE001 – a survey says what it can
            unread.append(f"{what}: {error}")
            return otherwise

    nothing = Found(None, [])
    program, proxy = tried("chat", chat.read, nothing), tried("HAProxy", haproxy.read, nothing)
    firewall = tried("ufw", system.firewall, nothing)
    found = {
        "format": 1,
        "root": os.geteuid() == 0,
        "name": os.uname().nodename,
        "system": tried("system", needs.system, "unknown"),
        "resources": tried("resources", system.resources, {}),
        "interfaces": tried("interfaces", _interfaces, {}),
        "packages": tried("packages", system.packages, {}),
        "jtel": tried("user jtel", system.has_service_user, False),
        "owner": tried("owner", system.whose, ""),
        "share": tried("share", chat.share, None),
        "chat": program.facts,
        "haproxy": proxy.facts,
        "firewall": firewall.facts,
        "ports": tried("ports", _ports, []),
        "deviations": [*program.deviations, *proxy.deviations, *firewall.deviations],
    }
    cut: dict[str, Any] = bounded({**found, "unread": unread})
    return cut


def bounded(value: Any) -> Any:
    """Cuts texts and lists to what a controller reads; texts have printable characters only."""
    if isinstance(value, str):
        return value if value.startswith("-----BEGIN CERTIFICATE") else printable.line(value, _LONGEST)
    if isinstance(value, list):
        return [bounded(each) for each in value[:_MOST]]
    if isinstance(value, dict):
        return {printable.line(str(key), _LONGEST): bounded(each) for key, each in list(value.items())[:_MOST]}
    return value


def _interfaces() -> dict[str, str]:
    if disk.executable("ip") is None:
        return {}
    found = {str(address): name for address, name in addresses.interfaces().items()}
    return {address: name for address, name in found.items() if not addresses.is_loopback(address)}


def _ports() -> list[dict[str, Any]]:
    """Lists what listens for others, each port once with its program; a program is seen by root only."""
    open_ports = {each.port: each for each in sockets.listening() if not each.address.is_loopback}
    found = [(port, listeners.holder(each)) for port, each in sorted(open_ports.items())[:_MOST]]
    return [{"port": port, "program": holder.program if holder else ""} for port, holder in found]


def is_active(unit: str) -> bool:
    """Tells whether a unit of systemd runs."""
    return process.attempt("systemctl", "is-active", "--quiet", unit).returncode == 0
