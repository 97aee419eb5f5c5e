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
from ..file.configuration import Configuration
from ..file.listening import Bind
from .instance import UNIT, Running

_ANYWHERE = {"transparent", "namespace"}  # a bind with one of them may be of an address that this host lacks


def of_global(config: Configuration) -> list[str]:
    """Finds the root directory, user and group that HAProxy would change to at its start and that do not exist.

    Without them its master ends, and all frontends with it. What stands in a condition may be of another host.
    """
    known: dict[str, Callable[[str], object]] = {"chroot": _directory, "user": pwd.getpwnam, "group": grp.getgrnam}
    problems = []
    for keyword, look in known.items():
        value = settings.certain_value(config, keyword)
        try:
            if value and "$" not in value:
                look(value)
        except (KeyError, NotADirectoryError):
            problems.append(
                f"'{keyword} {value}' (global) does not exist on this host: HAProxy would end at its next reload."
                " Correct it there"
            )
    return problems


def of_start(running: Running) -> list[str]:
    """Finds out that the HAProxy which runs does not load the file at all."""
    if not running.start.files or running.start.loads(running.configuration.path):
        return []
    files = " and ".join(map(str, running.start.files))
    return [
        f"HAProxy was started with {files}, so what stands in this file has no effect. Make it a link to that file;"
        " or put CONFIG and EXTRAOPTS in /etc/default/haproxy back, and restart HAProxy when that suits"
    ]


def of_defaults(config: Configuration) -> list[str]:
    """Finds a section in a later file that would inherit defaults of our own, which stand at the end of this one."""
    before_their_own = takewhile(lambda section: section.keyword != "defaults", config.below)
    heirs = [
        f"{each.keyword} {each.name}"
        for each in before_their_own
        if each.keyword in parse.PROXIES and "from" not in each.header.words
    ]
    if not heirs or not edit.has_own_defaults(config):
        return []
    return [
        "chat cannot use the last 'defaults' there (a setting that would change chat, a timeout that is missing, a name"
        " or a condition, or there are none), and"
        f" '{heirs[0]}' in a file that HAProxy reads afterwards would inherit chat's. Begin that file with 'defaults'"
        " of its own"
    ]


def portal_elsewhere(config: Configuration, portal: str) -> str:
    """Says in which other file the portal stands, to end a refusal with; empty where it stands in none."""
    for file in (*config.before, *config.after):
        if any(each.keyword in ("frontend", "listen") and each.name == portal for each in file.sections):
            return f". '{portal}' stands in {file.path}, and only {config.path} is edited: move it there"
    return ""


def of_binds(ours: list[Bind], theirs: list[Bind], running: Running) -> list[str]:
    """Finds binds that a reload would fail at, or that would not get all of their visitors.

    These are addresses that this host lacks, ports of ours that the customer's sections bind, too, and any port that
    another program holds.
    """
    return [
        *dict.fromkeys(
            f"no interface of this host has the address {our.address}. Correct haproxy.binds" for our in _lacking(ours)
        ),
        *dict.fromkeys(
            f"'{their.section}' binds {their}, and no interface of this host has that address: HAProxy's next reload"
            " would fail. Give the host the address, or correct that bind"
            for their in _lacking(theirs)
        ),
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


def _lacking(binds: list[Bind]) -> list[Bind]:
    """Finds binds that a new worker could not make.

    It takes over what HAProxy listens on already, also on an address that has moved to another host since.
    """
    found = [bind for bind in binds if not (bind.is_wildcard or _ANYWHERE & set(bind.options))]
    unheld = [bind for bind in found if addresses.is_address(bind.address) and not addresses.bindable(bind.address)]
    held = listeners.listening({bind.port for bind in unheld}) if unheld else []
    taken_over = {(str(listener.address), listener.port) for listener in held}
    return [bind for bind in unheld if (addresses.usual(bind.address), bind.port) not in taken_over]


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
