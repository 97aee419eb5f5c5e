"""Turns stored short keys into words: `mode:/etc/x` is said as `mode of /etc/x`, here and nowhere else."""

from __future__ import annotations

import re

_ITEMS = {
    "content": "content of {}",
    "mode": "mode of {}",
    "owner": "owner of {}",
    "link": "link {}",
    "tool": "host tool {}",
    "source": "{} (its source)",
    "release": "release in {}",
    "offered": "release in {} (offered)",
    "hazelcast": "Hazelcast of {}",
    "package": "package {}",
    "blocks": "our blocks in {}",
    "loaded": "HAProxy runs",
    "certificate": "certificate {}",
    "active": "{} is",
    "enabled": "{} at boot",
    "runs": "{} runs",
    "rule": "rule '{}'",
    "rules": "{} rules of chat",
    "restored": "put back at {}, since the service was not healthy with it",
}

_VALUES = {
    ("link", "none"): "no link",
    ("admin", "maint"): "in maintenance",
    ("admin", "drain"): "drained",
    ("loaded", "unknown"): "nobody can be asked",
    ("loaded", "other"): "another configuration",
    ("certificate", "unknown"): "nobody can be asked",
    ("certificate", "changed"): "changed since HAProxy loaded it",
    ("certificate", "served"): "as HAProxy serves it",
    ("rule", "no-ipv6"): "left out, ufw has IPV6=no",
    ("rule", "earlier"): "of an earlier configuration",
    ("runs", "current"): "the current files",
    ("runs", "stopped"): "it was not running",
    ("runs", "unmanaged"): "it was started before it was managed",
    (
        "runs",
        "unattested",
    ): (
        "nothing noted what it has loaded, since jtel-chat-attest.service did not run before its start"
        " (systemctl status jtel-chat-attest.service)"
    ),
    ("runs", "held"): "its restart is held",
    ("runs", "reload"): "systemd has not read its unit again",
}

_FACTS = {
    "admin": "{} is {} on this load balancer",
    "days": "certificate {} ends in {} days",
    "drain": "{}: {}",
    "draining": "{} is {}",
    "sessions": "{} has {} connections of clients",
    "written": "{} was last written at {}",
}


def item(key: str) -> str:
    """Says what a key is about: `content of /etc/x`."""
    aspect, _, subject = key.partition(":")
    return _ITEMS[aspect].format(subject) if aspect in _ITEMS else key


def value(key: str, found: str) -> str:
    """Says what a value means: `no link`."""
    aspect = key.partition(":")[0]
    if aspect == "runs" and found.startswith("changed:"):
        items = found.removeprefix("changed:").split(",")
        return f"{', '.join(each.partition(':')[2] or each for each in items)} changed since its start"
    return _VALUES.get((aspect, found), found)


def fact(key: str, found: str) -> str:
    """Says a fact: `certificate /etc/haproxy/haproxy.pem ends in 87 days`."""
    aspect, _, subject = key.partition(":")
    if aspect == "owed":
        return f"{subject} owes a restart: {value('runs:', found)}"
    return _FACTS[aspect].format(subject, _VALUES.get((aspect, found), found))


def drift(key: str, found: str | None) -> str:
    """Says what differs from what was applied: `mode of /etc/x: 0600`.

    A digest says nothing to a person, so other content is `content of /etc/x changed`.
    """
    if found and re.fullmatch(r"[0-9a-f]{16}|[0-9a-f]{64}", found):
        return f"{item(key)} changed"
    return f"{item(key)}: {value(key, found or 'absent')}"
