"""Installs the host tool itself, compiled for this host's Python.

A section is `# tool: ARCHIVE` with `version` (`0.1.0`, for people) and `digest` (SHA-256 of the tool's text, 64
hexadecimal digits). The text is in no document: in an `up` the look brings it to a host that lacks it
(hosts/tool-text.ts), and the installation finds it there (hosts/launcher.ts).
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

from ..access import disk, summary
from ..documents.declaration import Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..engine import record
from ..engine.transaction import Transaction
from ..errors import Refused
from ..programs import itself

ARCHIVE = "/usr/local/lib/jtel-chat/tool.zip"
#: What sha256sum(1) checks before the archive is believed; its first line names the text's digest and the Python.
SUMS = Path("/usr/local/lib/jtel-chat/tool.sha256")
_LAUNCHER = "usr/local/sbin/jtel-chatctl"
#: Runs from the archive for as long as the host does, where there is one (kinds/drain.py).
AGENT = "jtel-chat-drain.service"

DECLARATION = Declaration(
    names=ARCHIVE.replace(".", r"\."),
    fields={
        "version": Field(r"[0-9A-Za-z.+-]{1,40}", required=True),
        "digest": Field("[0-9a-f]{64}", required=True),
    },
)


def observe(section: Section) -> Observed:
    """Looks at the archive and at the kept text.

    An archive that is compiled for another Python is in order, too: its modules are then compiled at each call.
    """
    state = {f"tool:{section.name}": _installed(), f"content:{_kept()}": summary.digest(_kept())}
    return Observed(state, problems=_problems(section))


def apply(section: Section, transaction: Transaction) -> None:
    """Installs the text that runs.

    Raises Refused where that is another version than the document's, or an older one than the host has.
    """
    if problems := _problems(section):
        raise Refused(problems[0])
    text, version = itself.text(), section.text("version")
    digest = hashlib.sha256(text).hexdigest()
    if digest != section.text("digest"):
        raise Refused(f"this is another jtel-chatctl than the document's (version {version}). Run pulumi up again")
    transaction.write(_kept(), text, 0o600, keep=False)
    if _installed() == digest:
        return
    from ..programs import archive  # which no look needs

    data = archive.archived(text, ARCHIVE)
    transaction.write(Path(ARCHIVE), data, 0o644)
    transaction.write(SUMS, _sums(digest, data).encode(), 0o644)
    transaction.after_commit("rm", "-f", str(disk.RUN / "tool"))
    transaction.after_commit("systemctl", "try-restart", AGENT)
    transaction.say(f"installed jtel-chatctl {version}, compiled for {sys.implementation.cache_tag}")


def undo(section: Section, transaction: Transaction) -> None:
    """Removes what was compiled here, damaged or not: it is no edit of somebody's that has to be kept."""
    for path in (Path(section.name), SUMS):
        transaction.remove(path)


def _problems(section: Section) -> list[str]:
    """Says that a newer version has configured this host: this one would take back what it does not know."""
    applied = next((each.text("version") for each in record.sections("tool") if each.kind == section.kind), "")
    version = section.text("version")
    if _numbers(applied) <= _numbers(version):
        return []
    return [
        f"this host was configured by version {applied}, and this is the older {version}. Update the checkout that"
        f" pulumi runs in. To go back on purpose, run on the host: sudo rm {record.place('tool')}; then repeat"
    ]


def _numbers(version: str) -> list[int]:
    """Gives a version's numbers, in whose order versions follow each other: `[0, 10, 1]` of `0.10.1+local`."""
    return [int(number) for number in re.findall("[0-9]+", version.partition("+")[0])]


def _sums(digest: str, archive: bytes) -> str:
    parts = {ARCHIVE: archive, f"/{_LAUNCHER}": itself.brought(_LAUNCHER).encode()}
    lines = [f"{hashlib.sha256(data).hexdigest()}  {path}" for path, data in parts.items()]
    return "\n".join([f"# {digest} for {sys.implementation.cache_tag}", *lines, ""])


def _installed() -> str:
    """Names the text whose archive is there and whole, by its digest; else `absent` or `damaged`."""
    try:
        head, *lines = disk.text(SUMS).splitlines()
        archive = hashlib.sha256(disk.read(Path(ARCHIVE))).hexdigest()
    except FileNotFoundError:
        return "absent"
    except ValueError:
        return "damaged"
    return head.split()[1] if f"{archive}  {ARCHIVE}" in lines and len(head.split()) > 1 else "damaged"


def _kept() -> Path:
    """Names the file of the text itself, from which the tool can be run where its archive was removed."""
    return disk.STATE / "tool"
