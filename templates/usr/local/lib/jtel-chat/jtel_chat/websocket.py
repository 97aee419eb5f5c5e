"""A real WebSocket handshake (RFC 6455, section 4): a connect alone does not show that chat works."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
from urllib.parse import urlsplit

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def handshake_problem(url: str, timeout: float = 5) -> str | None:
    """Why `ws://host:port/path` does not upgrade; None when it does."""
    parts = urlsplit(url)
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    try:
        with socket.create_connection((parts.hostname, parts.port or 80), timeout=timeout) as connection:
            connection.sendall(request.encode())
            head = _head(connection)
    except OSError as error:
        return str(error)
    accept = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
    status, *headers = head.split("\r\n")
    if status.split()[1:2] != ["101"]:
        return f"the answer was '{status[:100]}', not an upgrade"
    values = dict(line.lower().split(": ", 1) for line in headers if ": " in line)
    return None if values.get("sec-websocket-accept") == accept.lower() else "it answered with a wrong Sec-WebSocket-Accept"


def _head(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data and len(data) < 16384:
        chunk = connection.recv(4096)
        if not chunk:
            break
        data += chunk
    return data.partition(b"\r\n\r\n")[0].decode("latin-1")
