"""Observes sections, each once within one look."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from .. import moment
from ..access import mounts
from ..documents import kind
from ..documents.document import Section
from ..documents.kind import Observed

_looking = False


@contextlib.contextmanager
def looking() -> Iterator[None]:
    """Makes `observe` look at each section once while inside, however many steps ask: nothing changes meanwhile."""
    global _looking  # noqa: PLW0603 – one look is one process
    _looking = True
    try:
        with moment.one():
            yield
    finally:
        _looking = False


def is_looking() -> bool:
    """Tells whether this is a look, whose problems and warnings a person will see.

    Elsewhere – a starting service attests what it loads – only the state counts.
    """
    return _looking


def observe(section: Section) -> Observed:
    """Looks at one section. Raises Refused where the server of its share is silent."""
    mounts.require_answer(section.fields.get("mount"))
    return moment.once(("section", repr(section)), lambda: kind.of(section).observe(section))


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
