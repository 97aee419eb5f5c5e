"""Reads the settings of a configuration's global sections (configuration.txt 3)."""

from __future__ import annotations

from collections.abc import Sequence

from .configuration import Configuration
from .parse import Line, Section


def value(every: Sequence[Section], keyword: str) -> str | None:
    """Finds the value of a keyword, `/var/lib/haproxy` for `chroot`; of several, HAProxy takes the first."""
    first = _first(every, keyword)
    return first.words[1] if first else None


def certain_value(config: Configuration, keyword: str) -> str | None:
    """Finds the value as `value` does; None where that line stands in a condition, so that another may count."""
    first = _first(config.all_sections, keyword)
    return first.words[1] if first and first.at in config.certain else None


def words(every: Sequence[Section], keyword: str) -> tuple[str, ...] | None:
    """Finds what stands behind a keyword, `bundle` and `key` for `ssl-load-extra-files`; None where it is not set.

    Of several lines, HAProxy takes the last where it takes more than one word.
    """
    return next((line.words[1:] for line in reversed(_global(every)) if line.keyword == keyword), None)


def stats_socket(every: Sequence[Section]) -> str | None:
    """Finds the first `stats socket` that is a file: `/run/haproxy/admin.sock`."""
    places = [
        line.words[2].removeprefix("unix@")
        for line in _global(every)
        if line.words[:2] == ("stats", "socket") and len(line.words) > 2
    ]
    return next((place for place in places if place.startswith("/")), None)


def _first(every: Sequence[Section], keyword: str) -> Line | None:
    return next((line for line in _global(every) if line.keyword == keyword and len(line.words) > 1), None)


def _global(every: Sequence[Section]) -> list[Line]:
    return [line for section in every if section.keyword == "global" for line in section.content()]
