"""Writes whole files and links, of those that the role owns.

A section is `# files: PATH` with `content` (block), or `from` (a file on the share, with `mount` where that is
mounted), or `link` (target), or `digest` (of the text that the tool brings itself: programs and units are never a
document's). `check` names what reads the file: `hazelcast`, which has fields of its own, among them contents to choose
from. Mode and owner are the tool's own, by the path.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..access import account, digests, disk, mounts, summary, writable
from ..access.account import Account
from ..access.place import resolved
from ..documents import apt_source, declaration
from ..documents.declaration import DIGEST, JARS, LOADED_BY, PATH, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Judgement, Observed
from ..engine import observing, owner
from ..engine.transaction import Transaction
from ..errors import Failed, Refused
from ..programs import itself

_LAUNCHER = "usr/local/sbin/jtel-chatctl"
_OWNER = "/var/lib/jtel-chat/owner"
_HAZELCAST = f"{declaration.HOME}/conf/hazelcast.xml"
_RECOVER = "etc/systemd/system/jtel-chat-recover.service"


class Rule(NamedTuple):
    """How one path is owned.

    own: the place of the tool's own text for it. service: it is read with the service user's rights.
    """

    mode: int = 0o644
    own: str = ""
    link: str = ""
    service: bool = False


#: Every path that a document may have written, and how.
OWNED: Mapping[str, Rule] = {
    f"/{_LAUNCHER}": Rule(0o755, own=_LAUNCHER),
    _OWNER: Rule(0o600),
    f"/{_RECOVER}": Rule(own=_RECOVER),
    "/etc/systemd/system/sysinit.target.wants/jtel-chat-recover.service": Rule(link=re.escape(f"/{_RECOVER}")),
    "/usr/local/bin/updatesc.sh": Rule(0o755, own="usr/local/bin/updatesc.sh"),
    "/etc/apt/keyrings/jtel-chat-java.asc": Rule(),  # read by _apt, who is not root
    "/etc/apt/sources.list.d/jtel-chat-java.list": Rule(),
    "/acd-store/shared": Rule(link=PATH),
    _HAZELCAST: Rule(service=True),
}

DECLARATION = Declaration(
    names="|".join(map(re.escape, OWNED)),
    fields={
        "content": Field("", "text"),
        "from": Field(PATH),
        "mount": Field(PATH),
        "link": Field(PATH),
        "digest": Field(DIGEST),
        "check": Field("hazelcast"),
        "jars": Field(JARS, "lines"),
        "content-3": Field("", "text"),
        "content-5": Field("", "text"),
        "loaded-by": LOADED_BY,
    },
    loaded="named",
)


def observe(section: Section) -> Observed:
    path = Path(section.name)
    if "link" in section.fields:
        problems = _shape_problems(section, OWNED[section.name])
        return Observed(state={f"link:{path}": disk.link_target(path) or "none"}, problems=problems)
    content = summary.digest(path)
    judged, _ = _judge(section, observing.is_looking())
    seen = Observed(
        {f"content:{path}": content, **_attributes(path)},
        {f"content:{path}": content},
        judged.problems,
        judged.warnings,
    )
    if path == owner.path():
        seen.warnings += owner.warnings(section.fields.get("content", ""))
    if section.name.startswith(apt_source.FOLDER):
        seen.warnings += apt_source.warnings(section.fields.get("content", ""))
    if "check" in section.fields:
        from ..hazelcast import configuration

        seen.state |= configuration.state(section)
    seen.text[str(path)] = partial(summary.text, path)
    if "from" in section.fields:
        seen.state[f"source:{section.text('from')}"] = _source_digest(section)
    return seen


def due(section: Section) -> dict[str, str]:
    path = section.name
    if "link" in section.fields:
        return {} if disk.link_target(Path(path)) == section.text("link") else {path: "linked"}
    return summary.due({Path(path): _content(section)})


def apply(section: Section, transaction: Transaction) -> None:
    path, rule = Path(section.name), OWNED[section.name]
    if problems := _shape_problems(section, rule):
        raise Refused("; ".join(problems))
    if "link" in section.fields:
        if transaction.link(path, section.text("link")):
            transaction.say(f"linked {path} to {section.text('link')}")
        return
    judged, wanted = _judge(section, ask=True)
    if judged.problems:
        raise Refused("; ".join(judged.problems))
    for line in [*judged.warnings, *judged.said]:
        transaction.say(line)
    if transaction.write(path, wanted, rule.mode):
        transaction.say(f"wrote {path}")
    # Else the step's record would name the other file as the one that was written, and no look would follow it.
    if "from" in section.fields and _source_digest(section) != digests.short(wanted):
        raise Failed(f"{section.text('from')} has changed while it was read. When it is copied whole, repeat")


def _content(section: Section) -> bytes:
    if own := OWNED[section.name].own:
        return itself.brought(own).encode()
    if "from" in section.fields:
        return _source_bytes(section)
    if "content" in section.fields or "check" not in section.fields:
        return section.text("content").encode()
    from ..hazelcast import configuration

    return configuration.content(section)


def _rights(section: Section) -> Account:
    """Gives the rights to read a source with: those of who will read the file on the host."""
    return account.service() if OWNED[section.name].service else account.ROOT


def _source(section: Section) -> Path:
    return resolved(Path(section.text("from")), _rights(section))


def _source_bytes(section: Section) -> bytes:
    return disk.read(_source(section), rights=_rights(section))


def _source_digest(section: Section) -> str:
    try:
        return digests.short(_source_bytes(section))
    except FileNotFoundError:
        return "absent"


def _attributes(path: Path) -> dict[str, str]:
    found = disk.stat(path)
    if found is None:
        return {}
    return {f"mode:{path}": f"{stat.S_IMODE(found.st_mode):04o}", f"owner:{path}": f"{found.st_uid}:{found.st_gid}"}


def _judge(section: Section, ask: bool) -> tuple[Judgement, bytes]:
    """Judges whether the file may be written, and gives the bytes that were judged: a share may have others by now.

    ask: also where that takes seconds.
    """
    problems, wanted = _problems(section)
    if problems or "check" not in section.fields:
        return Judgement(problems), wanted
    from ..hazelcast import configuration

    judged = configuration.judge(section, wanted, ask)
    problems = [f"{section.fields.get('from', section.name)}: {problem}" for problem in judged.problems]
    return Judgement(problems, judged.warnings, judged.said), wanted


def _shape_problems(section: Section, rule: Rule) -> list[str]:
    """Says where the section does not give what its path is made of, or gives something else."""
    if rule.link and not re.fullmatch(rule.link, section.fields.get("link", "")):
        return [f"document: {section.name} is a link, and 'link' names no place that it may lead to"]
    if not rule.link and "link" in section.fields:
        return [f"document: {section.name} is no link"]
    if rule.own and section.fields.get("digest") != digests.short(itself.brought(rule.own).encode()):
        return [
            f"document: {section.name} is a text of the host tool's own, and this tool has another one. Install this"
            " version's tool first"
        ]
    if rule.own and len(section.fields) > 1:
        return [f"document: {section.name} is a text of the host tool's own, and takes no other field than 'digest'"]
    return []


def _problems(section: Section) -> tuple[list[str], bytes]:
    """Says why the file cannot be written, and gives its bytes; none where they cannot be had."""
    path, problems = (
        Path(section.name),
        [*_shape_problems(section, OWNED[section.name]), *mounts.problems(section.fields.get("mount"))],
    )
    if problems:
        return problems, b""
    try:
        wanted = _content(section)
    except FileNotFoundError:
        return [f"{section.text('from')} is missing. It is prepared by the web role: copy it there, then repeat"], b""
    except Refused as refusal:
        return [str(refusal)], b""
    problems = [
        *_ownership_problems(path),
        *(owner.problems(wanted.decode()) if path == owner.path() else []),
        *writable.problems_of({path: wanted}),
    ]
    return problems, wanted


def _ownership_problems(path: Path) -> list[str]:
    """Says why a file in somebody's folder cannot be replaced: with his rights only his own files can."""
    found = disk.stat(path)
    if found is None:
        return []
    his = disk.owner(path)
    if his.uid in (0, found.st_uid):
        return []
    return [
        f"{path} belongs to {account.owning(found.st_uid).name}, in a folder of {his.name}'s. Give it to him: chown"
        f" {his.name}: {path}"
    ]
