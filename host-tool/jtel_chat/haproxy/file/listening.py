"""Finds the addresses that a haproxy.cfg binds, for probes and for what no checker of HAProxy sees.

Source: configuration.txt 4.2 (`bind`, `mode`), 5.1 (options of `bind`).
"""

# ruff: noqa: S104 – addresses are compared here, nothing is bound

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import parse
from .parse import Line, Section

_EVERY = ("0.0.0.0", "::")
# `ADDRESS:PORT`, `:PORT-PORT`, `tcp6@ADDRESS:PORT`; not `quic4@…`, `unix@…`, `abns@…`, nor what stands in variables.
_PLACE = re.compile(r"(?:(?:ip|tcp)v?(?P<family>[46]?)@)?(?P<host>[^@$/]*):(?P<first>\d+)(?:-(?P<last>\d+))?")


@dataclass(frozen=True)
class Bind:
    """One address and port of a `bind` line.

    section: `frontend acdportal_https`. address: an IP address or a name; `0.0.0.0` and `::` for all (`bind :::443`
    gives both, unless `v6only`). proxy: a connection begins with a PROXY header. http: the section's mode is http.
    redirects: the section has redirects. options: the words behind the address, `interface` and `eth0`.
    """

    section: str
    address: str
    port: int
    tls: bool
    proxy: bool
    http: bool
    redirects: bool
    options: tuple[str, ...] = ()

    @property
    def is_wildcard(self) -> bool:
        """Tells whether it takes connections to all addresses of a family."""
        return self.address in _EVERY

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{'' if host == _EVERY[0] else host}:{self.port}"


def binds(every: Sequence[Section]) -> list[Bind]:
    """Lists every TCP address that frontends and listen sections bind: no sockets, no QUIC, nothing in variables."""
    listening = [section for section in every if section.keyword in ("frontend", "listen")]
    return [bind for section in listening for _, bind in of_section(section, parse.mode(every, section))]


def of_section(section: Section, mode: str = "") -> Iterator[tuple[Line, Bind]]:
    """Yields what a section binds, each with the line that says so: `bind :80`, or the old header `listen NAME :80`.

    mode: the section's, its defaults considered.
    """
    header = section.header
    if section.keyword in ("frontend", "listen") and len(header.words) > 2 and header.words[2] != "from":
        yield from ((header, bind) for bind in _parsed(section, mode, header.words[2], header.words[3:]))
    for line in section.named("bind"):
        yield from ((line, bind) for bind in _parsed(section, mode, "".join(line.words[1:2]), line.words[2:]))


def overlap(one: str, other: str) -> bool:
    """Tells whether two listening addresses take each other's connections: `0.0.0.0` and `10.1.0.9` do.

    A name may stand for any address.
    """
    try:
        first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    except ValueError:
        return one == other or one in _EVERY or other in _EVERY
    return first.version == second.version and (first == second or one in _EVERY or other in _EVERY)


def _parsed(section: Section, mode: str, places: str, options: tuple[str, ...]) -> Iterator[Bind]:
    redirects = any(
        each.keyword == "redirect" or each.words[1:2] == ("redirect",)
        for each in section.named("redirect", "http-request")
    )
    for place in places.split(","):
        match = _PLACE.fullmatch(place)
        if not match:
            continue
        for address in _addresses(match["family"], match["host"].strip("[]"), options):
            for port in range(int(match["first"]), int(match["last"] or match["first"]) + 1):
                name = f"{section.keyword} {section.name}"
                tls, proxy = "ssl" in options, "accept-proxy" in options
                yield Bind(name, address, port, tls, proxy, mode == "http", redirects, options)


def _addresses(family: str, host: str, options: tuple[str, ...]) -> list[str]:
    if host == "" and family == "6":
        host = "::"
    if host in ("", "*"):
        return [_EVERY[0]]
    return list(_EVERY) if host == "::" and "v6only" not in options else [host]
