"""Digests that name contents."""

from __future__ import annotations

import hashlib


def short(data: bytes) -> str:
    """A content's short name: 16 hexadecimal digits of SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]
