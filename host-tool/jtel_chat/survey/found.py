"""Holds what a survey has found of one concern."""

from __future__ import annotations

from typing import Any, NamedTuple


class Found(NamedTuple):
    """Facts (None where there is nothing), and what of them differs from the vendor's procedure."""

    facts: dict[str, Any] | None
    deviations: list[str]
