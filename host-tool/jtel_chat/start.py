"""Begins every call: a look that has no limits yet starts itself anew, so that this module imports next to nothing."""

from __future__ import annotations

import sys

import jtel_chat

from .programs import bounded


def run() -> int:
    """Runs the command line and returns its exit code."""
    if sys.argv[0] != "-c" and bounded.concerns(sys.argv[1:]):  # "-c": the launcher has started this
        bounded.run(_launcher(), sys.argv[1:])
    from .__main__ import main

    return main(sys.argv[1:])


def _launcher() -> str:
    """Gives the launcher's text: of a tool that a look has brought, or of an archive that an older launcher runs."""
    path = "usr/local/sbin/jtel-chatctl"
    if texts := getattr(jtel_chat, "TEXTS", None):
        return str(texts[path])
    from .programs import itself

    return itself.brought(path)
