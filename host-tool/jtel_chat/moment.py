"""Keeps what was found once for the rest of a look: nothing changes meanwhile, and asking again would take time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

_Found = TypeVar("_Found")

_found: dict[Hashable, Any] | None = None


@contextlib.contextmanager
def one() -> Iterator[None]:
    """Makes `once` find each thing once while inside."""
    global _found  # noqa: PLW0603 – one look is one process
    _found = {}
    try:
        yield
    finally:
        _found = None


def once(key: Hashable, find: Callable[[], _Found]) -> _Found:
    """Gives what `find` finds, within `one` what it has found before under this key."""
    if _found is None:
        return find()
    if key not in _found:
        _found[key] = find()
    found: _Found = _found[key]
    return found
