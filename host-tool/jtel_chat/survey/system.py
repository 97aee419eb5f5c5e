"""Reads what a survey says of the host itself: resources, packages, firewall and owner."""

from __future__ import annotations

import os
import pwd

from ..access import disk
from ..engine import owner as owners
from ..firewall import ufw
from ..kinds import resources as needs
from ..programs import process
from .found import Found

_GB = 10**9
_PACKAGES = ("openjdk-*-jre-headless", "openjdk-*-jdk", "haproxy", "ufw", "keepalived", "python3", "sudo")
_CLUSTER = "5701:5801"


def resources() -> dict[str, float]:
    """Gives memory and the drive of the home directories in GB (10⁹ bytes), and the number of cores."""
    return {
        "memory": round(needs.memory()["MemTotal"], 1),
        "cores": float(os.cpu_count() or 1),
        "disk": round(disk.size("/home") / _GB, 1),
    }


def packages() -> dict[str, str]:
    """Gives the versions of what the role needs, of what is installed."""
    shown = process.attempt(
        "dpkg-query", "--show", "--showformat", "${Package} ${Version} ${db:Status-Status}\\n", *_PACKAGES
    )
    words = [line.split(" ") for line in shown.stdout.splitlines()]
    return {each[0]: each[1] for each in words if each[2:] == ["installed"]}


def has_service_user() -> bool:
    """Tells whether there is the user `jtel`, also one of a directory, which need not list its users."""
    try:
        return bool(pwd.getpwnam("jtel"))
    except KeyError:
        return False


def whose() -> str:
    """Names the stack that manages this host, `jtel-chat/acme`; empty where none does."""
    found = owners.read()
    return found[0].name if found else ""


def firewall() -> Found:
    """Reads whether ufw is on, and its rules as a person reads them."""
    if not ufw.is_installed():
        return Found(None, ["ufw is not installed"])
    active, rules = ufw.is_active(), [str(entry) for entry in ufw.entries()]
    off = [] if active else ["ufw is switched off: its rules do not count"]
    wide = [rule for rule in rules if rule.startswith(f"allow {_CLUSTER}/tcp") and " from " not in rule]
    opened = [f"Hazelcast's ports are open to everybody ({rule}), and it asks for no password" for rule in wide]
    return Found({"active": active, "rules": rules}, [*off, *opened])
