"""Finds the Hazelcast that ClientMessenger brings along, and asks it about a configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ..errors import Refused
from ..programs import java
from ..programs.confined import GIVEN
from ..text import masking, printable

# hazelcast-3.12.13.jar, hazelcast-all-3.12.jar, hazelcast-enterprise-5.5.0.jar; not hazelcast-client-…, which is no
# member.
_JAR = re.compile(r"hazelcast(?:-all|-enterprise|-enterprise-all)?-(\d+)\..*\.jar")
_REFUSED = 3  # the checker's exit code
_WAIT = 60  # seconds for starting Java, compiling and reading
_SHOWN = 400  # characters of a refusal: Hazelcast goes on to list every element that it knows


class Jar(NamedTuple):
    """A jar with a Hazelcast member, and its major version: `3`."""

    path: Path
    major: str


class Verdict(NamedTuple):
    """What the library says of a file: its own words where it refuses it, else what it has read."""

    refused: str = ""
    facts: Mapping[str, str] = MappingProxyType({})

    def summary(self) -> str:
        """Says it for a person: `cluster jtel-cluster-ACME, port 5701, members 10.1.0.21 10.1.0.22`."""
        return ", ".join(f"{key} {self.facts.get(key, 'unknown')}" for key in ("cluster", "port", "members"))


def jar(directories: list[str]) -> Jar:
    """Finds the Hazelcast in the first of these folders with one. Raises Refused without one, or with two majors."""
    for directory in directories:
        found = [
            Jar(Path(directory) / name, match[1]) for name in java.jars(directory) if (match := _JAR.fullmatch(name))
        ]
        if len({each.major for each in found}) > 1:
            raise Refused(
                f"{directory} holds {' and '.join(each.path.name for each in found)}: nobody can tell which one is"
                " loaded. Remove the old one"
            )
        if found:
            return found[0]
    raise Refused(
        f"there is no hazelcast-VERSION.jar in {' or '.join(directories)}. Put the vendor's release on the share, then"
        " repeat"
    )


def ask(library: Jar, data: bytes) -> Verdict | None:
    """Loads a configuration with the library, as ClientMessenger would, but confined.

    None where nobody can be asked: no Java here, one that is older than 11 or has no compiler, or no end in time.
    Raises Refused where Java cannot be confined.
    """
    if not java.is_there():
        return None
    done = java.run(
        "HazelcastCheck",
        f"{GIVEN}/hazelcast.xml",
        jars=str(library.path.parent),
        timeout=_WAIT,
        given={"hazelcast.xml": data},
    )
    if done.returncode == _REFUSED:
        return Verdict(refused=_readable(done.stdout))
    if done.returncode:
        return None
    return Verdict(
        facts=dict(line.split(": ", 1) for line in printable.block(done.stdout).splitlines() if ": " in line)
    )


def _readable(message: str) -> str:
    """Cleans Hazelcast's message: `{"NAMESPACE":element}` becomes `<element>`, secrets and endless lists are cut."""
    text = masking.masked(printable.block(re.sub(r'\{"[^"]*":([\w-]+)\}', r"<\1>", " ".join(message.split()))))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
