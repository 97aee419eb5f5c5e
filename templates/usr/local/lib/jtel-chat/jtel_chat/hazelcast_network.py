"""What a hazelcast.xml says of the network: on which ports a member listens, and where it looks for the others.

Hazelcast reference manual, "Discovering members by TCP": a member is a name or address, with or without a port, or a range
(`10.1.0.1-5`, `10.1.0.*`); several stand in one element, separated by commas. Without a port, three are tried.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .hazelcast import local

_TRIED = 3  # ports of a member that names none (TcpIpJoiner, MAX_PORT_TRIES)
_ELEMENTS = ("member", "members", "interface", "required-member")


@dataclass(frozen=True)
class Member:
    """A host with members, and the ports on which others look for them there. in_range: nobody has said that there is one."""

    host: str
    ports: tuple[int, ...]
    in_range: bool = False


@dataclass(frozen=True)
class Network:
    """ports: those on which a member may listen; members: None where they do not find each other by a list."""

    ports: range
    members: list[Member] | None


def read(data: bytes) -> Network:
    """The network of a file that Hazelcast has accepted."""
    import xml.etree.ElementTree as xml

    root = xml.fromstring(data)
    port, tcp = _first(root, "port"), _first(root, "tcp-ip")
    first, count = _number(port.text, 5701) if port is not None else 5701, _number(port.get("port-count"), 100) if port is not None else 100
    ports = range(first, first + count + 1)
    if tcp is None or tcp.get("enabled", "false").strip() != "true":
        return Network(ports, None)
    texts = [element.text or "" for element in tcp.iter() if local(element.tag) in _ELEMENTS]
    words = [word for text in texts for word in re.split(r"[,;\s]+", text) if word]
    if any("${" in word for word in words):  # only the process knows its properties
        return Network(ports, None)
    return Network(ports, list(dict.fromkeys(member for word in words for member in _expanded(word, first))))


def _expanded(word: str, first: int) -> list[Member]:
    """One word of a member list as the hosts that it stands for."""
    with_port = re.fullmatch(r"([^:]+|\[.*\]):(\d+)", word)
    host = (with_port[1] if with_port else word).strip("[]")
    ports = (int(with_port[2]),) if with_port else tuple(range(first, first + _TRIED))
    span = re.fullmatch(r"(\d+\.\d+\.\d+)\.(?:(\d+)-(\d+)|\*)", host)
    if not span:
        return [Member(host, ports)]
    low, high = (int(span[2]), int(span[3])) if span[2] else (1, 254)
    return [Member(f"{span[1]}.{number}", ports, in_range=True) for number in range(low, high + 1)]


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.strip().isdecimal() else otherwise


def _first(root: Any, tag: str) -> Any:
    return next((element for element in root.iter() if local(element.tag) == tag), None)
