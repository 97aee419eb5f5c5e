"""Tells whether a Hazelcast member finds a free port, and the one where others look for it.

A member takes the first free one of its ports. So another program on 5701, such as a web server's own member beside
chat, is a problem only where the configuration leaves no other port.
"""

from __future__ import annotations

from ..documents import declaration
from ..documents.kind import Judgement
from ..net import listeners
from ..net.listeners import Holder
from .joining import Network


def judge(network: Network) -> Judgement:
    """Says who holds the ports that ClientMessenger's member may take; nothing where it has one of them already."""
    held = _held(set(network.ports))
    if any(holder and holder.unit == declaration.UNIT for holder in held.values()):
        return Judgement()
    free = next((port for port in network.ports if port not in held), None)
    first, last = network.ports[0], network.ports[-1]
    if free is None:
        who = f"port {first} is held by {held[first] or 'something that is not to be seen'}"
        every = f", as are all others up to {last}" if last > first else ""
        only = "" if network.increments else ', and auto-increment="false" allows no other'
        return Judgement(
            [
                f"its member finds no port to listen on, so that ClientMessenger would not start: {who}{every}{only}."
                " End that program, or allow further ports there"
            ]
        )
    if free == first:
        return Judgement()
    who = ", ".join(f"{port} by {held[port] or 'something that is not to be seen'}" for port in range(first, free))
    unseen = (
        ""
        if free in network.tried
        else f". Others look for it on {network.tried[0]}-{network.tried[-1]} only: add :{free} to this host's <member>"
    )
    return Judgement(warnings=[f"its member will listen on port {free}, since these are held: {who}{unseen}"])


def _held(ports: set[int]) -> dict[int, Holder | None]:
    """Finds the holder of each port that somebody listens on; None for one that is not to be seen."""
    found = listeners.listening(ports)
    members = listeners.running("java") if found else []
    return {each.port: listeners.holder(each, members) for each in found}
