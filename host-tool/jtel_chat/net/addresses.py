"""Finds this host's addresses: of its kernel (ip-address(8)), its resolver and keepalived."""

from __future__ import annotations

import ipaddress
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

from ..access import disk
from ..errors import Failed
from ..programs import process
from .ip import Address

_PATIENCE = 3  # seconds: looking at a host must not hang on a name server that is gone
_KEEPALIVED = Path("/etc/keepalived")


def resolved(name: str) -> set[str]:
    """Lists what a name resolves to here; nothing when it does not, or not within three seconds."""
    if is_address(name):
        return {usual(name)}
    done = process.ask("getent", "ahosts", name, timeout=_PATIENCE)
    return {usual(line.split()[0]) for line in done.stdout.splitlines() if line.strip()}


def beside(hosts: list[str]) -> dict[str, set[str]]:
    """Lists those of some hosts that are not this one by name, each with its addresses.

    hosts: lines that begin with address and name, `10.1.0.22 chatserver2`.
    """
    mine = own()
    found = {name: resolved(host) for host, name, *_ in map(str.split, hosts)}
    return {name: theirs for name, theirs in found.items() if mine.isdisjoint(theirs)}


def virtual() -> set[str]:
    """Lists the addresses that keepalived moves between this host and another one.

    They are the first words of the lines in `virtual_ipaddress` (keepalived.conf(5)).
    """
    text = "\n".join(disk.text(path) for path in _configurations(_KEEPALIVED))
    blocks = re.findall(r"\bvirtual_ipaddress(?:_excluded)?\s*\{([^}]*)\}", re.sub(r"[#!].*", "", text))
    first_words = (line.split()[0] for block in blocks for line in block.splitlines() if line.strip())
    return {usual(word.split("/")[0]) for word in first_words if is_address(word.split("/")[0])}


def _configurations(directory: Path) -> Iterator[Path]:
    for name in disk.names(directory):
        path = directory / name
        if disk.is_directory(path):
            yield from _configurations(path)
        elif name.endswith(".conf"):
            yield path


def interfaces() -> dict[Address, str]:
    """Lists this host's own addresses, each with the interface that holds it."""
    done = process.ask("ip", "-json", "address", limit=process.MUCH)
    if done.returncode:
        raise Failed(f"'ip -json address' failed with exit code {done.returncode}: {done.stderr.strip()}")
    return {
        ipaddress.ip_address(each["local"]): link["ifname"]
        for link in json.loads(done.stdout)
        for each in link.get("addr_info", [])
        if "local" in each
    }


def own() -> set[str]:
    """Lists this host's own addresses. A trial bind would not tell: with keepalived it succeeds for others, too."""
    return {str(address) for address in interfaces()}


def bindable(address: str) -> bool:
    """Tells whether a server here may bind the address (any port)."""
    with socket.socket(_family(address), socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True


def usual(address: str) -> str:
    """Writes an address in its usual form: IPv6 has many ways to write one."""
    return str(ipaddress.ip_address(address))


def is_loopback(address: str) -> bool:
    """Tells whether every host has this address, like 127.0.1.1, which Debian's installer gives a host's own name."""
    return is_address(address) and ipaddress.ip_address(address).is_loopback


def is_address(word: str) -> bool:
    """Tells whether a word is an IP address, not a name."""
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
