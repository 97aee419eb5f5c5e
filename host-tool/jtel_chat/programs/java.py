"""Runs Java programs of the tool's own that ask a vendor's jars: confined, as the user whose program brings those jars.

Not as a user of their own (`DynamicUser=`): /home/jtel is 0700 on Debian 12, so nobody else can read the jars. So
everything is taken away that processes of one user can do to each other – the chat server runs as the same user:
signals, memory, sockets, /tmp.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from ..access import account, disk
from ..access.place import resolved
from . import confined, itself
from .confined import GIVEN, Rights

_SOURCES = "usr/local/lib/jtel-chat"
# A small heap and one compiler: what is compiled runs once. No crash file and no counters: everybody could read them.
_OPTIONS = ("-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-XX:ErrorFile=/dev/null")
_RIGHTS = Rights(alone=True)


def jars(folder: str) -> list[str]:
    """Lists the names of the jars in a folder, as the service's user sees it; none where it cannot be read."""
    rights = account.service()
    return [name for name in disk.names(resolved(Path(folder), rights), rights) if name.endswith(".jar")]


def is_there() -> bool:
    """Tells whether this host has a Java at all."""
    return disk.executable("java") is not None


def run(
    program: str,
    *arguments: str,
    jars: str,
    timeout: float,
    options: Sequence[str] = (),
    given: Mapping[str, bytes] = MappingProxyType({}),
    network: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Compiles and runs one of our sources (`HazelcastCheck`) with the jars of a folder.

    Raises Refused where it cannot be confined.
    """
    user = account.service().name
    source = f"{program}.java"
    return confined.run(
        ["java", *_OPTIONS, *options, "-cp", f"{jars}/*", f"{GIVEN}/{source}", *arguments],
        user=user,
        timeout=timeout,
        given={source: itself.brought(f"{_SOURCES}/{source}").encode(), **given},
        network=network,
        rights=_RIGHTS,
    )
