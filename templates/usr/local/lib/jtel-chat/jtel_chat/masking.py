"""Secrets of others in texts that are shown."""

from __future__ import annotations

import re


def masked(text: str) -> str:
    """Text without the passwords of others: `<password>`, `password=`, HAProxy's `stats auth` and `userlist` users."""
    text = re.sub(r"(?is)(<([\w-]*password)>).*?(</\2>)", r"\1…\3", text)
    text = re.sub(r"(?i)(password=)[^&\s\"']*", r"\1…", text)
    return re.sub(r"(?im)^(\s*(?:stats\s+auth\s+\S+?:|user\s+\S+\s+(?:insecure-)?password\s+))\S+", r"\1…", text)
