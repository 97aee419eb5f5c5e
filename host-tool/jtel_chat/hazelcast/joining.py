"""Reads from a hazelcast.xml on which ports a member listens, and where it looks for the others.

Hazelcast reference manual, "Discovering members by TCP": a member is a name or address, with or without a port, or a
range (`10.1.0.1-5`, `10.1.0.*`); several stand in one element, separated by commas. Without a port, three are tried;
with `auto-increment="false"`, one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..errors import Refused
from . import xml
from .xml import local

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_LAST_PORT, _OCTET = 65535, 255
_MOST = 1000  # hosts; Hazelcast asks each, and so do we
_SHOWN = 60  # characters of a member in a message
_TRIED = 3  # ports of a member that names none (TcpIpJoiner, MAX_PORT_TRIES)
_ELEMENTS = ("member", "members", "interface", "required-member")


class Member(NamedTuple):
    """A host with members, and the ports on which others look for them there.

    in_range: only a range like `10.1.0.1-5` names the host, so that there may be none.
    """

    host: str
    ports: tuple[int, ...]
    in_range: bool = False


class Network(NamedTuple):
    """What a file says of the network.

    ports: those on which a member may listen. members: None where they do not find each other by a list. increments: a
    member whose first port is taken takes the next one.
    """

    ports: range
    members: list[Member] | None
    increments: bool = True

    @property
    def tried(self) -> range:
        """Those on which others look for a member that they know without a port."""
        return self.ports[:_TRIED]


def read(data: bytes) -> Network:
    """Reads the network of a file that Hazelcast has accepted. Raises Refused with what in it cannot be meant."""
    root = xml.root(data)
    port, tcp = _first(root, "port"), _first(root, "tcp-ip")
    first, count = (
        _number(port.text, 5701) if port is not None else 5701,
        _number(port.get("port-count"), 100) if port is not None else 100,
    )
    increments = port is None or port.get("auto-increment", "true").strip() != "false"
    network = Network(range(first, min(first + (count if increments else 0), _LAST_PORT) + 1), None, increments)
    if tcp is None or tcp.get("enabled", "false").strip() != "true":
        return network
    texts = [element.text or "" for element in tcp.iter() if local(element.tag) in _ELEMENTS]
    words = [word for text in texts for word in re.split(r"[,;\s]+", text) if word]
    if any("${" in word for word in words):  # only the process knows its properties
        return network
    members: dict[Member, None] = {}
    for word in dict.fromkeys(words):
        members.update(dict.fromkeys(_expanded(word, network.tried)))
        if len(members) > _MOST:
            raise Refused(f"its members stand for more than {_MOST} hosts. Name the servers of the cluster only")
    return network._replace(members=list(members))


def _expanded(word: str, tried: range) -> list[Member]:
    """Lists the hosts that one word of a member list stands for. tried: the ports of those that name none."""
    with_port = re.fullmatch(r"([^:]+|\[.*\]):(\d{1,5})", word)
    host = (with_port[1] if with_port else word).strip("[]")
    ports = (int(with_port[2]),) if with_port else tuple(tried)
    span = re.fullmatch(r"(\d{1,3}\.\d{1,3}\.\d{1,3})\.(?:(\d+)-(\d+)|\*)", host)
    if not span:
        return [Member(host, ports)]
    low, high = (_octet(span[2], word), _octet(span[3], word)) if span[2] else (1, 254)
    return [Member(f"{span[1]}.{number}", ports, in_range=True) for number in range(low, high + 1)]


def _octet(digits: str, word: str) -> int:
    if len(digits) > 3 or int(digits) > _OCTET:
        raise Refused(
            f"its member '{word[:_SHOWN]}' ends beyond {_OCTET}, where no address does. Example of a range:"
            " 10.1.0.31-35"
        )
    return int(digits)


def _number(text: str | None, otherwise: int) -> int:
    """Reads a port, or how many; what is no number, a placeholder for instance, counts as the usual value."""
    found = re.fullmatch(r"\s*([0-9]{1,5})\s*", text or "")
    return min(int(found[1]), _LAST_PORT) if found else otherwise


def _first(root: Element, tag: str) -> Element | None:
    return next((element for element in root.iter() if local(element.tag) == tag), None)
