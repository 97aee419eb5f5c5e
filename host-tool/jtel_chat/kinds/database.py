"""Looks at the database that ClientMessenger needs: its name resolves here, and it answers.

A section is `# database: HOST` with the field `port`. Nothing is owned: it is looked at before anything else is
written.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path

from ..access import digests, disk
from ..documents.declaration import HOST, NUMBER, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..engine import observing
from ..engine.transaction import Transaction
from ..errors import Refused
from ..net import sockets
from ..programs import confined
from ..text import printable

DECLARATION = Declaration(names=HOST, fields={"port": Field(NUMBER, required=True)})

_WAIT = 3.0  # seconds for the connection and all packets, at one address
_ASKED = 8  # addresses of a name
_SHOWN = 200  # characters of what a server says
_LONGEST = 4096  # bytes of a greeting
_KEPT = 600  # seconds that a good answer counts
_UNLIMITED = (
    "the program that tries the login has the vendor's driver in it, and this host does not keep it to the database's"
    " address: systemd does so by cgroup v2 and BPF, which are missing here. Boot it with cgroup v2 (Debian's default),"
    " or see that the share is written by nobody else"
)
_STRANGE = "what answers is no MySQL or MariaDB"
_ERROR = 0xFF
_PROTOCOLS = (9, 10)  # of a greeting


def observe(section: Section) -> Observed:
    problem = answer_problem(section.name, int(section.text("port")))
    unlimited = observing.is_looking() and not confined.filters_addresses()
    return Observed(problems=[problem] if problem else [], warnings=[_UNLIMITED] if unlimited else [])


def apply(section: Section, transaction: Transaction) -> None:
    if problem := answer_problem(section.name, int(section.text("port"))):
        raise Refused(problem)


def addresses(host: str, port: int) -> list[str]:
    """Lists what the name resolves to here; nothing when it does not."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def answer_problem(host: str, port: int) -> str | None:
    """Says why no MySQL or MariaDB answers there; None when one does.

    A server blocks a host that comes and goes without a login again and again (max_connect_errors), and a login that
    fails looks like an attack. So nothing is asked where a program here is connected to it, as a running
    ClientMessenger is, nor within ten minutes after a good answer.
    """
    found = addresses(host, port)
    if not found:
        return (
            f"the database's name {host} does not resolve here. Add it to /etc/hosts or the name server, or correct"
            " database.host"
        )
    kept = disk.RUN / f"database-{digests.short(f'{found} {port}'.encode())}"
    if _is_connected(found, port) or _has_answered(kept):
        return None
    problems = []
    for address in found[:_ASKED]:
        problem = _problem_at(address, port)
        if problem is None:
            _keep(kept)
            return None
        problems.append(f"{address}, port {port}: {problem}")
    return (
        f"the database {host} does not answer ({'; '.join(problems)}). Is it up, does its firewall let this host in, "
        "and are database.host and database.port right?"
    )


def _is_connected(found: list[str], port: int) -> bool:
    return any(str(each.remote) in found and each.remote_port == port for each in sockets.established())


def _has_answered(kept: Path) -> bool:
    """Tells whether a good answer is less than ten minutes old, by the clock that no administrator sets.

    A boot begins that clock anew, and empties /run, where the answer is noted.
    """
    try:
        return 0 <= time.monotonic() - float(disk.text(kept)) < _KEPT
    except (FileNotFoundError, ValueError):
        return False


def _keep(kept: Path) -> None:
    disk.make_directory(disk.RUN)
    disk.write(kept, str(time.monotonic()).encode())


def _problem_at(address: str, port: int) -> str | None:
    deadline = time.monotonic() + _WAIT
    try:
        with socket.create_connection((address, port), timeout=_WAIT) as connection:
            return _talk(connection, deadline)
    except ConnectionRefusedError:
        return "nothing listens there"
    except (TimeoutError, socket.timeout):  # two classes before Python 3.10
        return f"no answer within {_WAIT:.0f} s"
    except OSError as error:
        return error.strerror or str(error)


def _talk(connection: socket.socket, deadline: float) -> str | None:
    """Reads the server's greeting, or its refusal (MySQL, "Client/Server Protocol", Packets), and leaves."""
    header = _receive(connection, 4, deadline)
    length = int.from_bytes(header[:3], "little")
    if not 0 < length < _LONGEST or header[3] > 1:
        raise OSError(_STRANGE)
    packet = _receive(connection, length, deadline)
    if packet[0] == _ERROR:
        return _refusal(packet)
    return None if packet[0] in _PROTOCOLS else _STRANGE


def _receive(connection: socket.socket, count: int, deadline: float) -> bytes:
    """Reads exactly so many bytes before the deadline: a server that sends one at a time would never let a wait end."""
    data = b""
    while len(data) < count:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        part = connection.recv(count - len(data))
        if not part:
            raise OSError(_STRANGE)
        data += part
    return data


def _refusal(packet: bytes) -> str:
    """Says what an error packet says."""
    code = int.from_bytes(packet[1:3], "little")
    text = packet[3:].decode("utf-8", "replace")
    return f"it says {code}: {printable.block(text[6:] if text.startswith('#') else text)[:_SHOWN]}"
