"""Finds the addresses that a haproxy.cfg binds, for probes and for what no checker of HAProxy sees.

Source: configuration.txt 4.2 (`bind`, `mode`), 5.1 (options of `bind`).
"""

# ruff: noqa: S104 – addresses are compared here, nothing is bound

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from . import parse
from .configuration import Configuration
from .parse import Line, Section

_EVERY = ("0.0.0.0", "::")
# `ADDRESS:PORT`, `:PORT-PORT`, `tcp6@ADDRESS:PORT`; not `quic4@…`, `unix@…`, `abns@…`, nor what stands in variables.
_PLACE = re.compile(r"(?:(?:ip|tcp)v?(?P<family>[46]?)@)?(?P<host>[^@$/]*):(?P<first>[0-9]+)(?:-(?P<last>[0-9]+))?")
_HIGHEST = 65535
_PROBED = 32  # binds of one section: a range may have thousands


class Bind(NamedTuple):
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
    def interface(self) -> str:
        """The only interface that it takes connections from, `eth0`; empty for all."""
        return next((value for option, value in zip(self.options, self.options[1:]) if option == "interface"), "")

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


def certain_binds(config: Configuration) -> dict[Bind, Line]:
    """Finds those of the binds that stand in no condition, each with its line: the others may be of another host."""
    every = config.all_sections
    listening = [section for section in every if section.keyword in ("frontend", "listen")]
    found = [pair for section in listening for pair in of_section(section, parse.mode(every, section))]
    return {bind: line for line, bind in found if line.at in config.certain}


def of_section(section: Section, mode: str = "") -> Iterator[tuple[Line, Bind]]:
    """Yields what a section binds, each with the line that says so: `bind :80`, or the old header `listen NAME :80`.

    mode: the section's, its defaults considered.
    """
    for line, places, options in _lines(section):
        yield from ((line, bind) for bind in _parsed(section, mode, places, options))


def impossible(section: Section, certain: set[int]) -> Iterator[str]:
    """Yields each bind, among lines that certainly count, whose ports HAProxy refuses: `bind :4000-9999999`."""
    for line, places, _ in _lines(section):
        matches = map(_PLACE.fullmatch, places.split(","))
        if line.at in certain and not all(_ports(match) for match in matches if match):
            yield (
                f"{parse.shown(line)} in '{section.keyword} {section.name}' binds ports that do not exist: they end at"
                f" {_HIGHEST}, and a range names its lower one first. Correct it there"
            )


def worth_probing(found: Sequence[Bind]) -> list[Bind]:
    """Takes the binds whose answer is always that of the same section, and of one section no more than 32."""
    counted: Counter[str] = Counter()
    taken = []
    for bind in _unshared(found):
        counted[bind.section] += 1
        if counted[bind.section] <= _PROBED:
            taken.append(bind)
    return taken


def for_proof(found: Sequence[Bind], portal: str) -> list[Bind]:
    """Takes the binds of a frontend or listen section that may prove what it does: by TLS where it has that.

    Those that it does not share with another section come first.
    """
    own = [bind for bind in found if bind.section in (f"frontend {portal}", f"listen {portal}")]
    best = [bind for bind in own if bind.tls] or own
    unshared = set(_unshared(found))
    return sorted(best, key=lambda bind: bind not in unshared)


def unprovable(config: Configuration, portal: str) -> list[str]:
    """Says why no request can prove what the portal does: another section binds all of its addresses and ports, too.

    Sections and lines inside conditions are left out: they may be alternatives.
    """
    lines = certain_binds(config)
    best = for_proof(list(lines), portal)
    if not best or _unshared(list(lines), best[:1]):
        return []
    return list(
        dict.fromkeys(
            f"{parse.shown(lines[bind])}: '{other.section}' binds this address and port, too. HAProxy deals visitors"
            " out to both at random: WhatsApp's messages would get lost, and no request can prove that they reach chat."
            " Remove one of the two"
            for bind in best[:1]
            for other in lines
            if other.section != bind.section and _socket(other) == _socket(bind)
        )
    )


def overlap(one: str, other: str) -> bool:
    """Tells whether two listening addresses take each other's connections: `0.0.0.0` and `10.1.0.9` do.

    A name may stand for any address.
    """
    try:
        first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    except ValueError:
        return one == other or one in _EVERY or other in _EVERY
    return first.version == second.version and (first == second or one in _EVERY or other in _EVERY)


def _lines(section: Section) -> Iterator[tuple[Line, str, tuple[str, ...]]]:
    """Yields the lines that bind, with their addresses and options."""
    header = section.header
    if section.keyword in ("frontend", "listen") and len(header.words) > 2 and header.words[2] != "from":
        yield header, header.words[2], header.words[3:]
    for line in section.lines[1:]:  # those of another branch of a condition, too: they bind for another section
        if line.keyword == "bind":
            yield line, "".join(line.words[1:2]), line.words[2:]


def _parsed(section: Section, mode: str, places: str, options: tuple[str, ...]) -> Iterator[Bind]:
    name = f"{section.keyword} {section.name}"
    redirects = any(
        each.keyword == "redirect" or each.words[1:2] == ("redirect",)
        for each in section.named("redirect", "http-request")
    )
    for place in places.split(","):
        match = _PLACE.fullmatch(place)
        if not match:
            continue
        for address in _addresses(match["family"], match["host"].strip("[]"), options):
            for port in _ports(match):
                tls, proxy = "ssl" in options, "accept-proxy" in options
                yield Bind(name, address, port, tls, proxy, mode == "http", redirects, options)


def _ports(match: re.Match[str]) -> range:
    """Lists the ports of a place; none where HAProxy refuses them."""
    first, last = (text.lstrip("0") or "0" for text in (match["first"], match["last"] or match["first"]))
    if max(len(first), len(last)) > len(str(_HIGHEST)) or int(last) > _HIGHEST:
        return range(0)
    return range(int(first), int(last) + 1)


def _unshared(found: Sequence[Bind], among: Sequence[Bind] | None = None) -> list[Bind]:
    """Takes those of `among` (or all) whose address and port no other section binds."""
    sections: dict[tuple[str, int, str], set[str]] = {}
    for bind in found:
        sections.setdefault(_socket(bind), set()).add(bind.section)
    return [bind for bind in (found if among is None else among) if len(sections[_socket(bind)]) == 1]


def _socket(bind: Bind) -> tuple[str, int, str]:
    """What two binds share where the kernel deals connections out to both."""
    try:
        address = str(ipaddress.ip_address(bind.address))
    except ValueError:
        address = bind.address
    return address, bind.port, bind.interface


def _addresses(family: str, host: str, options: tuple[str, ...]) -> list[str]:
    if host == "" and family == "6":
        host = "::"
    if host in ("", "*"):
        return [_EVERY[0]]
    return list(_EVERY) if host == "::" and "v6only" not in options else [host]
