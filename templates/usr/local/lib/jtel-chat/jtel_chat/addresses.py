"""This host's addresses, asked of its kernel and its resolver."""

from __future__ import annotations

import socket

from . import process

_PATIENCE = 3  # seconds: looking at a host must not hang on a name server that is gone


def resolved(name: str) -> set[str]:
    """What a name resolves to here; nothing when it does not, or not in time."""
    done = process.attempt("getent", "ahosts", name, timeout=_PATIENCE)
    return {line.split()[0] for line in done.stdout.splitlines() if line.strip()}


def is_own(address: str) -> bool:
    """Whether this host holds the address: to itself it speaks from it. (A bind would not tell: keepalived allows foreign ones.)"""
    with socket.socket(_family(address), socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))  # sends nothing
            return bool(probe.getsockname()[0] == address)
        except OSError:
            return False


def bindable(address: str) -> bool:
    """Whether a server here may bind the address (any port)."""
    with socket.socket(_family(address), socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
