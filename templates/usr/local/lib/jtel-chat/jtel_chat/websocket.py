"""A real WebSocket handshake (RFC 6455, section 4): a connect alone does not show that chat works."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import socket
from urllib.parse import urlsplit

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def handshake_problem(url: str, timeout: float = 5) -> str | None:
    """Why `ws://host:port/path` does not upgrade; None when it does."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port or 80), timeout=timeout) as connection:
            return upgrade(connection, parts.netloc, parts.path or "/")[1]
    except OSError as error:
        return str(error)


def upgrade(connection: socket.socket, host: str, path: str) -> tuple[int, str | None]:
    """Ask for an upgrade on a connection: the status (0 without one), and why it is none; None when it is."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    connection.sendall(request.encode())
    head = _head(connection)
    accept = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
    line, *headers = head.split("\r\n")
    status = int(line.split()[1]) if re.match(r"HTTP/1\.[01] \d{3}", line) else 0
    if status != 101:
        return status, f"the answer was '{line[:100]}', not an upgrade"
    values = dict(each.lower().split(": ", 1) for each in headers if ": " in each)
    return status, None if values.get("sec-websocket-accept") == accept.lower() else "it answered with a wrong Sec-WebSocket-Accept"


def _head(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data and len(data) < 16384:
        chunk = connection.recv(4096)
        if not chunk:
            break
        data += chunk
    return data.partition(b"\r\n\r\n")[0].decode("latin-1")
