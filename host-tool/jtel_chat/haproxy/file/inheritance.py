"""Judges whether chat may inherit the customer's `defaults`, or needs its own.

Source: configuration.txt 4.1 (which keywords a `defaults` section takes), 5.2 (`default-server`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import parse
from .parse import Section

# Where the customer's defaults would spoil our sections, these stand before them.
_DEFAULTS = b"""\
defaults
    log global
    mode http
    timeout connect 5s
    timeout client 50s
    timeout server 50s

"""
_TIMEOUTS = ("connect", "client", "server")  # without one of them HAProxy warns, and connections may stay for ever

# What leaves chat as it is: logging, tuning, error pages, headers that name the visitor, and what our sections set
# themselves. Anything else may answer requests, change them, lead them elsewhere or keep servers away: rules (which
# HAProxy refuses for a frontend and a backend alike), checks that a chat server cannot answer, another way to its port,
# `disabled`, `stats uri`, `maxconn`, `option transparent`, and what nobody knows yet.
_KEYWORDS = (
    r"acl|backlog|balance|clitcpka-\w+|compression|default_backend|description|email-alert|enabled|error-log-format"
    r"|errorfiles?|fullconn|hash-\S+|http-error|http-reuse|load-server-state-from-file|log|log-format|log-format-sd"
    r"|log-steps|log-tag|max-keep-alive-queue|max-session-srv-conns|mode|retries|server-state-file-name|srvtcpka-\w+"
    r"|timeout|unique-id-format|unique-id-header"
)
_OPTIONS = (
    "abortonclose|accept-invalid-http-re(?:quest|sponse)|accept-unsafe-violations-in-http-re(?:quest|sponse)|allbackups"
    "|clitcpka|contstats|dontlog-normal|dontlognull|forwardfor|h1-case-adjust-bogus-(?:client|server)"
    "|http-buffer-request|http-ignore-probes|http-keep-alive|http-no-delay|http-pretend-keepalive|http-server-close"
    "|httpclose|httplog|httpslog|idle-close-on-response|independent-streams|log-health-checks|log-separate-errors"
    "|logasap|originalto|persist|prefer-last-server|redispatch|socket-stats|splice-(?:auto|request|response)|srvtcpka"
    "|tcp-smart-(?:accept|connect)|tcpka|tcplog"
)
_SERVER_FLAGS = r"check|enabled|tfo|no-\S+"
_SERVER_VALUES = (
    "weight|inter|fastinter|downinter|slowstart|init-addr|resolvers|resolve-(?:prefer|net|opts)"
    "|pool-(?:low-conn|max-conn|purge-delay)|max-reuse|source|interface"
)
_SERVER_CHECKS = "rise 2|fall 3"  # HAProxy's own. Others would, like `on-marked-down`, change what a failed check does
_HARMLESS = re.compile(
    rf"(?:{_KEYWORDS})(?: .*)?|no (?:option|log)\b.*|(?:default )?option (?:{_OPTIONS})(?: .*)?"
    rf"|source (?!.*\busesrc\b).*|default-server(?: (?:{_SERVER_FLAGS}|{_SERVER_CHECKS}|(?:{_SERVER_VALUES}) \S+))*"
)


def own_defaults(every: Sequence[Section]) -> bytes:
    """Gives a defaults section to ours where they must not inherit from the last one above them; else nothing.

    every: all sections that HAProxy reads before ours.
    """
    last = next((section for section in reversed(every) if section.keyword == "defaults"), None)
    # HAProxy complains when defaults are named by some sections and simply the last for others.
    if last is None or parse.is_origin(last, every) or last.header.at in parse.conditional(every):
        return _DEFAULTS
    chain = [last, *parse.inherited(every, last)]
    lines = [" ".join(line.words) for section in chain for line in section.content()]
    usable = all(map(_HARMLESS.fullmatch, lines)) and all(_has_timeout(chain, name) for name in _TIMEOUTS)
    return b"" if usable else _DEFAULTS


def _has_timeout(chain: Sequence[Section], name: str) -> bool:
    """Tells whether a timeout is set, whatever a condition says, and not to zero, which means none."""
    for section in chain:
        values = [
            "".join(line.words[2:3])
            for line, outside in parse.unconditional(section)
            if line is outside and line.words[:2] == ("timeout", name)
        ]
        if values:
            return not re.fullmatch(r"0*\D{0,2}", values[-1])
    return False
