"""This host's TCP sockets, as the kernel tells them (proc_pid_net(5))."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import struct
from typing import NamedTuple

from ..access import disk
from ..programs import process
from . import origin
from .ip import Address

_ESTABLISHED, _LISTENING = "01", "0A"


class Socket(NamedTuple):
    """Both ends.

    A listening one has the remote port 0; inode tells a connection from a later one between the same ends.
    """

    address: Address
    port: int
    remote: Address
    remote_port: int
    inode: str


def established() -> list[Socket]:
    """Connections that are open now, whoever has opened them."""
    return _sockets(_ESTABLISHED)


def listening() -> list[Socket]:
    """Sockets that wait for connections; the address `::` or `0.0.0.0` stands for all."""
    return _sockets(_LISTENING)


def inodes(pid: int) -> set[str]:
    """The sockets that a process holds; none when it has ended."""
    found: set[str] = set()
    with contextlib.suppress(OSError):  # it ends meanwhile
        for descriptor in disk.kernel_names(origin.PROC / str(pid) / "fd"):
            with contextlib.suppress(OSError):  # closed meanwhile
                target = disk.kernel_link(origin.PROC / str(pid) / "fd" / descriptor)
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found


def ports_of(program: str) -> list[int]:
    """The ports that processes of a name (`sshd`) really listen on; what a configuration says may be another thing."""
    lines = process.run("ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes").splitlines()
    return sorted(
        {
            int(line.split()[3].rpartition(":")[2])
            for line in lines
            if f'(("{program}",' in line or f',("{program}",' in line
        }
    )


def parse(table: str, state: str) -> list[Socket]:
    """The sockets of one state in the text of /proc/net/tcp or tcp6: addresses in hexadecimal words of the host's byte
    order.
    """
    found = re.findall(rf"^ *\d+: ([0-9A-F]+):([0-9A-F]+) ([0-9A-F]+):([0-9A-F]+) {state} (.*)", table, re.MULTILINE)
    return [
        Socket(_address(local), int(port, 16), _address(remote), int(remote_port, 16), rest.split()[5])
        for local, port, remote, remote_port, rest in found
    ]


def _sockets(state: str) -> list[Socket]:
    return [each for name in ("tcp", "tcp6") for each in parse(_table(name), state)]


def _table(name: str) -> str:
    """A host without IPv6 has no tcp6."""
    try:
        return disk.kernel(origin.PROC / "net" / name).decode("ascii")
    except FileNotFoundError:
        return ""


def _address(words: str) -> Address:
    """A socket for both families shows an IPv4 peer as ::ffff:10.1.0.21."""
    packed = struct.pack(f"={len(words) // 8}I", *(int(words[at : at + 8], 16) for at in range(0, len(words), 8)))
    address = ipaddress.ip_address(packed)
    return getattr(address, "ipv4_mapped", None) or address
