"""Opens a real WebSocket (RFC 6455, section 4): a connect alone does not show that chat works."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import socket
import time
from urllib.parse import urlsplit

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_WITHIN = 5.0  # seconds
_LONGEST = 16384  # bytes of an answer's head


def handshake_problem(url: str, within: float = _WITHIN) -> str | None:
    """Says why `ws://host:port/path` does not upgrade; None when it does.

    within: seconds for all of it, however slowly the answer comes.
    """
    parts, deadline = urlsplit(url), time.monotonic() + within
    try:
        with socket.create_connection((parts.hostname, parts.port or 80), timeout=within) as connection:
            return upgrade(connection, parts.netloc, parts.path or "/", max(deadline - time.monotonic(), 0.001))[1]
    except OSError as error:
        return str(error)


def upgrade(connection: socket.socket, host: str, path: str, within: float | None = None) -> tuple[int, str | None]:
    """Asks for an upgrade on a connection: the status (0 without one), and why it is no upgrade; None when it is one.

    Raises TimeoutError.

    within: seconds for all of it; unset, as many as the connection's own timeout gives to a single answer.
    """
    deadline = time.monotonic() + (within or connection.gettimeout() or _WITHIN)
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key:"
        f" {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    connection.sendall(request.encode())
    head = _head(connection, deadline)
    accept = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
    line, *headers = head.split("\r\n")
    status = int(line.split()[1]) if re.match(r"HTTP/1\.[01] \d{3}", line) else 0
    if status != 101:
        return status, f"the answer was '{line[:100]}', not an upgrade"
    values = dict(each.lower().split(": ", 1) for each in headers if ": " in each)
    return status, (
        None
        if values.get("sec-websocket-accept") == accept.lower()
        else "it answered with a wrong Sec-WebSocket-Accept"
    )


def _head(connection: socket.socket, deadline: float) -> str:
    """Reads an answer up to its empty line.

    The socket's own timeout would begin anew with every byte, so the time that is left is set before each read.
    """
    data = b""
    while b"\r\n\r\n" not in data and len(data) < _LONGEST:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        connection.settimeout(left)
        chunk = connection.recv(4096)
        if not chunk:
            break
        data += chunk
    return data.partition(b"\r\n\r\n")[0].decode("latin-1")
