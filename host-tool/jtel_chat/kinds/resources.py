"""Checks what a host must have before a program is installed on it for the first time.

A section is `# resources: PROGRAM` with `memory`, `disk` (GB, 10⁹ bytes; disk of the drive with the home directories),
`cores`; `additional` (beside what runs there already: memory that is free, and one core more); `system` (`debian 12,
debian 13`: what all this was tried on); `accept` (block: which of them may be less, or other). Once the program is
there, a person has seen that it runs.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..access import disk
from ..documents import declaration
from ..documents.declaration import NUMBER, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..engine.transaction import Transaction
from ..errors import Refused

_SYSTEM = r"[a-z]+ [0-9.]+"

DECLARATION = Declaration(
    names=re.escape(f"{declaration.HOME}/bin"),
    fields={
        "memory": Field(NUMBER),
        "disk": Field(NUMBER),
        "cores": Field(NUMBER),
        "additional": Field("yes"),
        "system": Field(rf"{_SYSTEM}(?:, {_SYSTEM})*"),
        "accept": Field("memory|disk|cores|system", "lines"),
    },
)

_GB = 10**9
_HOMES = "/home"


def observe(section: Section) -> Observed:
    seen = Observed()
    if disk.stat(Path(section.name)):
        return seen
    accepted = section.lines("accept")
    _judge_system(section, accepted, seen)
    for name, (asked, there, unit) in _amounts(section).items():
        if there >= asked:
            continue
        wanted = f"{asked:g} {unit}".strip()
        found = f"{name}: the vendor asks for {wanted}, this host has {there:.1f}".replace(".0", "")
        if name in accepted:
            seen.warnings.append(f"{found}. Accepted by resources.accept")
        else:
            seen.problems.append(f"{found}. Give it more, or accept that: resources.accept: [{name}]")
    return seen


def apply(section: Section, transaction: Transaction) -> None:
    if problems := observe(section).problems:
        raise Refused("; ".join(problems))


def _judge_system(section: Section, accepted: list[str], seen: Observed) -> None:
    tried, found = section.fields.get("system", ""), system()
    if not tried or found in tried.split(", "):
        return
    text = f"system: this host is {found}, and the CHAT role was tried on {tried} only"
    if "system" in accepted:
        seen.warnings.append(f"{text}. Accepted by resources.accept")
    else:
        seen.problems.append(
            f"{text}. Try it on a host that you can throw away, then accept it: resources.accept: [system]"
        )


def system() -> str:
    """Reads `debian 12` from os-release(5)."""
    lines = disk.text(Path("/etc/os-release")).splitlines()
    values = {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}
    return f"{values.get('ID', 'unknown')} {values.get('VERSION_ID', '')}".strip()


def _amounts(section: Section) -> dict[str, tuple[float, float, str]]:
    """Gives for each resource what is asked for, what is there, and its unit."""
    additional = "additional" in section.fields
    there = memory()
    found = {
        "memory": (there["MemAvailable"] if additional else there["MemTotal"], "GB free" if additional else "GB"),
        "cores": (float(os.cpu_count() or 1) - additional, "beside one for what runs there" if additional else ""),
        "disk": (disk.size(_HOMES) / _GB, f"GB on the drive of {_HOMES}"),
    }
    return {name: (float(section.fields[name]), *values) for name, values in found.items() if name in section.fields}


def memory() -> dict[str, float]:
    """Reads /proc/meminfo (proc(5)) in GB."""
    lines = disk.kernel("/proc/meminfo").decode().splitlines()
    return {name: int(rest.split()[0]) * 1024 / _GB for name, rest in (line.split(":", 1) for line in lines)}
