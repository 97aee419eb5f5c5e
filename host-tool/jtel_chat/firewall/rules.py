"""Reads ufw's rules from its files and tells what they let in, without calling ufw."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

from ..net.ip import Address, Network

COMMENT = "jtel-chat"
_HEX = COMMENT.encode().hex()
EVERYWHERE = ("0.0.0.0/0", "::/0")  # both families: ufw keeps a rule from anywhere as two
_TUPLE = "### tuple ### "


class Connection(NamedTuple):
    """A tcp connection to this host: from where, to which address and port, through which interface."""

    source: Address
    destination: Address
    port: int
    interface: str


class Rule(NamedTuple):
    """The packets of one address family that a rule is about.

    port: `any`, `3000`, `5701:5801` or `80,443`. protocol: `tcp`, `udp` or `any`. interface: `eth0`; empty for every
    one.
    """

    protocol: str
    port: str
    source: Network
    interface: str

    def __str__(self) -> str:
        words = [f"{self.port}/{self.protocol}"]
        if self.source.prefixlen:
            words.append(f"from {_words(self.source)}")
        if self.interface:
            words.append(f"on {self.interface}")
        return " ".join(words) + (" (v6)" if self.source == ipaddress.ip_network("::/0") else "")

    def arguments(self) -> list[str]:
        """Writes an allow rule in ufw's own words (ufw(8), "extended syntax").

        It has a source of one family: without one, ufw would take both families.
        """
        interface = ["in", "on", self.interface] if self.interface else []
        return [
            "allow",
            *interface,
            "proto",
            self.protocol,
            "from",
            _words(self.source),
            "to",
            "any",
            "port",
            self.port,
        ]

    def overlaps(self, other: Rule) -> bool:
        """Tells whether some packet is meant by both rules."""
        protocols = "any" in (self.protocol, other.protocol) or self.protocol == other.protocol
        interfaces = "" in (self.interface, other.interface) or self.interface == other.interface
        ports = any(
            low <= high2 and low2 <= high for low, high in _ranges(self.port) for low2, high2 in _ranges(other.port)
        )
        return (
            protocols
            and interfaces
            and ports
            and self.source.version == other.source.version
            and self.source.overlaps(other.source)
        )

    def as_open_as(self, other: Rule) -> bool:
        """Tells whether it lets everybody in whom `other` lets in; ports aside."""
        inner, outer = other.source, self.source
        first, last = (
            int(inner.network_address) >= int(outer.network_address),
            int(inner.broadcast_address) <= int(outer.broadcast_address),
        )
        return inner.version == outer.version and first and last and self.interface in ("", other.interface)

    def meets(self, connection: Connection) -> bool:
        """Tells whether a connection is meant."""
        port = any(low <= connection.port <= high for low, high in _ranges(self.port))
        return (
            self.protocol in ("tcp", "any")
            and port
            and connection.source in self.source
            and self.interface in ("", connection.interface)
        )


class Entry(NamedTuple):
    """One line of ufw's files for incoming packets.

    action: `allow`, `limit`, `deny` or `reject`. profile: the application that ufw has it from; empty for most.
    """

    action: str
    rule: Rule
    destination: Network
    profile: str
    ours: bool

    def __str__(self) -> str:
        destination = f" to {self.destination}" if self.destination.prefixlen else ""
        return f"{self.action} {self.profile or self.rule}{destination}"

    @property
    def admits(self) -> bool:
        """Tells whether it lets packets in; `limit` lets some in."""
        return self.action in ("allow", "limit")

    def same_packets(self, rule: Rule) -> bool:
        """Tells whether ufw takes both for the same rule, and would replace this one whatever it does or says."""
        return self.rule == rule and not self.destination.prefixlen and not self.profile


def parse(text: str) -> list[Entry]:
    """Reads the entries of `user.rules` or `user6.rules`, in their order.

    What routes, goes out or looks at source ports is left out.

    `### tuple ### ACTION[_LOG] PROTOCOL PORT TO SOURCE-PORT FROM [TO-PROFILE FROM-PROFILE] DIRECTION[_INTERFACE]
    [comment=HEX]` (ufw, backend_iptables.py, `_write_rules`); very old ones lack the direction.
    """
    lines = [line[len(_TUPLE) :].split() for line in text.splitlines() if line.startswith(_TUPLE)]
    return [entry for words in lines if (entry := _entry(words))]


def foreign(text: str) -> set[str]:
    """Lists the rules of others as a rules file holds them, also those that `parse` leaves out."""
    return {
        line[len(_TUPLE) :]
        for line in text.splitlines()
        if line.startswith(_TUPLE) and not line.endswith(f"comment={_HEX}")
    }


def allowed(rule: Rule) -> Entry:
    """Makes the entry of a rule of ours, as it will stand in ufw's file."""
    return Entry("allow", rule, ipaddress.ip_network(EVERYWHERE[rule.source.version == 6]), "", ours=True)


def deciding(entries: Iterable[Entry], connection: Connection) -> Entry | None:
    """Finds the entry that decides about a connection, the first that means it. None: the default policy decides."""
    return next(
        (entry for entry in entries if connection.destination in entry.destination and entry.rule.meets(connection)),
        None,
    )


def admitted(entries: Iterable[Entry], connection: Connection, by_default: bool = False) -> bool:
    """Tells whether a connection gets in. by_default: whether ufw's policy lets in what no entry means."""
    decision = deciding(entries, connection)
    return by_default if decision is None else decision.admits


def shadowing(entries: list[Entry], rule: Rule) -> list[Entry]:
    """Finds entries before the rule that keep out, wholly or in part, what it lets in.

    A rule that is not there yet comes last.
    """
    place = next(
        (place for place, entry in enumerate(entries) if entry.admits and entry.same_packets(rule)), len(entries)
    )
    return [entry for entry in entries[:place] if not entry.admits and entry.rule.overlaps(rule)]


def broader(entries: list[Entry], wanted: list[Rule]) -> list[tuple[Entry, Rule]]:
    """Finds entries of others that let more in than wanted, each with a rule that it makes pointless."""
    foreign = [entry for entry in entries if entry.admits and not entry.ours]
    pairs = [(entry, [rule for rule in wanted if entry.rule.overlaps(rule)]) for entry in foreign]
    wider = [
        (entry, next((rule for rule in rules if entry.rule.as_open_as(rule)), None), rules) for entry, rules in pairs
    ]
    return [
        (entry, rule) for entry, rule, rules in wider if rule and not any(each.as_open_as(entry.rule) for each in rules)
    ]


def _entry(words: list[str]) -> Entry | None:
    comment = words.pop()[len("comment=") :] if words[-1].startswith("comment=") else ""
    direction, _, interface = (words.pop() if len(words) in (7, 9) else "in").partition("_")
    if direction != "in" or len(words) not in (6, 8) or words[0].startswith("route:") or words[4] != "any":
        return None
    action, protocol, port, destination, _, source = words[:6]
    profile = next((word.replace("%20", " ") for word in words[6:] if word != "-"), "")
    rule = Rule(protocol, port, ipaddress.ip_network(source, strict=False), interface)
    # `allow_log` also lets in; a profile's rule is never ours, nor is one to a single address.
    action = action.partition("_")[0]
    entry = Entry(action, rule, ipaddress.ip_network(destination, strict=False), profile, ours=False)
    return entry._replace(ours=action == "allow" and entry.same_packets(rule) and comment == _HEX)


def _words(source: Network) -> str:
    """Writes a source as ufw does: the network of one address is just that address."""
    return str(source if source.prefixlen < source.max_prefixlen else source.network_address)


def _ranges(port: str) -> list[tuple[int, int]]:
    if port == "any":
        return [(0, 65535)]
    bounds = [(low, high or low) for low, _, high in (part.partition(":") for part in port.split(","))]
    return [(int(low), int(high)) for low, high in bounds]
