"""Knows the drain that goes on, and what the agent has noted of the load balancers that ask it.

The drain is a file in /run that the host tool writes and the agent reads: a boot ends it, and so does its time limit,
whatever has become of the run that began it. The agent's own notes lie in folders of its own user's.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from ..access import disk
from ..errors import Refused

#: Who has asked when, gone with a boot; and who has heard `drain` and not yet `ready`, which a boot must not forget:
#: HAProxy keeps a server drained until it hears `ready`.
ASKED, HEARD = Path("/run/jtel-chat-drain/asked"), Path("/var/lib/jtel-chat-drain/heard")
#: Seconds after which a load balancer that asked each second does not ask any more.
RECENT = 5.0
#: What is noted of load balancers.
SPARED, ALONE = "spared", "alone"
_KNOWN = 2 * 3600.0  # seconds in which what a run has seen of load balancers counts: no run takes longer
_LARGEST = 64 << 10  # bytes of a file of the agent's


class Drain(NamedTuple):
    """A drain; times are seconds since the boot.

    deadline: until when it is waited for sessions. until: when the agent ends it, if nobody has done so before.
    drained: the wait is over, and what follows may change and restart. left: sessions that were waited for last.
    spared: addresses of load balancers on which a person has the server in maintenance or drained; they hear nothing.
    """

    deadline: float
    until: float
    drained: bool = False
    left: int = 0
    spared: tuple[str, ...] = ()


def now() -> float:
    """Gives the seconds since the boot, a suspension included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def current() -> Drain | None:
    """Reads the drain that goes on; None where there is none, or its time is over."""
    found = disk.json(_file())
    try:
        drain = Drain(**{**found, "spared": tuple(found["spared"])}) if found else None
    except (TypeError, KeyError):  # another version's
        return None
    return drain if drain and now() < drain.until else None


def write(drain: Drain) -> None:
    """Makes this the drain that goes on; the agent finds it at the next question."""
    disk.make_directory(disk.RUN)
    disk.write(_file(), json.dumps(drain._asdict()).encode(), 0o644)


def remove() -> None:
    """Ends the drain: the agent says `ready` from now on, to each load balancer that has heard `drain`."""
    disk.remove(_file())


def words(drain: Drain) -> str:
    """Says how a drain is going, for a person: `draining until 14:32 UTC, 41 sessions left`."""
    if drain.drained:
        return "drained, and about to be restarted"
    left = drain.deadline - now()
    at = time.strftime("%H:%M UTC", time.gmtime(time.time() + left))
    return f"draining until {at}: {drain.left} sessions left, {span(max(0, left))}"


def span(seconds: float) -> str:
    """Says how long something is, for a person: `6 min`, and below two minutes `90 s`."""
    return f"{round(seconds)} s" if seconds < 2 * 60 else f"{round(seconds / 60)} min"


def asked() -> dict[str, float]:
    """Reads when each address has asked the agent last, as seconds since the boot."""
    return {str(peer): float(when) for peer, when in _noted(ASKED, {}).items() if isinstance(when, (int, float))}


def asking() -> set[str]:
    """Lists the addresses that ask the agent now."""
    return {peer for peer, when in asked().items() if now() - when < RECENT}


def heard() -> set[str]:
    """Lists the addresses that have heard `drain`, and not `ready` since."""
    return {str(peer) for peer in _noted(HEARD, [])}


def note(path: Path, noted: Any) -> None:
    """Writes one of the agent's two files."""
    disk.write(path, json.dumps(noted).encode(), 0o644)


def note_balancers(found: dict[str, str]) -> None:
    """Notes what this run has seen of load balancers, by their addresses.

    SPARED: a person has this server in maintenance or drained there. ALONE: a person has all others so.
    """
    if found:
        disk.make_directory(disk.RUN)
        disk.write(_balancers(), json.dumps({"noted": now(), "found": found}).encode(), 0o644)
    else:
        disk.remove(_balancers())


def balancers(how: str) -> tuple[str, ...]:
    """Lists the addresses that `note_balancers` has noted so, in a run that may still go on."""
    noted = disk.json(_balancers())
    if not noted or now() - noted["noted"] > _KNOWN:
        return ()
    return tuple(address for address, found in noted["found"].items() if found == how)


def _noted(path: Path, otherwise: Any) -> Any:
    """Reads one of the agent's files, which may be missing or say anything."""
    try:
        noted = json.loads(disk.read(path, _LARGEST))
    except (OSError, ValueError, RecursionError, Refused):
        return otherwise
    return noted if isinstance(noted, type(otherwise)) else otherwise


def _file() -> Path:
    return disk.RUN / "drain"


def _balancers() -> Path:
    return disk.RUN / "balancers"
