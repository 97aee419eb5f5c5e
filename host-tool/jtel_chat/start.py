"""How every call begins: a look waits for itself within limits, and that imports next to nothing."""

from __future__ import annotations

import sys

from .programs import bounded


def run() -> int:
    """Run the command line; its exit code."""
    if bounded.concerns(sys.argv[1:]):
        return bounded.run(sys.argv[1:])
    from .__main__ import main

    return main(sys.argv[1:])
