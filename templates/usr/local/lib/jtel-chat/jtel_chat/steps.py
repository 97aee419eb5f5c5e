"""Steps: observing and applying one document as a whole."""

from __future__ import annotations

import re
from typing import Any

from . import document, kind, lock, record
from .document import Section
from .errors import Refused
from .transaction import Transaction, recover

_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


def apply(step: str, generation: int, reason: str, text: str) -> list[str]:
    """Make a document true as one transaction; lines for a person. A second time changes nothing."""
    if not _NAME.fullmatch(step):
        raise Refused(f"'{step}' is no name for a step")
    sections = document.parse(text)
    if not sections:
        raise Refused("the document is empty. Was it sent on standard input?")
    with lock.held(f"apply {step}"):
        recovered = [f"put back what the interrupted run '{name}' had begun" for name in recover()]
        with Transaction(step) as transaction:
            for section in sections:
                kind.of(section).apply(section, transaction)
            record.write(step, generation, reason, sections, _observe(sections)[0], transaction)
        return recovered + (transaction.said or ["nothing to change"])


def observe(step: str, text: str | None) -> dict[str, Any]:
    """generation and reason for the launcher, and the problems that an apply would meet."""
    problems = _observe(document.parse(text))[1] if text else []
    recorded = record.read(step)
    if recorded is None:
        return {"generation": 1, "reason": record.absence(step), "problems": problems}
    drift = _drift(recorded["state"], _observe(record.sections(step))[0])
    if not drift:
        return {"generation": recorded["generation"], "reason": recorded["reason"], "problems": problems}
    return {"generation": recorded["generation"] + 1, "reason": "; ".join(drift), "problems": problems}


def _observe(sections: list[Section]) -> tuple[dict[str, str], list[str]]:
    seen = [kind.of(section).observe(section) for section in sections]
    state = {item: value for observed in seen for item, value in observed.state.items()}
    return state, [problem for observed in seen for problem in observed.problems]


def _drift(applied: dict[str, str], now: dict[str, str]) -> list[str]:
    """Each item that differs, in words. Digests say nothing to a person, so changed content is just called so."""
    differing = sorted(item for item in applied.keys() | now.keys() if applied.get(item) != now.get(item))
    return [f"{item} changed" if _is_digest(now.get(item)) else f"{item}: {now.get(item, 'absent')}" for item in differing]


def _is_digest(value: str | None) -> bool:
    return bool(value and re.fullmatch(r"[0-9a-f]{16}", value))
