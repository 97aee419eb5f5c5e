"""`# database: HOST` – the database that ClientMessenger needs: its name resolves here, and it answers.

Field: `port`. Nothing is owned: it is looked at, before anything else is written.
"""

from __future__ import annotations

import socket
import struct
import time

from ..documents.declaration import HOST, NUMBER, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..engine import observing
from ..engine.transaction import Transaction
from ..errors import Refused
from ..programs import confined
from ..text import printable

DECLARATION = Declaration(names=HOST, fields={"port": Field(NUMBER, required=True)})

_WAIT = 3.0  # seconds for the connection and all packets, at one address
_ASKED = 8  # addresses of a name
_SHOWN = 200  # characters of what a server says
_ROUNDS = 4  # packets until an answer: greeting, perhaps a change of the plugin, the end
_LONGEST = 4096  # bytes of a packet before the login
_UNLIMITED = (
    "the program that tries the login has the vendor's driver in it, and this host does not keep it to the database's"
    " address: systemd does so by cgroup v2 and BPF, which are missing here. Boot it with cgroup v2 (Debian's default),"
    " or see that the share is written by nobody else"
)
_STRANGE = "what answers is no MySQL or MariaDB"
_ERROR, _CHANGE_PLUGIN = 0xFF, 0xFE
# CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH
_CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x80000
_ACCESS_DENIED = range(1044, 1046)


def observe(section: Section) -> Observed:
    problem = answer_problem(section.name, int(section.text("port")))
    unlimited = observing.is_looking() and not confined.filters_addresses()
    return Observed(problems=[problem] if problem else [], warnings=[_UNLIMITED] if unlimited else [])


def apply(section: Section, transaction: Transaction) -> None:
    if problem := answer_problem(section.name, int(section.text("port"))):
        raise Refused(problem)


def addresses(host: str, port: int) -> list[str]:
    """What the name resolves to here; nothing when it does not."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def answer_problem(host: str, port: int) -> str | None:
    """Why no MySQL or MariaDB answers there; None when one does."""
    found = addresses(host, port)
    if not found:
        return (
            f"the database's name {host} does not resolve here. Add it to /etc/hosts or the name server, or correct"
            " database.host"
        )
    problems = []
    for address in found[:_ASKED]:
        problem = _problem_at(address, port)
        if problem is None:
            return None
        problems.append(f"{address}, port {port}: {problem}")
    return (
        f"the database {host} does not answer ({'; '.join(problems)}). Is it up, does its firewall let this host in, "
        "and are database.host and database.port right?"
    )


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
    """Up to the server's refusal of an unknown user: a host that only reads greetings is blocked by and by
    (max_connect_errors).
    """
    number, packet = _read(connection, deadline)
    for _ in range(_ROUNDS):
        if packet[0] == _ERROR:
            return _refusal(packet)
        answer = b"" if packet[0] == _CHANGE_PLUGIN else _stranger()
        connection.sendall(struct.pack("<I", len(answer))[:3] + bytes([number + 1]) + answer)
        number, packet = _read(connection, deadline)
        if packet[0] not in (_ERROR, _CHANGE_PLUGIN):
            break
    return None


def _read(connection: socket.socket, deadline: float) -> tuple[int, bytes]:
    """Sequence number and payload of one packet (MySQL, "Client/Server Protocol", Packets)."""
    header = _receive(connection, 4, deadline)
    length = int.from_bytes(header[:3], "little")
    if not 0 < length < _LONGEST or header[3] > 2 * _ROUNDS:
        raise OSError(_STRANGE)
    return header[3], _receive(connection, length, deadline)


def _receive(connection: socket.socket, count: int, deadline: float) -> bytes:
    """Exactly so many bytes. One deadline for all of them: a server that drips would never let a single wait end."""
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


def _stranger() -> bytes:
    """HandshakeResponse41 of a user whose name tells a reader of the server's log who it was."""
    return (
        struct.pack("<IIB23x", _CAPABILITIES, 1 << 24, 33) + b"jtel-chat-looks\0" + b"\0" + b"mysql_native_password\0"
    )


def _refusal(packet: bytes) -> str | None:
    """What an error packet says; a refusal of the stranger is what a server in good health gives."""
    code = int.from_bytes(packet[1:3], "little")
    text = packet[3:].decode("utf-8", "replace")
    if code in _ACCESS_DENIED or text.startswith("#28000"):
        return None
    return f"it says {code}: {printable.block(text[6:] if text.startswith('#') else text)[:_SHOWN]}"
