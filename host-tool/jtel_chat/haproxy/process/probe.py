"""Sends requests to the HAProxy that runs, as a visitor does, from the host itself – and to nobody else.

An address that keepalived moves may be another host's, whose HAProxy answers alike; and a bind may want of a connection
what one from the host itself cannot have. Such binds are left to who can reach them.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Mapping
from types import MappingProxyType

from ...errors import Failed
from ...net import addresses, websocket
from ..file.listening import Bind

_PATIENCE = 10  # seconds until a request counts as not answered
_CHAT_PATIENCE = (
    25  # with every server out of reach HAProxy tries four times to connect, usually 5 s each, before it answers 503
)
_AGAIN = 5  # seconds that a frontend may take to answer as it should: the old worker may have taken the connection
_OTHERS = {
    "namespace": "is in a network of its own",
    "accept-netscaler-cip": "wants a NetScaler header before each connection",
}
_MARK = "jtel-chatctl"  # the header by which our backend knows the request (templates/etc/haproxy/haproxy.cfg)


def not_provable(bind: Bind) -> str | None:
    """Says why a request from this host cannot show what a bind's visitors get; None when it can."""
    options = bind.options
    for option, value in zip(options, options[1:]):
        if option == "interface" and value != "lo":
            return f"{bind} takes what arrives by {value} only"
        if (option, value) == ("verify", "required"):
            return f"{bind} wants a certificate of its clients"
        if (option, value) == ("proto", "h2"):
            return f"{bind} speaks HTTP/2 only"
    for option, what in _OTHERS.items():
        if option in options:
            return f"{bind} {what}"
    if not bind.is_wildcard and not _is_own(bind.address):
        return f"{bind.address} is not an address of this host now"
    return None


def _is_own(place: str) -> bool:
    """Tells whether all addresses of a place, `10.1.0.10` or a name, are this host's."""
    found = {addresses.usual(place)} if addresses.is_address(place) else addresses.resolved(place)
    others = {each for each in found if not addresses.is_loopback(each)}
    return bool(found) and (not others or others <= addresses.own())


def statuses(binds: list[Bind], name: str) -> dict[Bind, int]:
    """Asks every HTTP bind for `/` that can be asked from here; the status of each that answers, `301`."""
    found = {bind: status(bind, name) for bind in binds if bind.http and not not_provable(bind)}
    return {bind: code for bind, code in found.items() if code}


def status(bind: Bind, name: str) -> int:
    """Asks a bind for `/`; the status, 0 when nothing answers.

    name: what the visitor calls the host, `chat.acme.example` (Host header and SNI).
    """
    return _answer(bind, name, "GET / HTTP/1.1")[0]


def as_before(before: dict[Bind, int], name: str) -> None:
    """Raises Failed when what answered before the reload answers otherwise.

    What was an error before may be anything.
    """
    for bind, was in before.items():
        deadline = time.monotonic() + _AGAIN
        while was < 500 and not not_provable(bind) and (now := status(bind, name)) != was:
            if time.monotonic() > deadline:
                raise Failed(
                    f"'{bind.section}' answers {now or 'nothing'} for / on {bind} since the reload, and answered {was}"
                    " before"
                )
            time.sleep(0.2)


def chat(bind: Bind, name: str) -> str:
    """Says what a visitor of the chat frontend gets, for a person: `a WebSocket opens through :3003`.

    Raises Failed when it is neither chat nor HAProxy's own 503.
    """
    if why := not_provable(bind):
        return f"warning: it is not proven that a WebSocket opens through {bind}: {why}. Try it from a visitor's place"
    try:
        with _connected(bind, name, _CHAT_PATIENCE) as connection:
            code, problem = websocket.upgrade(connection, name, "/")
    except OSError as error:
        raise Failed(f"HAProxy runs, but nothing answers on {bind} ({bind.section}): {error}") from None
    if problem is None:
        return f"a WebSocket opens through {bind}"
    if bind.redirects and 300 <= code < 400:
        return f"{bind} redirects"
    if code == 503:
        return f"{bind} answers; no chat server is up yet, so with HAProxy's own 503"
    raise Failed(f"no WebSocket opens through {bind} ({bind.section}): {problem}")


def reaches(bind: Bind, name: str, path: str, backend: str, revision: str) -> str | None:
    """Says why a POST to `path` does not reach our backend; None when it does.

    The backend itself answers a request that names its revision, and so shows that it has got it.
    """
    deadline = time.monotonic() + _AGAIN
    while True:
        code, head = _answer(bind, name, f"POST {path} HTTP/1.1", {_MARK: revision}, "{}")
        if f"\n{_MARK}: {revision}" in head.lower():
            return None
        if time.monotonic() > deadline:
            return f"POST {path} on {bind} is answered with {code or 'nothing'}, and {backend} has not seen it"
        time.sleep(1)


def _answer(
    bind: Bind, name: str, request: str, further: Mapping[str, str] = MappingProxyType({}), body: str = ""
) -> tuple[int, str]:
    """Sends a request; the status and the head of the answer, 0 when there is none."""
    fields = {
        "Host": name,
        "User-Agent": "jtel-chatctl",
        "Connection": "close",
        "Content-Type": "application/json",
        "Content-Length": len(body),
        **further,
    }
    lines = [request, *(f"{field}: {value}" for field, value in fields.items()), "", body]
    try:
        with _connected(bind, name) as connection:
            connection.sendall("\r\n".join(lines).encode())
            head = connection.recv(4096).partition(b"\r\n\r\n")[0].decode("latin-1")
    except OSError:
        return 0, ""
    answer = re.match(r"HTTP/1\.[01] (\d{3})", head)
    return (int(answer[1]) if answer else 0), head


def _connected(bind: Bind, name: str, patience: float = _PATIENCE) -> socket.socket:
    """Connects to a bind of this host, with the PROXY header where it wants one.

    Over TLS it does not look at the certificate. Raises OSError when this host does not have the address (any more).
    """
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind.address, bind.address)  # noqa: S104
    # From the address itself: the kernel refuses that where it is another host's, so that no request gets there.
    connection = socket.create_connection((address, bind.port), timeout=patience, source_address=(address, 0))
    if bind.proxy:
        connection.sendall(b"PROXY UNKNOWN\r\n")
    if not bind.tls:
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # who it is, certificate.py has looked at
    return context.wrap_socket(connection, server_hostname=name)
