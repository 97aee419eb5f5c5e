"""Makes digests that name contents."""

from __future__ import annotations

import hashlib


def short(data: bytes) -> str:
    """Makes a content's short name: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]
