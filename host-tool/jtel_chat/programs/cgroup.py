"""Finds the systemd unit that this process is in.

It imports nothing: every look asks this before anything else, and start-up counts.
"""

from __future__ import annotations

PROC = "/proc"


def unit() -> str:
    """Names the unit right below system.slice, `jtel-chat-java-812.service`.

    Empty elsewhere: in a login's session, or below a user's own systemd.
    """
    root = _place("1").removesuffix("/init.scope")
    folder, _, name = _place("self").rpartition("/")
    return name if folder == f"{root}/system.slice" else ""


def _place(process: str) -> str:
    """Finds where a process is in systemd's own hierarchy (cgroups(7)), of version 1 or else of version 2."""
    with open(f"{PROC}/{process}/cgroup", encoding="utf-8") as file:
        fields = [line.rstrip("\n").split(":", 2) for line in file]
    places = {controllers: path for _, controllers, path in fields}
    return places.get("name=systemd") or places.get("", "")
