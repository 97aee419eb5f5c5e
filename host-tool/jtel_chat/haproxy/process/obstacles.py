"""Finds what a reload would die of and `haproxy -c` does not see (2.6: it neither binds nor changes its root)."""

from __future__ import annotations

import grp
import pwd
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

from ...access import disk
from ...net import addresses, listeners
from ..file import edit, listening, parse, settings
from ..file.listening import Bind
from .instance import UNIT, Running
from .invocation import Start


def of_global(config: bytes) -> list[str]:
    """The root directory, user and group that HAProxy changes to at its start: without them its master ends, and all
    frontends with it.
    """
    known: dict[str, Callable[[str], object]] = {"chroot": _directory, "user": pwd.getpwnam, "group": grp.getgrnam}
    problems = []
    for keyword, look in known.items():
        value = settings.value(config, keyword)
        try:
            if value and "$" not in value:
                look(value)
        except (KeyError, NotADirectoryError):
            problems.append(
                f"'{keyword} {value}' (global) does not exist on this host: HAProxy would end at its next reload."
                " Correct it there"
            )
    return problems


def of_start(path: Path, running: Running) -> list[str]:
    """That the HAProxy which runs does not load this file at all."""
    if not running.start.files or running.start.loads(path):
        return []
    files = " and ".join(map(str, running.start.files))
    return [
        f"HAProxy was started with {files}, so what stands in this file has no effect. Make it a link to that file;"
        " or put CONFIG and EXTRAOPTS in /etc/default/haproxy back, and restart HAProxy when that suits"
    ]


def of_defaults(path: Path, config: bytes, start: Start) -> list[str]:
    """Who in a later file would inherit defaults of our own, which stand at the end of this one."""
    later = parse.sections(parse.lines(start.below(path)))
    before_their_own = takewhile(lambda section: section.keyword != "defaults", later)
    heirs = [
        f"{each.keyword} {each.name}"
        for each in before_their_own
        if each.keyword in parse.PROXIES and "from" not in each.header.words
    ]
    if not heirs or not edit.has_own_defaults(config):
        return []
    return [
        "chat cannot use the last 'defaults' there (rules, checks of its own, a name, or there are none), and"
        f" '{heirs[0]}' in a file that HAProxy reads afterwards would inherit chat's. Begin that file with 'defaults'"
        " of its own"
    ]


def portal_elsewhere(path: Path, portal: str, start: Start) -> str:
    """Where the portal stands, if that is another file; what a refusal for want of it ends with."""
    for file in start.beside(path):
        found = parse.sections(parse.lines(disk.read(file)))
        if any(each.keyword in ("frontend", "listen") and each.name == portal for each in found):
            return f". '{portal}' stands in {file}, and only {path} is edited: move it there"
    return ""


def of_binds(ours: list[Bind], theirs: list[Bind], running: Running) -> list[str]:
    """Finds binds that a reload would fail at, or that would not get all of their visitors.

    These are addresses of ours that this host lacks, ports of ours that the customer's sections bind, too, and any port
    that another program holds.
    """
    lacking = sorted({our.address for our in ours if not our.is_wildcard and not addresses.bindable(our.address)})
    return [
        *(f"no interface of this host has the address {address}. Correct haproxy.binds" for address in lacking),
        *dict.fromkeys(text for our in ours for text in _sections(our, theirs)),
        *dict.fromkeys(_programs(ours, running, "Free it, or choose another with public.port")),
        *dict.fromkeys(
            _programs(
                theirs,
                running,
                "All frontends would be out of reach for seconds at HAProxy's next reload. Free it, or remove that"
                " bind",
            )
        ),
    ]


def _sections(our: Bind, theirs: list[Bind]) -> list[str]:
    """Finds sections of the customer that bind our port: HAProxy starts so, and the kernel deals the visitors out."""
    found = [their for their in theirs if their.port == our.port and listening.overlap(our.address, their.address)]
    return [
        f"'{their.section}' binds port {their.port}, too: chat would get some of its visitors only. Remove that, or"
        " choose another with public.port"
        for their in found
    ]


def _programs(binds: list[Bind], running: Running, remedy: str) -> Iterator[str]:
    """Finds ports that another program holds; those of HAProxy's workers, old ones included, a new one takes over."""
    own = {running.main, *running.workers} - {0}
    for listener in listeners.listening({bind.port for bind in binds}):
        address = str(listener.address)
        # What listens on :: takes IPv4, too, unless it has asked not to, which nobody can see.
        met = [
            bind
            for bind in binds
            if bind.port == listener.port and (address == "::" or listening.overlap(bind.address, address))
        ]
        holder = listeners.holder(listener, own) if met else None
        if met and (holder is None or (holder.unit != UNIT and holder.pid not in own)):
            yield (
                f"port {listener.port} of '{met[0].section}' is held by {holder or 'something that is not to be seen'}."
                f" {remedy}"
            )


def _directory(path: str) -> None:
    if not disk.is_directory(Path(path), follow=True):
        raise NotADirectoryError(path)
