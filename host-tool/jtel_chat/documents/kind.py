"""What every kind offers: `observe` looks, `apply` makes a section true. A kind is a module of the same name."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Protocol, cast

from ..engine.transaction import Transaction
from ..errors import Refused
from . import declaration, document
from .declaration import Declaration
from .document import Section

KINDS = (
    *("resources", "packages", "tool", "files", "database", "release", "haproxy", "unit", "secret", "firewall"),
    "service",
)


@dataclass
class Observed:
    """What is true on the host now. Values are short and public: digests, modes, states – never content.

    state: by keys like `mode:/etc/x`, compared with the state after the last apply; a difference is drift. `words` says
    it.
    loaded: the part that a process reads when it starts; a difference to what it attested owes a restart.
    problems: why an apply would fail, each with its remedy.
    warnings: what is going to be a problem, or cannot be proven here; each with its remedy. They stop nothing.
    text: what a person wants to see the difference of, secrets masked.
    owed: why an apply has to run again although nobody has edited anything, e.g. an update of what a process loads.
    facts: what a person asks for, and nothing hangs on: `days:/etc/haproxy/haproxy.pem`,
    `owed:jtel-clientmessenger.service`.
    alike: what should be the same on every host that has the step.
    active: of several hosts that have the step, this one carries the traffic: it is changed after the others.
    """

    state: dict[str, str] = field(default_factory=dict)
    loaded: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    owed: list[str] = field(default_factory=list)
    text: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    alike: dict[str, str] = field(default_factory=dict)
    active: bool = False


@dataclass
class Judgement:
    """What is to be written, looked at beforehand: problems and warnings as in Observed, and lines for the person who
    writes it.
    """

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
        """Take back what is no file; files are put back from their originals.

        A kind that only has files lacks this function.
        """
        ...

    def load_again(self, section: Section) -> str:
        """Load what a rollback has put back, and say what runs then: `HAProxy runs FILE again as it was.`

        Only kinds that ask for it (`load_on_rollback`) have it. The section comes from a journal and has its name only.
        """
        ...

    def is_proven(self, section: Section) -> bool:
        """Whether what was applied is loaded; where a restart is held, nothing is proven.

        Only kinds that prove have it.
        """
        ...

    def run_again(self, section: Section) -> str:
        """Start what has not proven itself on the files that were put back; how it is then.

        Only kinds that prove have it.
        """
        ...


def of(section: Section) -> Kind:
    """The module for a section; imported when first needed, since start-up counts."""
    if section.kind not in KINDS:
        raise Refused(
            f"document: unknown kind '{section.kind}' (known: {', '.join(KINDS)}). Is the host tool older than the"
            " document?"
        )
    return cast(Kind, importlib.import_module(f"jtel_chat.kinds.{section.kind}"))


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
