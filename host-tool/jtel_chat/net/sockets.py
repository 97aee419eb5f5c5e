"""Lists this host's sockets as the kernel has them (proc_pid_net(5))."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import struct
from typing import NamedTuple

from .. import moment
from ..access import disk
from ..programs import process
from . import origin
from .ip import Address

_ESTABLISHED, _UNCONNECTED, _LISTENING = "01", "07", "0A"


class Socket(NamedTuple):
    """A socket with both of its ends. A listening one has the remote port 0.

    inode: tells a connection from a later one between the same ends.
    """

    address: Address
    port: int
    remote: Address
    remote_port: int
    inode: str


def established() -> list[Socket]:
    """Lists the connections that are open now, whoever has opened them."""
    return _sockets(_ESTABLISHED, "tcp", "tcp6")


def listening() -> list[Socket]:
    """Lists the sockets that wait for connections; the address `::` or `0.0.0.0` stands for all."""
    return _sockets(_LISTENING, "tcp", "tcp6")


def datagrams() -> list[Socket]:
    """Lists the sockets of UDP that take packets from anybody."""
    return _sockets(_UNCONNECTED, "udp", "udp6")


def ephemeral() -> range:
    """Gives the ports that the kernel gives to whoever asks for none: what comes there answers something."""
    first, last = disk.kernel(origin.PROC / "sys/net/ipv4/ip_local_port_range").split()
    return range(int(first), int(last) + 1)


def raw() -> set[int]:
    """Lists the numbers of the IP protocols that programs take all packets of, e.g. 112 for keepalived's VRRP."""
    return {each.port for each in _sockets(_UNCONNECTED, "raw", "raw6")}


def inodes(pid: int) -> set[str]:
    """Lists the sockets that a process holds; none when it has ended."""
    found: set[str] = set()
    with contextlib.suppress(OSError):  # it ends meanwhile
        for descriptor in disk.kernel_names(origin.PROC / str(pid) / "fd"):
            with contextlib.suppress(OSError):  # closed meanwhile
                target = disk.kernel_link(origin.PROC / str(pid) / "fd" / descriptor)
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found


def ports_of(program: str) -> list[int]:
    """Lists the ports that processes of a name (`sshd`) listen on now, which their configuration may not say."""
    lines = process.run("ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes").splitlines()
    return sorted(
        {
            int(line.split()[3].rpartition(":")[2])
            for line in lines
            if f'(("{program}",' in line or f',("{program}",' in line
        }
    )


def received(ports: range) -> dict[str, int]:
    """Counts the bytes that have come over each open connection that has one of these ports at an end, by its inode."""
    ends = [f"( {end} >= :{ports[0]} and {end} <= :{ports[-1]} )" for end in ("sport", "dport")]
    asked = ("ss", "--no-header", "--oneline", "--tcp", "--numeric", "--info", "--extended", "state", "established")
    lines = process.run(*asked, " or ".join(ends), limit=process.MUCH).splitlines()
    inodes = {found[1]: line for line in lines if (found := re.search(r"\bino:(\d+)", line))}
    counts = {inode: re.search(r"\bbytes_received:(\d+)", line) for inode, line in inodes.items()}
    return {inode: int(count[1]) if count else 0 for inode, count in counts.items()}


def parse(table: str, state: str) -> list[Socket]:
    """Reads the sockets of one state from the text of /proc/net/tcp, tcp6, udp….

    Addresses stand there in hexadecimal words of the host's byte order.
    """
    found = re.findall(rf"^ *\d+: ([0-9A-F]+):([0-9A-F]+) ([0-9A-F]+):([0-9A-F]+) {state} (.*)", table, re.MULTILINE)
    return [
        Socket(_address(local), int(port, 16), _address(remote), int(remote_port, 16), rest.split()[5])
        for local, port, remote, remote_port, rest in found
    ]


def _sockets(state: str, *tables: str) -> list[Socket]:
    return [each for name in tables for each in parse(_table(name), state)]


def _table(name: str) -> str:
    return moment.once(("table", name), lambda: _read(name))  # each costs the kernel milliseconds


def _read(name: str) -> str:
    """Reads one of the kernel's tables; empty on a host without IPv6, which has no tcp6."""
    try:
        return disk.kernel(origin.PROC / "net" / name).decode("ascii")
    except FileNotFoundError:
        return ""


def _address(words: str) -> Address:
    """Reads an address; the ::ffff:10.1.0.21 of a socket for both families becomes 10.1.0.21."""
    packed = struct.pack(f"={len(words) // 8}I", *(int(words[at : at + 8], 16) for at in range(0, len(words), 8)))
    address = ipaddress.ip_address(packed)
    return getattr(address, "ipv4_mapped", None) or address
