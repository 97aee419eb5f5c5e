"""`# secret: PATH` – a 0600 file of root whose content never leaves this host.

Fields: `content` (block); those of `database_login`, where the content is the connection to the database.
What is reported of it is a fingerprint under a key that only root of this host can read.
"""

from __future__ import annotations

import hmac
import os
import stat
from pathlib import Path

from . import durable
from .document import Section
from .kind import Observed
from .transaction import Transaction

_KEY = durable.STATE / "fingerprint-key"
_KEY_BYTES = 32
_MODE = 0o600


def observe(section: Section) -> Observed:
    path = Path(section.name)
    mark = fingerprint(path)
    mode = f"{stat.S_IMODE(os.lstat(path).st_mode):04o}" if path.exists() else "absent"
    return Observed(state={f"content of {path}": mark, f"mode of {path}": mode}, loaded={str(path): mark})


def apply(section: Section, transaction: Transaction) -> None:
    path = Path(section.name)
    if "host" in section.fields:
        from . import database_login

        for line in database_login.check(section):
            transaction.say(line)
    _create_key()
    transaction.write(path, section.text("content").encode(), _MODE)
    transaction.say(f"{path} {fingerprint(path)}")  # the same words whether it changed or not: the restart hangs on this line


def fingerprint(path: Path) -> str:
    """HMAC-SHA256, shortened, of the file's content; `absent` without the file."""
    if not path.exists() or not _has_key():
        return "absent"
    return hmac.new(_KEY.read_bytes(), path.read_bytes(), "sha256").hexdigest()[:16]


def _has_key() -> bool:
    return _KEY.exists() and _KEY.stat().st_size == _KEY_BYTES


def _create_key() -> None:
    if not _has_key():
        durable.replace(_KEY, os.urandom(_KEY_BYTES))
