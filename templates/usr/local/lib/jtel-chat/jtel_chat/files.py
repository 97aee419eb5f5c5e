"""`# files: PATH` – a whole file or a link.

Fields: `content` (block), or `from` (a file on this host, with `mount` where that is on the share), or `link` (target);
`owner` (user:group, default root:root), `mode` (octal, default 0644), `check` (what reads the file: `hazelcast`),
`exclusive` (why a file that says something else must not be overwritten).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .document import Section
from .errors import Refused
from .kind import Observed, file_digest, mount_problems, shown
from .transaction import Transaction, ids

_TOOL = Path("/usr/local/sbin/jtel-chatctl")


def observe(section: Section) -> Observed:
    path = Path(section.name)
    if "link" in section.fields:
        target = os.readlink(path) if path.is_symlink() else "no link"
        return Observed(state={f"link {path}": target})
    content = file_digest(path)
    seen = Observed(state={f"content of {path}": content, **_attributes(path)}, loaded={str(path): content}, problems=_problems(section))
    if path != _TOOL:  # its own text is of no use to a person
        seen.text[str(path)] = shown(path)
    if "from" in section.fields:
        seen.state[f"{section.text('from')} (its source)"] = file_digest(Path(section.text("from")))
    return seen


def apply(section: Section, transaction: Transaction) -> None:
    path = Path(section.name)
    if "link" in section.fields:
        if transaction.link(path, section.text("link")):
            transaction.say(f"linked {path} to {section.text('link')}")
        return
    if problems := _problems(section):
        raise Refused("; ".join(problems))
    mode = int(section.fields.get("mode", "0644"), 8)
    if transaction.write(path, _content(section), mode, section.fields.get("owner", "root:root")):
        transaction.say(f"wrote {path}")


def _content(section: Section) -> bytes:
    return Path(section.text("from")).read_bytes() if "from" in section.fields else section.text("content").encode()


def _attributes(path: Path) -> dict[str, str]:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return {}
    return {f"mode of {path}": f"{stat.S_IMODE(found.st_mode):04o}", f"owner of {path}": f"{found.st_uid}:{found.st_gid}"}


def _problems(section: Section) -> list[str]:
    problems = mount_problems(section)
    try:
        ids(section.fields.get("owner", "root:root"))
    except Refused as refusal:
        problems.append(str(refusal))
    path = Path(section.name)
    if "exclusive" in section.fields and path.exists() and path.read_bytes() != _content(section):
        problems.append(f"{path} says '{path.read_text(encoding='utf-8').strip()}': {section.text('exclusive')}")
    source = section.fields.get("from")
    if problems or not source:
        return problems
    if not Path(source).is_file():
        return [f"{source} is missing. It is prepared by the web role: copy it there, then repeat"]
    if section.fields.get("check") == "hazelcast":
        from . import hazelcast

        return [f"{source}: {problem}" for problem in hazelcast.problems(Path(source).read_bytes())]
    return []
