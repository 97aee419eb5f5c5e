"""Reads what a survey says of the host itself: release, resources, packages, firewall and owner."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

from ..access import disk
from ..engine import owner as owners
from ..firewall import ufw
from ..programs import process
from .found import Found

_GB = 10**9
_PACKAGES = ("openjdk-*-jre-headless", "openjdk-*-jdk", "haproxy", "ufw", "keepalived", "python3", "sudo")
_CLUSTER = "5701:5801"


def release() -> str:
    """Reads `debian 12` from os-release(5)."""
    lines = disk.text(Path("/etc/os-release")).splitlines()
    values = {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}
    return f"{values.get('ID', 'unknown')} {values.get('VERSION_ID', '')}".strip()


def resources() -> dict[str, float]:
    """Gives memory and the drive of the home directories in GB (10⁹ bytes), and the number of cores."""
    lines = disk.kernel("/proc/meminfo").decode().splitlines()
    total = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal:"))
    return {
        "memory": round(total / _GB, 1),
        "cores": float(os.cpu_count() or 1),
        "disk": round(shutil.disk_usage("/home").total / _GB, 1),
    }


def packages() -> dict[str, str]:
    """Gives the versions of what the role needs, of what is installed."""
    shown = process.attempt(
        "dpkg-query", "--show", "--showformat", "${Package} ${Version} ${db:Status-Status}\\n", *_PACKAGES
    )
    words = [line.split(" ") for line in shown.stdout.splitlines()]
    return {each[0]: each[1] for each in words if each[2:] == ["installed"]}


def has_service_user() -> bool:
    """Tells whether there is the user `jtel`."""
    return any(each.pw_name == "jtel" for each in pwd.getpwall())


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
