"""What every kind offers: `observe` looks, `apply` makes a section true. A kind is a module of the same name."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from .document import Section
from .errors import Refused
from .transaction import Transaction

KINDS = ("packages", "files", "release", "haproxy", "unit", "secret", "firewall", "service")


@dataclass
class Observed:
    """What is true on the host now. Values are short and public: digests, modes, states – never content.

    state: compared with the state after the last apply; a difference is drift.
    loaded: the part that a process reads when it starts; a difference to what it attested owes a restart.
    problems: why an apply would fail, each with its remedy.
    """

    state: dict[str, str] = field(default_factory=dict)
    loaded: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class Kind(Protocol):
    """The interface of a kind's module."""

    def observe(self, section: Section) -> Observed:
        """Look only."""
        ...

    def apply(self, section: Section, transaction: Transaction) -> None:
        """Make the section true. Raises Refused before, Failed after the first effect."""
        ...


def of(section: Section) -> Kind:
    """The module for a section; imported when first needed, since start-up counts."""
    if section.kind not in KINDS:
        raise Refused(f"document: unknown kind '{section.kind}' (known: {', '.join(KINDS)}). Is the host tool older than the document?")
    return cast(Kind, importlib.import_module(f".{section.kind}", __package__))


def digest(data: bytes) -> str:
    """A short content digest."""
    return hashlib.sha256(data).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """The digest of a file's bytes, or `absent`."""
    try:
        return digest(path.read_bytes())
    except FileNotFoundError:
        return "absent"


def mount_problems(section: Section) -> list[str]:
    """Whether the share that a section copies from is mounted (field `mount`; absent where this host is the share's home)."""
    mount = section.fields.get("mount")
    if mount and mount not in _mount_points():
        return [f"the share is not mounted at {mount}. Mount it ('mount {mount}', entry in /etc/fstab), then repeat"]
    return []


def _mount_points() -> set[str]:
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return {line.split(" ")[4].replace("\\040", " ") for line in lines}
