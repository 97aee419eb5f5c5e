"""Runs a HAProxy beside agents of ours, and prints what it calls its servers as a drain comes and goes: JSON.

agent.py ROOT    ROOT is HAProxy's file system; called in a network of its own, in which `lo` is up
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[2] / "host-tool"))

from jtel_chat.access import disk
from jtel_chat.drain import agent, state
from jtel_chat.drain.state import Drain

T = TypeVar("T")

# Each with the port that it serves on: the dead one serves nowhere.
SERVERS = {"live": 3000, "dead": 3009, "maint": 3000}
AGENTS = {"live": 4001, "dead": 4002, "maint": 4003}
CONFIGURATION = """\
global
    stats socket /tmp/agent.sock level admin
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
backend backend_chat_ws
"""
_LINE = (
    "    server {} 127.0.0.1:{} check inter 200ms fastinter 200ms downinter 200ms"
    " agent-check agent-port {} agent-inter 1s pool-max-conn 0\n"
)
_FILES = ("agent.sock", "agent.cfg")


def use(place: Path) -> None:
    disk.RUN, state.ASKED, state.HEARD = place, place / "asked", place / "heard"


def serve(name: str, place: Path) -> int:
    listener = socket.create_server(("127.0.0.1", AGENTS[name]))
    child = os.fork()
    if child == 0:
        use(place)
        listener.setblocking(False)
        agent._Agent(listener).serve()
    listener.close()
    return child


def ask(root: Path, command: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(root / "tmp/agent.sock"))
        connection.sendall(f"{command}\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def statuses(root: Path) -> dict[str, str]:
    names, *rows = [line.lstrip("# ").split(",") for line in ask(root, "show stat").splitlines() if line]
    found = (dict(zip(names, row)) for row in rows)
    return {row["svname"]: row["status"].split()[0] for row in found if row["svname"] in SERVERS}


def until(look: Callable[[], T], wanted: T, seconds: float = 15) -> T:
    deadline = time.monotonic() + seconds
    while (found := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def main(root: Path) -> None:
    seen: dict[str, object] = {}
    servers = partial(statuses, root)
    place = Path(tempfile.mkdtemp())
    for name in SERVERS:
        (place / name).mkdir()
    chat = socket.create_server(("127.0.0.1", SERVERS["live"]), backlog=1000)
    agents = {name: serve(name, place / name) for name in SERVERS}
    lines = (_LINE.format(name, port, AGENTS[name]) for name, port in SERVERS.items())
    (root / "tmp/agent.cfg").write_text(CONFIGURATION + "".join(lines))
    haproxy = subprocess.Popen(["chroot", root, "/usr/sbin/haproxy", "-db", "-f", "/tmp/agent.cfg"])  # noqa: S108 – HAProxy's own
    try:
        while not (root / "tmp/agent.sock").exists():
            time.sleep(0.05)
        ask(root, "set server backend_chat_ws/maint state maint")
        seen["before"] = until(servers, {"live": "UP", "dead": "DOWN", "maint": "MAINT"})
        for name in SERVERS:
            use(place / name)
            state.write(Drain(1e12, 1e12, spared=("127.0.0.1",) if name == "maint" else ()))
        seen["drained"] = until(servers, {"live": "DRAIN", "dead": "DOWN", "maint": "MAINT"})
        for name in SERVERS:
            use(place / name)
            state.remove()
        seen["ended"] = until(servers, {"live": "UP", "dead": "DOWN", "maint": "MAINT"})
        time.sleep(2.5)  # asked twice more
        seen["later"] = statuses(root)
        use(place / "live")
        seen["heard"] = until(lambda: sorted(state.heard()), [])
        os.kill(agents["live"], signal.SIGKILL)
        time.sleep(2.5)
        seen["without an agent"] = statuses(root)
    finally:
        haproxy.kill()
        haproxy.wait()
        for child in agents.values():
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        chat.close()
        for name in _FILES:
            (root / "tmp" / name).unlink()
        subprocess.run(["rm", "-r", place], check=True)
    print(json.dumps(seen))


main(Path(sys.argv[1]))
