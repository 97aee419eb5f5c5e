"""Writes a 0600 file of root whose content never leaves this host.

A section is `# secret: PATH` with `content` (block), and the fields of `database_login`, where the content is the
connection to the database. What is reported of it is a fingerprint under a key that only root of this host can read.
"""

from __future__ import annotations

import hmac
import os
import stat
from pathlib import Path

from ..access import disk
from ..documents.declaration import HOST, JARS, LOADED_BY, NUMBER, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..engine.transaction import Transaction

DECLARATION = Declaration(
    names=r"/etc/jtel-chat/clientmessenger\.(?:args|env)",
    fields={
        "content": Field("", "text", required=True),
        "host": Field(HOST),
        "port": Field(NUMBER),
        "user": Field(r"[^\0-\x1f]+"),
        "database": Field(r"[A-Za-z0-9_$-]+"),
        "drivers": Field(JARS, "lines"),
        "loaded-by": LOADED_BY,
    },
    secret=frozenset({"content"}),
    loaded="always",
)

_KEY_BYTES = 32
_MODE = 0o600


def _key() -> Path:
    return disk.STATE / "fingerprint-key"


def observe(section: Section) -> Observed:
    path = Path(section.name)
    mark, found = fingerprint(path), disk.stat(path)
    mode = f"{stat.S_IMODE(found.st_mode):04o}" if found else "absent"
    return Observed(state={f"content:{path}": mark, f"mode:{path}": mode}, loaded={f"content:{path}": mark})


def apply(section: Section, transaction: Transaction) -> None:
    path = Path(section.name)
    if "host" in section.fields:
        from ..programs import database_login

        for line in database_login.check(section):
            transaction.say(line)
    _create_key()
    transaction.write(path, section.text("content").encode(), _MODE)
    transaction.say(
        f"{path} {fingerprint(path)}"
    )  # the same words whether it changed or not: the restart hangs on this line


def fingerprint(path: Path) -> str:
    """Makes the HMAC-SHA256, shortened, of the file's content; `absent` without the file."""
    if disk.stat(path) is None or not _has_key():
        return "absent"
    return hmac.new(disk.read(_key()), disk.read(path), "sha256").hexdigest()[:16]


def _has_key() -> bool:
    found = disk.stat(_key())
    return found is not None and found.st_size == _KEY_BYTES


def _create_key() -> None:
    if not _has_key():
        disk.write(_key(), os.urandom(_KEY_BYTES))
