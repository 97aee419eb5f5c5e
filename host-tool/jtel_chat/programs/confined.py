"""Runs programs that read what others wrote, Java with a vendor's jars for instance, as units without rights.

Each runs as another user than root, writes nothing, reaches no network but what is named, and ends by its limits.
systemd 247 (Debian 11) has all of this (systemd.exec(5), systemd.resource-control(5)) but what `lacking` names. Where
no such unit can be started nothing runs at all.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ..access import disk
from ..errors import Refused
from . import process

#: Stands in an argument for the folder of what was given along: `{GIVEN}/hazelcast.xml`.
GIVEN = "<given>"
#: Exit code of a program that was ended by its limits, or died of a signal: no verdict of its own.
ENDED = 125

_NO_EXEC_PATHS = 248
_PATIENCE = 15  # seconds beyond the program's own time, for systemd to start and to end it
# Exit codes of systemd's own when a unit's process cannot be set up (systemd.exec(5), "Process Exit Codes"): 226 is
# NAMESPACE.
_SET_UP = range(200, 246)
_SIGNALS = "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal"
_OTHERS_MEMORY = "ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd"
_ALWAYS = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "read-only",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "ProtectClock": "yes",
    "ProtectProc": "invisible",
    "ProtectHostname": "yes",
    "RestrictSUIDSGID": "yes",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "LockPersonality": "yes",
    # No AF_UNIX: sockets of the running HAProxy, of the bus and of the chat server are out of reach.
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_NETLINK",
    "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "EPERM",
    "SystemCallFilter": f"~{_OTHERS_MEMORY} {_SIGNALS} @mount @module @reboot @swap @raw-io",
    "ReadOnlyPaths": "/",
    # File systems of their own in which everybody may write. PrivateDevices= leaves the first two as they are; systemd
    # 252 in a container was seen to leave /run/lock writable below a read-only /run.
    "InaccessiblePaths": "-/dev/shm -/dev/mqueue -/run/lock -/run/user",
    "KillSignal": "SIGKILL",
    "TimeoutStopSec": "5s",
    "LimitCORE": "0",  # what it has read must not end in a core file
}
_numbers = itertools.count(1)


class Rights(NamedTuple):
    """What a program may do beside reading what everybody may read.

    capabilities: `CAP_DAC_READ_SEARCH`.
    executes: the only files and folders that may be executed or loaded as code; all where none is named.
    alone: whether the memory of its user's other processes is out of its reach (user_namespaces(7)); not with
    capabilities.
    """

    capabilities: str = ""
    executes: Sequence[str] = ()
    alone: bool = False


NONE = Rights()


def run(
    argv: Sequence[str],
    *,
    user: str,
    timeout: float,
    given: Mapping[str, bytes] = MappingProxyType({}),
    network: Sequence[str] = (),
    rights: Rights = NONE,
    memory: str = "512M",
    tasks: int = 128,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, confined, and returns its exit code and its output, which is capped.

    The exit code is the program's own, process.HANGS after `timeout` seconds, or ENDED.

    given: files that it finds in GIVEN, which only its user can read.
    network: addresses that it may reach; none without.
    environment: variables; their values may be secrets, and reach nobody else.

    Raises Refused where it cannot be confined.
    """
    if not disk.executable(argv[0]):
        return subprocess.CompletedProcess(argv, 127, "", f"{argv[0]}: not found")
    unit = f"jtel-chat-check-{os.getpid()}-{next(_numbers)}.service"
    with disk.scratch("confined") as directory:
        properties = [
            *_properties(user, timeout, network, rights, memory, tasks),
            *_handed_over(directory, given, environment),
        ]
        words = (word.replace(GIVEN, f"/run/credentials/{unit}").replace("$", "$$") for word in argv)
        options = (
            "--pipe",
            "--wait",
            "--quiet",
            f"--unit={unit}",
            "--setenv=LC_ALL=C.UTF-8",
            "--setenv=LANGUAGE=",
            *(f"--property={each}" for each in properties),
        )
        over = False
        try:
            done = process.attempt("systemd-run", *options, "--", *words, timeout=timeout + _PATIENCE)
            over = done.returncode == 0
            code, why = (0, "") if over else _verdict(unit, done)
            return subprocess.CompletedProcess(argv, code, done.stdout, "\n".join(filter(None, [done.stderr, why])))
        finally:
            if not over:
                _forget(unit)


def lacking() -> list[str]:
    """Says which part of the confinement this host's systemd does not have."""
    if _version() >= _NO_EXEC_PATHS:
        return []
    return [
        f"systemd {_version()} here has no NoExecPaths= ({_NO_EXEC_PATHS} has it): what a checked file loads may"
        " execute programs of this host, without rights, network and a place to write. Debian 12 closes that"
    ]


def filters_addresses() -> bool:
    """Tells whether systemd keeps a unit to the addresses that it may reach; without cgroup v2 it silently does not.

    It is tried once in a boot: a trial takes as long as all the rest of a look.
    """
    tried = disk.RUN / "filters-addresses"
    answer = disk.text_or("", tried)
    if not answer:
        answer = "yes" if _filters_addresses() else "no"
        disk.make_directory(disk.RUN)
        disk.write(tried, answer.encode(), 0o644)
    return answer == "yes"


def _filters_addresses() -> bool:
    sends = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"
    options = (
        "--pipe",
        "--wait",
        "--quiet",
        "--collect",
        "--property=IPAddressDeny=any",
        "--property=User=nobody",
        "--property=RuntimeMaxSec=10",
    )
    return process.attempt("systemd-run", *options, "--", "python3", "-I", "-c", sends).returncode != 0


def name_servers() -> list[str]:
    """Lists the addresses in resolv.conf(5), and those of this host, where a resolver may listen."""
    found: list[str] = []
    with contextlib.suppress(OSError, Refused):
        found = re.findall(r"(?m)^\s*nameserver\s+([0-9A-Fa-f.:]+)", disk.text_or("", Path("/etc/resolv.conf")))
    return [*found, "127.0.0.0/8", "::1/128"]


def _properties(
    user: str, timeout: float, network: Sequence[str], rights: Rights, memory: str, tasks: int
) -> Iterator[str]:
    yield f"User={user}"
    yield from (f"{name}={value}" for name, value in _ALWAYS.items())
    yield f"CapabilityBoundingSet={rights.capabilities}"
    if rights.capabilities:
        yield f"AmbientCapabilities={rights.capabilities}"
    yield from (f"MemoryMax={memory}", "MemorySwapMax=0", f"TasksMax={tasks}", f"RuntimeMaxSec={timeout:.0f}s")
    if rights.alone:
        yield "PrivateUsers=yes"
    if rights.executes and _version() >= _NO_EXEC_PATHS:
        yield "NoExecPaths=/"
        yield from (f"ExecPaths=-{path}" for path in rights.executes)
    if network:
        yield "IPAddressDeny=any"
        yield f"IPAddressAllow={' '.join(network)}"
    else:
        yield "PrivateNetwork=yes"


def _handed_over(directory: Path, given: Mapping[str, bytes], environment: Mapping[str, str]) -> Iterator[str]:
    """Hands files and variables to the unit by files that only root reads, and yields the properties that name them.

    Everybody sees arguments and properties themselves.
    """
    for name, data in given.items():
        disk.write(directory / name, data)
        yield f"LoadCredential={name}:{directory / name}"
    if environment:
        disk.write(directory / "environment", environment_file(environment).encode())
        yield f"EnvironmentFile={directory / 'environment'}"


def environment_file(environment: Mapping[str, str]) -> str:
    """Writes variables as EnvironmentFile= reads them (systemd.exec(5)).

    What systemd cannot carry is left out: see `carries`.
    """
    return "".join(f'{name}="{_escaped(value)}"\n' for name, value in environment.items() if carries(name, value))


def carries(name: str, value: str) -> bool:
    """Tells whether a variable reaches a unit.

    systemd drops names that no shell has, values that are no UTF-8, and control characters.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or any(
        "\ud800" <= character <= "\udfff" for character in value
    ):
        return False
    return not any((character < " " and character not in "\t\n") or character == "\x7f" for character in value)


def _escaped(value: str) -> str:
    return re.sub(r'([\\"`$])', r"\\\1", value)


def _verdict(unit: str, done: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    """Says what an exit code other than 0 means, and what to add to the output.

    systemd-run gives 1 both for a program's own 1 and for one that was ended, so systemd is asked.
    """
    shown = process.attempt("systemctl", "show", "--property=LoadState,Result,ExecMainStatus", unit).stdout
    state = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    result = state.get("Result", "unknown")
    if done.returncode == process.HANGS or result == "timeout":
        return process.HANGS, "no end in time"
    if state.get("LoadState") != "loaded":
        raise _unconfined(done.stderr.strip()[-500:] or "systemd says nothing of its unit")
    if result != "exit-code":
        return ENDED, f"it was ended before it could say anything ({result})"
    code = int(state.get("ExecMainStatus", done.returncode))
    if code in _SET_UP:
        raise _unconfined(
            f"systemd cannot set its unit up (exit code {code} of systemd.exec(5)) {done.stderr.strip()[-500:]}".strip()
        )
    return code, ""


def _unconfined(why: str) -> Refused:
    return Refused(
        f"what is to be checked can only be read by a program without rights, and this host starts none: {why}. "
        "Look at 'systemd-run --pipe --wait --property=PrivateNetwork=yes true' there"
    )


def _forget(unit: str) -> None:
    """Makes systemd forget a failed unit, and ends one that still runs because this run was ended."""
    process.attempt("systemctl", "kill", "--signal=SIGKILL", unit)
    process.attempt("systemctl", "reset-failed", unit)


@functools.cache
def _version() -> int:
    """Reads the version of this host's systemd: 252."""
    found = re.match(r"systemd (\d+)", process.attempt("systemctl", "--version").stdout)
    return int(found[1]) if found else 0
