"""Where a haproxy.cfg listens, and as whom: read only, for probes and for what no checker of HAProxy sees.

Source: configuration.txt 2.3 (quoting), 4.2 (`bind`, `mode`), 5.1 (options of `bind`).
"""

# ruff: noqa: S104 – addresses are compared here, nothing is bound

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

_SECTIONS = (
    *("global", "defaults", "frontend", "backend", "listen", "userlist", "peers", "resolvers", "cache", "mailers", "program", "ring"),
    *("http-errors", "fcgi-app", "log-forward", "crt-store", "traces", "acme"),
)
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


@dataclass
class _Section:
    keyword: str
    name: str
    lines: list[str] = field(default_factory=list)

    def values(self, *keyword: str) -> list[list[str]]:
        """What follows a keyword, for each line that begins with it. Only these are taken apart: shlex is slow, and files are long."""
        lines = [_words(line) for line in self.lines if line.split(None, 1)[0] == keyword[0]]
        return [words[len(keyword) :] for words in lines if tuple(words[: len(keyword)]) == keyword and len(words) > len(keyword)]


def binds(config: bytes) -> list[Bind]:
    """Every TCP address that the frontends and listen sections bind; sockets, and what stands in variables, are left out."""
    found: list[Bind] = []
    inherited = "tcp"
    for section in _sections(config):
        modes = [value[0] for value in section.values("mode")]
        mode = modes[-1] if modes else "tcp" if section.keyword == "defaults" else inherited
        if section.keyword == "defaults":
            inherited = mode
        if section.keyword in ("frontend", "listen"):
            redirects = bool(section.values("redirect") or section.values("http-request", "redirect"))
            for words in section.values("bind"):
                found += _of_line(f"{section.keyword} {section.name}", words, mode == "http", redirects)
    return found


def overlap(one: str, other: str) -> bool:
    """Whether two listening addresses take each other's connections."""
    try:
        first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    except ValueError:
        return one == other
    return first.version == second.version and (first == second or one in _EVERY or other in _EVERY)


def global_setting(config: bytes, keyword: str) -> str | None:
    """The value of a keyword in the global sections; of several, HAProxy takes the first."""
    values = [value[0] for section in _sections(config) if section.keyword == "global" for value in section.values(keyword)]
    return values[0] if values else None


def stats_socket(config: bytes) -> str | None:
    """The first `stats socket` that is a file."""
    values = [value for section in _sections(config) if section.keyword == "global" for value in section.values("stats", "socket")]
    paths = [value[0].removeprefix("unix@") for value in values]
    return next((path for path in paths if path.startswith("/")), None)


def _sections(config: bytes) -> Iterator[_Section]:
    section: _Section | None = None
    for line in config.decode(errors="replace").splitlines():
        first, *rest = line.split(None, 1) or [""]
        if first in _SECTIONS:
            if section:
                yield section
            section = _Section(first, " ".join(_words(" ".join(rest))[:1]))
        elif first and not first.startswith("#") and section:
            section.lines.append(line)
    if section:
        yield section


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # an open quote: HAProxy refuses it, too
        return []


def _of_line(section: str, words: list[str], http: bool, redirects: bool) -> Iterator[Bind]:
    places, options = words[0], words[1:]
    for place in places.split(","):
        host, _, ports = place.rpartition(":")
        first, _, last = ports.partition("-")
        if "/" in place or "$" in place or not first.isdecimal() or not (last or first).isdecimal():
            continue
        for address in _addresses(host, options):
            for port in range(int(first), int(last or first) + 1):
                yield Bind(section, address, port, "ssl" in options, "accept-proxy" in options, http, redirects)


def _addresses(host: str, options: list[str]) -> list[str]:
    name = host.removeprefix("ipv4@").removeprefix("ipv6@").strip("[]")
    if host.startswith("ipv6@") and not name:
        name = "::"
    if name in ("", "*"):
        return ["0.0.0.0"]
    return list(_EVERY) if name == "::" and "v6only" not in options else [name]
