"""Names what every kind offers. A kind is a module in `kinds/`: `observe` looks, `apply` makes a section true."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, cast

from ..engine.transaction import Transaction
from ..errors import Refused
from . import declaration, document
from .declaration import Declaration
from .document import Section

KINDS = (
    *("resources", "packages", "tool", "files", "database", "release", "haproxy", "unit", "secret", "firewall"),
    *("service", "drain"),
)
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Observed:
    """What a kind has found on the host. Values are short and public: digests, modes, states – never content.

    state: by keys like `mode:/etc/x`, compared with the state after the last apply; a difference is drift. `words`
    turns it into sentences.
    loaded: the part that a process reads when it starts; a difference to what it attested owes a restart.
    problems: why an apply would fail, each with its remedy.
    warnings: what is going to be a problem, or cannot be proven here; each with its remedy. They stop nothing.
    owed: why an apply has to run again although nobody has edited anything, e.g. an update of what a process loads.
    text: reads what a person wants to see the difference of, secrets masked; only where there is a difference.
    facts: what a person asks for and nothing depends on: `days:/etc/haproxy/haproxy.pem`,
    `owed:jtel-clientmessenger.service`.
    alike: what should be the same on every host that has the step.
    active: whether this host carries traffic that a change of the step could cut: a load balancer with the portal's
    address is changed after the others, a chat server that runs after those before it are proven.
    """

    def __init__(
        self,
        state: Mapping[str, str] = _NOTHING,
        loaded: Mapping[str, str] = _NOTHING,
        problems: Iterable[str] = (),
        warnings: Iterable[str] = (),
        *,
        owed: Iterable[str] = (),
        text: Mapping[str, Callable[[], str]] = _NOTHING,
        facts: Mapping[str, str] = _NOTHING,
        alike: Mapping[str, str] = _NOTHING,
        active: bool = False,
    ) -> None:
        self.state = dict(state)
        self.loaded = dict(loaded)
        self.problems = list(problems)
        self.warnings = list(warnings)
        self.owed = list(owed)
        self.text = dict(text)
        self.facts = dict(facts)
        self.alike = dict(alike)
        self.active = active


class Judgement(NamedTuple):
    """What speaks against some content before it is written.

    problems, warnings: as in Observed. said: lines for the person who writes it.
    """

    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()
    said: Sequence[str] = ()


class Kind(Protocol):
    """What the module of a kind has: a declaration, `observe`, `apply`, and those of the other functions that it needs.

    `files` has no `undo`, for instance, `database` no `due`, and only `service` has `is_proven` and `run_again`.
    """

    DECLARATION: Declaration

    def observe(self, section: Section) -> Observed:
        """Looks at what the section describes, and changes nothing."""
        ...

    def apply(self, section: Section, transaction: Transaction) -> None:
        """Makes the section true. Raises Refused before, Failed after the first effect."""
        ...

    def due(self, section: Section) -> dict[str, str]:
        """Says what a first apply would change, by what it changes: `{"/etc/haproxy/haproxy.cfg": "written"}`.

        Only asked where the step was never applied. Raises Refused where that cannot be said.
        """
        ...

    def undo(self, section: Section, transaction: Transaction) -> None:
        """Takes back what is no file, e.g. rules of ufw; files are put back from their originals by the engine."""
        ...

    def load_again(self, section: Section) -> str:
        """Loads what a rollback has put back, and says what runs then, e.g. that HAProxy runs the file as it was.

        Only kinds that call `Transaction.load_on_rollback` have it. The section comes from a journal and has its name
        only.
        """
        ...

    def is_proven(self, section: Section) -> bool:
        """Tells whether the process has loaded what was applied; where its restart is held, it has not.

        Only kinds that declare `proves` have it.
        """
        ...

    def run_again(self, section: Section) -> str:
        """Starts the service on the files that were put back, and says how it is then.

        Only kinds that declare `proves` have it.
        """
        ...


def of(section: Section) -> Kind:
    """Imports the module of a section's kind: only when it is needed, because every call pays for its imports."""
    if section.kind not in KINDS:
        raise Refused(
            f"document: unknown kind '{section.kind}' (known: {', '.join(KINDS)}). Is the host tool older than the"
            " document?"
        )
    return cast(Kind, importlib.import_module(f"jtel_chat.kinds.{section.kind}"))


def declared(section: Section) -> Declaration:
    """Gives what the kind of a section declares."""
    return of(section).DECLARATION


def is_loaded(section: Section) -> bool:
    """Tells whether a process loads what a section writes.

    Whole files count only where they say `loaded-by`: no process loads updatesc.sh.
    """
    loaded = declared(section).loaded
    return loaded == "always" or (loaded == "named" and "loaded-by" in section.fields)


def parsed(text: str) -> list[Section]:
    """Reads the sections of a document and checks each against its kind. Raises Refused with all that does not fit."""
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
