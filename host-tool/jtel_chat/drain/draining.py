"""Drains a chat server before the first change of something that its process loads, and ends the drain after it.

HAProxy asks the agent (`agent.py`) each second; what is done here is to say when it answers `drain`, and to wait until
the sessions have ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from ..documents import kind
from ..documents.document import Section
from ..engine import record
from ..errors import Undrained
from ..systemd import unit_state
from . import sessions, state
from .state import Drain

#: Seconds after the wait in which the steps that follow have to restart the process; each of them begins them anew.
_REST = 900.0
_TAKEN = 5.0  # seconds in which a load balancer that asks takes `ready`
_SURE = 2  # counts in a row that find nobody: a session that has just been accepted has carried no byte yet
_TICK = 1.0


class Settings(NamedTuple):
    """How this host drains, from its section of the kind `drain`.

    unit: the service. port: its own, on which sessions are counted. deadline, idle, settle: seconds. stops: with
    sessions left at the deadline nothing is changed. holds: the service is not restarted while it is healthy.
    load_balancers: their names by their addresses. chat_servers: all of the stack, `10.1.0.22 chatserver2`, which drain
    one after the other.
    """

    unit: str
    port: int
    deadline: float
    idle: float
    settle: float
    stops: bool
    holds: bool
    load_balancers: dict[str, str]
    chat_servers: list[str]

    def name(self, address: str) -> str:
        """Names an address as people do."""
        return self.load_balancers.get(address, address)


class Situation(NamedTuple):
    """What decides whether the server can drain.

    others: chat servers of the stack that take connections beside it. asking: addresses that ask the agent now.
    sessions: by the address that they come from. alone: load balancers on which a person has taken all others out of
    service.
    """

    others: list[str]
    asking: set[str]
    sessions: dict[str, int]
    alone: tuple[str, ...] = ()


def of(section: Section) -> Settings:
    """Reads a section of the kind `drain`."""
    lines = (line.split(" ", 1) for line in section.lines("load-balancers"))
    return Settings(
        unit=section.name,
        port=int(section.text("sessions")),
        deadline=float(section.text("deadline")),
        idle=float(section.text("idle")),
        settle=float(section.text("settle")),
        stops=section.text("at-deadline") == "stop",
        holds=section.fields.get("restart") == "hold",
        load_balancers={address: name for address, name in lines},
        chat_servers=section.lines("chat-servers"),
    )


def settings() -> Settings | None:
    """Finds how this host drains; None where the stack has no drain."""
    found = (section for step in record.names() for section in record.sections(step) if section.kind == "drain")
    return next(map(of, found), None)


def before_change(section: Section) -> Callable[[], None] | None:
    """Gives what to call before something of the section changes; None where no running process loads it.

    A package counts at the restart only: the process goes on with what it has loaded of it.
    """
    return drain if section.kind != "packages" and kind.is_loaded(section) else None


def drain() -> None:
    """Drains this host, or finds it drained; returns when its process may be changed and restarted.

    Does nothing where nothing can be drained and nobody wants it to stop there. Raises Undrained where the stack says
    `stop`, and sessions are left at the deadline or the server is the only one.
    """
    found = settings()
    if found is None or found.holds or not _runs(found.unit):
        return
    going = state.current()
    if going is None or not (going.drained or state.now() < going.deadline):
        why, can = judged(found, situation(found))
        if why and found.stops:
            raise Undrained(f"{why} Nothing was changed (clientMessenger.drain.atDeadline: stop)")
        if not can:
            return
        deadline = state.now() + found.deadline
        going = Drain(deadline, deadline + _REST, spared=state.balancers(state.SPARED))
        state.write(going)
    if not going.drained:
        _wait(found)
    state.write((state.current() or going)._replace(drained=True, until=state.now() + _REST))


def judged(found: Settings, seen: Situation) -> tuple[str, bool]:
    """Says what speaks against a drain, and whether one is possible all the same."""
    count = sum(seen.sessions.values())
    silent = {address: number for address, number in seen.sessions.items() if address not in seen.asking}
    if not seen.others and (count or seen.asking):
        why = (
            f"not drained: no other chat server runs that could take new chats; {count}"
            " sessions are open. Start another one, or accept that they are cut: clientMessenger.drain.atDeadline: cut."
        )
        return why, False
    if seen.alone:
        names = " and ".join(map(found.name, seen.alone))
        why = (
            f"not drained: on {names} somebody has taken all other chat servers out of service, so nothing could take"
            f" new chats; {count} sessions are open. Bring one back there, or accept that they are cut:"
            " clientMessenger.drain.atDeadline: cut."
        )
        return why, False
    if silent:
        names = " and ".join(f"{found.name(each)} ({number} sessions)" for each, number in sorted(silent.items()))
        why = (
            f"not drained: {names} does not ask this server whether it drains. Has HAProxy there loaded this stack's"
            " configuration, and does its firewall let it out? A stack that gets clientMessenger.drain is applied once"
            " before anything that restarts, or with atDeadline: cut."
        )
        return why, bool(seen.asking)
    return "", bool(seen.asking)


def forecast(found: Settings, seen: Situation) -> str:
    """Says what a restart would do now, for a person: `41 sessions are open; a restart waits 10 min for them …`."""
    why, can = judged(found, seen)
    count = f"{sum(seen.sessions.values())} sessions are open"
    if why and found.stops:
        return f"{count}; a restart is refused: {why}"
    if not can:
        return f"{count}; a restart cuts them at once"
    then = "is refused then" if found.stops else "cuts what is left then"
    noted = f" ({why})" if why else ""
    servers = len(found.chat_servers)
    at_most = f"{state.span(found.deadline)} at most, all {servers} servers {state.span(servers * found.deadline)}"
    return (
        f"{count}; a restart waits for them {at_most}, and {then}. Agents who stay logged in keep it waiting until"
        f" then{noted}"
    )


def situation(found: Settings) -> Situation:
    """Looks at what decides whether this server can drain now."""
    count = sessions.active(found.port, found.idle)
    return Situation(_others(found), state.asking(), dict(count), state.balancers(state.ALONE))


def end() -> None:
    """Ends the drain, if there is one; returns when each load balancer that asks has taken `ready`, or after 5 s."""
    if state.current() is None:
        return
    state.remove()
    until = time.monotonic() + _TAKEN
    while state.asking() & state.heard() and time.monotonic() < until:
        time.sleep(_TICK / 4)


def end_after_restart() -> None:
    """Ends the drain of a server that is healthy again, and gives HAProxy's checks the time to find it so.

    The server after this one drains next: without that, HAProxy might have none for a moment.
    """
    found = settings()
    if found and state.current():
        end()
        time.sleep(found.settle)


def progress() -> str:
    """Says how the drain is going that this host waits for now; empty where there is none."""
    going = state.current()
    return state.words(going) if going and not going.drained else ""


def _wait(found: Settings) -> None:
    """Waits until no session is left and each load balancer that asks has heard.

    Raises Undrained at the deadline, and where no other server is left that could take new chats meanwhile.
    """
    from ..net import addresses

    beside = addresses.beside(found.chat_servers)  # once: a name server may be silent for a moment
    sure = alone = 0
    while True:
        going = state.current()
        if going is None:
            raise Undrained("not drained: somebody has ended the drain (jtel-chatctl drain end). Nothing was changed")
        alone = 0 if _accepting(beside, found.port) else alone + 1
        if alone >= _SURE:
            raise Undrained(
                "not drained: while this server drained, the last other chat server went away. Nothing was changed, and"
                " new chats come here again. Start another one, then repeat"
            )
        left = sum(sessions.active(found.port, found.idle).values())
        deaf = state.asking() - state.heard() - set(going.spared)
        sure = 0 if left or deaf else sure + 1
        if sure >= _SURE:
            return
        if state.now() >= going.deadline:
            if not found.stops:
                return
            raise Undrained(
                f"not drained: {left} sessions are left on this server after {state.span(found.deadline)}. Nothing"
                " was changed, and new chats come here again. Repeat when fewer chat, or raise"
                " clientMessenger.drain.deadline; atDeadline: cut would end them"
            )
        if left != going.left:
            state.write(going._replace(left=left))
        time.sleep(_TICK)


def _runs(unit: str) -> bool:
    return unit_state.properties(unit)["ActiveState"] == "active"


def _others(found: Settings) -> list[str]:
    """Names the other chat servers of the stack that take connections now."""
    from ..net import addresses

    return _accepting(addresses.beside(found.chat_servers), found.port)


def _accepting(servers: dict[str, set[str]], port: int) -> list[str]:
    """Names those of some servers that take connections, by their addresses.

    They are asked on the port that HAProxy sends chats to: a Hazelcast member that runs there may be a web server's.
    """
    from ..net import tcp

    answers = tcp.probe((each, port) for theirs in servers.values() for each in theirs)
    accepting = {address for (address, _), answer in answers.items() if answer == tcp.ACCEPTS}
    return [name for name, theirs in servers.items() if theirs & accepting]
