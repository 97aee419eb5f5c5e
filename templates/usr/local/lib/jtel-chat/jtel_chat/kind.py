"""What every kind offers: `observe` looks, `apply` makes a section true. A kind is a module of the same name."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from . import declaration, digests, disk, document, masking
from .declaration import Declaration
from .document import Section
from .errors import Refused
from .transaction import Transaction

_SHOWN = 65536  # bytes; longer files are named, not shown
KINDS = ("resources", "packages", "files", "database", "release", "haproxy", "unit", "secret", "firewall", "service")


@dataclass
class Observed:
    """What is true on the host now. Values are short and public: digests, modes, states – never content.

    state: by keys like `mode:/etc/x`, compared with the state after the last apply; a difference is drift. `words` says it.
    loaded: the part that a process reads when it starts; a difference to what it attested owes a restart.
    problems: why an apply would fail, each with its remedy.
    warnings: what is going to be a problem, or cannot be proven here; each with its remedy. They stop nothing.
    text: what a person wants to see the difference of, secrets masked.
    facts: what a person asks for, and nothing hangs on: `days:/etc/haproxy/haproxy.pem`, `owed:jtel-clientmessenger.service`.
    alike: what should be the same on every host that has the step.
    active: of several hosts that have the step, this one carries the traffic: it is changed after the others.
    """

    state: dict[str, str] = field(default_factory=dict)
    loaded: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    text: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    alike: dict[str, str] = field(default_factory=dict)
    active: bool = False


@dataclass
class Judgement:
    """What is to be written, looked at beforehand: problems and warnings as in Observed, and lines for the person who writes it."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


class Kind(Protocol):
    """The interface of a kind's module."""

    DECLARATION: Declaration

    def observe(self, section: Section) -> Observed:
        """Look only."""
        ...

    def apply(self, section: Section, transaction: Transaction) -> None:
        """Make the section true. Raises Refused before, Failed after the first effect."""
        ...

    def undo(self, section: Section, transaction: Transaction) -> None:
        """Take back what is no file; files are put back from their originals. A kind that only has files lacks this function."""
        ...

    def load_again(self, section: Section) -> str:
        """Have loaded what a rollback has put back; how it is then, for a person. Only kinds that ask for it (`load_on_rollback`) have it.

        The section has its name only: it comes from a journal.
        """
        ...

    def is_proven(self, section: Section) -> bool:
        """Whether what was applied is loaded; where a restart is held, nothing is proven. Only kinds that prove have it."""
        ...

    def run_again(self, section: Section) -> str:
        """Start what has not proven itself on the files that were put back; how it is then. Only kinds that prove have it."""
        ...


def of(section: Section) -> Kind:
    """The module for a section; imported when first needed, since start-up counts."""
    if section.kind not in KINDS:
        raise Refused(f"document: unknown kind '{section.kind}' (known: {', '.join(KINDS)}). Is the host tool older than the document?")
    return cast(Kind, importlib.import_module(f".{section.kind}", __package__))


def declared(section: Section) -> Declaration:
    """What its kind declares."""
    return of(section).DECLARATION


def parsed(text: str) -> list[Section]:
    """The sections of a document, each as its kind declares it. Raises Refused with everything that is not."""
    sections = document.parse(text)
    problems: list[str] = []
    for section in sections:
        try:
            declaration.check(section, declared(section))
        except Refused as refusal:
            problems.append(str(refusal))
    if problems:
        raise Refused("; ".join(problems))
    return sections


_looked: dict[str, Observed] | None = None


@contextlib.contextmanager
def looking() -> Iterator[None]:
    """While inside nothing changes: a section is looked at once, however many steps ask about it."""
    global _looked  # noqa: PLW0603 – one look is one process
    _looked = {}
    try:
        yield
    finally:
        _looked = None


def is_looking() -> bool:
    """Whether the problems that are seen decide about an apply. Elsewhere – a starting service attests what it loads – only the state counts."""
    return _looked is not None


def observe(section: Section) -> Observed:
    """What is true of a section now."""
    if _looked is None:
        return of(section).observe(section)
    key = repr(section)
    if key not in _looked:
        _looked[key] = of(section).observe(section)
    return _looked[key]


def observe_all(sections: list[Section]) -> Observed:
    """What all sections see, as one."""
    whole = Observed()
    for section in sections:
        seen = observe(section)
        whole.state |= seen.state
        whole.text |= seen.text
        whole.problems += seen.problems
        whole.warnings += seen.warnings
        whole.facts |= seen.facts
        whole.alike |= seen.alike
        whole.active |= seen.active
    return whole


def file_digest(path: Path) -> str:
    """The digest of a file's bytes; `link to /x`, or `absent`."""
    if (target := disk.link_target(path)) is not None:
        return f"link to {target}"
    try:
        return digests.short(disk.read(path))
    except (FileNotFoundError, NotADirectoryError):
        return "absent"


def shown(path: Path) -> str:
    """A text file as it may be shown, secrets masked. Empty for what is no text."""
    if not disk.is_file(path):
        return ""
    try:
        text = disk.read(path).decode()
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return ""
    return masking.masked(text) if len(text) < _SHOWN else ""


def mount_problems(section: Section) -> list[str]:
    """Whether the share that a section copies from is mounted (field `mount`; absent where this host is the share's home)."""
    mount = section.fields.get("mount")
    if mount and mount not in _mount_points():
        return [f"the share is not mounted at {mount}. Mount it ('mount {mount}', entry in /etc/fstab), then repeat"]
    return []


def _mount_points() -> set[str]:
    lines = disk.kernel("/proc/self/mountinfo").decode(errors="surrogateescape").splitlines()
    return {line.split(" ")[4].replace("\\040", " ") for line in lines}
