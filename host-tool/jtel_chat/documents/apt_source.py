"""Finds options in a line of sources.list(5) that make apt take packages without a valid signature."""

from __future__ import annotations

import re

#: Where the line of `java.aptSource` stands.
FOLDER = "/etc/apt/sources.list.d/"

_OPTIONS = re.compile(r"^\s*deb(?:-src)?\s+\[([^\]]*)\]", re.MULTILINE)
_UNSAFE = {
    "trusted": "installs as root what nobody has signed",
    "allow-insecure": "takes lists that nobody has signed",
    "allow-weak": "takes signatures that can be forged",
    "allow-downgrade-to-insecure": "goes on when a signature disappears",
}
_NO = ("no", "false", "without", "off", "disable", "0")


def warnings(text: str) -> list[str]:
    """Writes a warning for each such option, `trusted=yes` for instance."""
    options = [option.partition("=") for found in _OPTIONS.findall(text) for option in found.split()]
    unsafe = {name.lower().rstrip("+-"): value for name, _, value in options if value.lower() not in _NO}
    remedy = "Name the repository's key instead: [signed-by=/usr/share/keyrings/NAME.gpg]"
    return [
        f"java.aptSource says {name}={unsafe[name]}, so apt {what}. {remedy}"
        for name, what in _UNSAFE.items()
        if name in unsafe
    ]
