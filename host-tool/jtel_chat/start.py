"""Begins every call: a look starts itself anew within limits, so that this module imports next to nothing."""

from __future__ import annotations

import sys

from .programs import bounded


def run() -> int:
    """Runs the command line and returns its exit code."""
    if bounded.concerns(sys.argv[1:]):
        return bounded.run(sys.argv[1:])
    from .__main__ import main

    return main(sys.argv[1:])
