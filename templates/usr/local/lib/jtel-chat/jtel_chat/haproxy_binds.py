"""Where a haproxy.cfg listens, and as whom: read only, for probes and for what no checker of HAProxy sees.

Source: configuration.txt 4.2 (`bind`, `mode`), 5.1 (options of `bind`).
"""

# ruff: noqa: S104 – addresses are compared here, nothing is bound

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from . import haproxy_parse
from .haproxy_parse import Line, Section

_EVERY = ("0.0.0.0", "::")


@dataclass(frozen=True)
class Bind:
    """One address and port of a `bind` line.

    section: `frontend acdportal_https`. address: an IP address or a name; `0.0.0.0` and `::` for all (`bind :::443` gives both,
    unless `v6only`). proxy: a connection begins with a PROXY header. http: the section's mode. redirects: the section has redirects.
    """

    section: str
    address: str
    port: int
    tls: bool
    proxy: bool
    http: bool
    redirects: bool

    @property
    def is_wildcard(self) -> bool:
        """Whether it takes connections to all addresses of a family."""
        return self.address in _EVERY

    def __str__(self) -> str:
        return f"{'' if self.address == _EVERY[0] else f'[{self.address}]' if ':' in self.address else self.address}:{self.port}"


def binds(config: bytes) -> list[Bind]:
    """Every TCP address that the frontends and listen sections bind; sockets, and what stands in variables, are left out."""
    every = haproxy_parse.sections(haproxy_parse.lines(config))
    listening = [section for section in every if section.keyword in ("frontend", "listen")]
    return [bind for section in listening for line in section.named("bind") for bind in _of_line(section, line, haproxy_parse.mode(every, section))]


def overlap(one: str, other: str) -> bool:
    """Whether two listening addresses take each other's connections."""
    try:
        first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    except ValueError:
        return one == other
    return first.version == second.version and (first == second or one in _EVERY or other in _EVERY)


def global_setting(config: bytes, keyword: str) -> str | None:
    """The value of a keyword in the global sections; of several, HAProxy takes the first."""
    return next((line.words[1] for line in _global(config) if line.keyword == keyword and len(line.words) > 1), None)


def stats_socket(config: bytes) -> str | None:
    """The first `stats socket` that is a file."""
    places = [line.words[2].removeprefix("unix@") for line in _global(config) if line.words[:2] == ("stats", "socket") and len(line.words) > 2]
    return next((place for place in places if place.startswith("/")), None)


def _global(config: bytes) -> list[Line]:
    every = haproxy_parse.sections(haproxy_parse.lines(config))
    return [line for section in every if section.keyword == "global" for line in section.content()]


def _of_line(section: Section, line: Line, mode: str) -> Iterator[Bind]:
    places, options = "".join(line.words[1:2]), line.words[2:]
    redirects = any(each.keyword == "redirect" or each.words[1:2] == ("redirect",) for each in section.named("redirect", "http-request"))
    for place in places.split(","):
        host, _, ports = place.rpartition(":")
        first, _, last = ports.partition("-")
        if "/" in place or "$" in place or not first.isdecimal() or not (last or first).isdecimal():
            continue
        for address in _addresses(host, options):
            for port in range(int(first), int(last or first) + 1):
                name = f"{section.keyword} {section.name}"
                yield Bind(name, address, port, "ssl" in options, "accept-proxy" in options, mode == "http", redirects)


def _addresses(host: str, options: tuple[str, ...]) -> list[str]:
    name = host.removeprefix("ipv4@").removeprefix("ipv6@").strip("[]")
    if host.startswith("ipv6@") and not name:
        name = "::"
    if name in ("", "*"):
        return ["0.0.0.0"]
    return list(_EVERY) if name == "::" and "v6only" not in options else [name]
