"""Observes sections, each once within one look."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..documents import kind
from ..documents.document import Section
from ..documents.kind import Observed

_looked: dict[str, Observed] | None = None


@contextlib.contextmanager
def looking() -> Iterator[None]:
    """Makes `observe` look at each section once while inside, however many steps ask: nothing changes meanwhile."""
    from ..net import sockets  # which a starting service, that attests, does without
    from ..programs import process

    global _looked  # noqa: PLW0603 – one look is one process
    _looked = {}
    try:
        with sockets.at_one_moment(), process.at_one_moment():
            yield
    finally:
        _looked = None


def is_looking() -> bool:
    """Tells whether this is a look, whose problems and warnings a person will see.

    Elsewhere – a starting service attests what it loads – only the state counts.
    """
    return _looked is not None


def observe(section: Section) -> Observed:
    """Looks at one section."""
    if _looked is None:
        return kind.of(section).observe(section)
    key = repr(section)
    if key not in _looked:
        _looked[key] = kind.of(section).observe(section)
    return _looked[key]


def observe_all(sections: list[Section]) -> Observed:
    """Looks at all sections, and joins what was seen."""
    whole = Observed()
    for section in sections:
        seen = observe(section)
        whole.state |= seen.state
        whole.text |= seen.text
        whole.problems += seen.problems
        whole.warnings += seen.warnings
        whole.owed += seen.owed
        whole.facts |= seen.facts
        whole.alike |= seen.alike
        whole.active |= seen.active
    return whole
