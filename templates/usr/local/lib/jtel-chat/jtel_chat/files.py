"""`# files: PATH` – a whole file or a link.

Fields: `content` (block), or `from` (a file on this host, with `mount` where that is on the share), or `link` (target);
`owner` (user:group, default root:root), `mode` (octal, default 0644), `check` (what reads the file: `hazelcast`, which has
fields of its own, among them contents to choose from), `exclusive` (why a file that says something else must not be overwritten).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from . import apt_source
from .document import Section
from .errors import Refused
from .kind import Judgement, Observed, file_digest, is_looking, mount_problems, shown
from .transaction import Transaction, ids

_TOOL = Path("/usr/local/sbin/jtel-chatctl")


def observe(section: Section) -> Observed:
    path = Path(section.name)
    if "link" in section.fields:
        target = os.readlink(path) if path.is_symlink() else "no link"
        return Observed(state={f"link {path}": target})
    content = file_digest(path)
    judged = _judge(section, is_looking())
    seen = Observed({f"content of {path}": content, **_attributes(path)}, {str(path): content}, judged.problems, judged.warnings)
    if section.name.startswith(apt_source.FOLDER):
        seen.warnings += apt_source.warnings(section.fields.get("content", ""))
    if "check" in section.fields:
        from . import hazelcast

        seen.state |= hazelcast.state(section)
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
    judged = _judge(section, ask=True)
    if judged.problems:
        raise Refused("; ".join(judged.problems))
    for line in [*judged.warnings, *judged.said]:
        transaction.say(line)
    mode = int(section.fields.get("mode", "0644"), 8)
    if transaction.write(path, _content(section), mode, section.fields.get("owner", "root:root")):
        transaction.say(f"wrote {path}")


def _content(section: Section) -> bytes:
    if "from" in section.fields:
        return Path(section.text("from")).read_bytes()
    if "content" in section.fields or "check" not in section.fields:
        return section.text("content").encode()
    from . import hazelcast

    return hazelcast.content(section)


def _attributes(path: Path) -> dict[str, str]:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return {}
    return {f"mode of {path}": f"{stat.S_IMODE(found.st_mode):04o}", f"owner of {path}": f"{found.st_uid}:{found.st_gid}"}


def _judge(section: Section, ask: bool) -> Judgement:
    """Whether the file may be written. ask: also where that takes seconds."""
    problems = _problems(section)
    if problems or "check" not in section.fields:
        return Judgement(problems)
    from . import hazelcast

    judged = hazelcast.judge(section, _content(section), ask)
    return Judgement([f"{section.fields.get('from', section.name)}: {problem}" for problem in judged.problems], judged.warnings, judged.said)


def _problems(section: Section) -> list[str]:
    problems = mount_problems(section)
    source, path = section.fields.get("from"), Path(section.name)
    if source and not problems and not Path(source).is_file():
        problems.append(f"{source} is missing. It is prepared by the web role: copy it there, then repeat")
    try:
        ids(section.fields.get("owner", "root:root"))
        wanted = b"" if problems else _content(section)
    except Refused as refusal:
        return [*problems, str(refusal)]
    if "exclusive" in section.fields and path.exists() and path.read_bytes() != wanted:
        problems.append(f"{path} says '{path.read_text(encoding='utf-8').strip()}': {section.text('exclusive')}")
    return problems
