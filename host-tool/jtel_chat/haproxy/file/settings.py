"""Reads the settings of a configuration's global sections (configuration.txt 3)."""

from __future__ import annotations

from . import parse
from .parse import Line


def value(config: bytes, keyword: str) -> str | None:
    """The value of a keyword in the global sections; of several, HAProxy takes the first."""
    return next((line.words[1] for line in _global(config) if line.keyword == keyword and len(line.words) > 1), None)


def stats_socket(config: bytes) -> str | None:
    """The first `stats socket` that is a file."""
    places = [
        line.words[2].removeprefix("unix@")
        for line in _global(config)
        if line.words[:2] == ("stats", "socket") and len(line.words) > 2
    ]
    return next((place for place in places if place.startswith("/")), None)


def _global(config: bytes) -> list[Line]:
    every = parse.sections(parse.lines(config))
    return [line for section in every if section.keyword == "global" for line in section.content()]
