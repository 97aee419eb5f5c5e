"""Reads ufw's files and calls ufw, so that calls of others at the same time lose nothing.

ufw reads its rules when it starts, and only then takes its lock (0.36.2, /usr/sbin/ufw: UFWFrontend before
create_lock): of the rules of 20 calls side by side one remains. So our calls take that lock before ufw starts, and
nobody writes between their reading and writing. Afterwards we look again until no call of others runs any more that
could have read before and written after ours.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

from ..access import disk
from ..engine.transaction import Transaction
from ..errors import Failed
from ..programs import process
from . import rules
from .rules import Entry, parse

LOCK = Path("/run/ufw.lock")
_RULES = (Path("/etc/ufw/user.rules"), Path("/etc/ufw/user6.rules"))
_BEFORE = Path("/etc/ufw/before.rules")
_CONFIGURATION = Path("/etc/ufw/ufw.conf")
_DEFAULTS = Path("/etc/default/ufw")
_KERNEL_IPV6 = Path("/proc/sys/net/ipv6")

# A lock of fcntl(2) stays with its process over exec; when ufw takes it once more, nothing changes.
_LOCKED = (
    "import fcntl, os, sys; "
    f"lock = os.open('{LOCK}', os.O_CREAT | os.O_WRONLY, 0o600); os.set_inheritable(lock, True); "
    "fcntl.lockf(lock, fcntl.LOCK_EX); os.execvp('ufw', ['ufw', *sys.argv[1:]])"
)


def command(*arguments: str) -> tuple[str, ...]:
    """Makes the command line of `ufw ARGUMENTS`, which reads and writes under one hold of ufw's lock."""
    return ("python3", "-ISc", _LOCKED, *arguments)


def on_rollback(transaction: Transaction, *arguments: str) -> None:
    """Calls ufw when the transaction is rolled back."""
    transaction.on_rollback(*command(*arguments), words=f"ufw {shlex.join(arguments)}")


def run(*arguments: str) -> None:
    """Calls ufw. Raises Failed with what it said, or with who kept it waiting for a minute."""
    done = process.attempt(*command(*arguments))
    if done.returncode == 124:
        raise Failed(_kept_waiting("60 s"))
    if done.returncode:
        raise Failed(
            f"'ufw {' '.join(arguments)}' failed with exit code {done.returncode}:"
            f" {(done.stderr.strip() or done.stdout.strip())[-2000:]}"
        )


def is_installed() -> bool:
    """Tells whether this host has ufw: a package that was removed, not purged, leaves its configuration behind."""
    return disk.executable("ufw") is not None and disk.is_file(_CONFIGURATION)


def is_active() -> bool:
    """Tells from its file whether ufw is switched on, for every boot: `ufw status` shows no rules while it is off."""
    return _setting(_CONFIGURATION, "ENABLED") == "yes"


def filters() -> bool:
    """Tells whether the kernel has ufw's rules: a person may have stopped ufw, or flushed the tables, since.

    Where nobody can be asked (no `iptables`), they are taken to be there.
    """
    done = process.attempt("iptables", "--wait", "5", "--list-rules", "INPUT", timeout=10)
    return bool(done.returncode) or "-j ufw-before-input" in done.stdout


def lets_in_by_default() -> bool:
    """Tells whether ufw lets in what no rule forbids (`ufw default allow`); as installed, it denies that."""
    return _setting(_DEFAULTS, "DEFAULT_INPUT_POLICY") == "accept"


def text_before() -> str:
    """Reads the rules that stand before all of `ufw allow`."""
    return disk.text_or("", _BEFORE)


def has_ipv6() -> bool:
    """Tells whether ufw filters IPv6. If not, it lets none of it in at all, and ignores its own IPv6 rules.

    It takes the whole rest of the line for the value, a comment too, and asks the kernel (0.36.2, backend.py,
    `use_ipv6`).
    """
    return _setting(_DEFAULTS, "IPV6") == "yes" and disk.is_directory(_KERNEL_IPV6, follow=True)


def entries() -> list[Entry]:
    """Lists what ufw holds, in its order: IPv4, then IPv6."""
    return [entry for path in _RULES[: 1 + has_ipv6()] for entry in parse(_whole(path))]


def out_of_reach() -> list[Entry]:
    """Lists the IPv6 entries that ufw neither uses nor changes, since it filters no IPv6."""
    return [] if has_ipv6() else parse(_whole(_RULES[1]))


def foreign() -> set[str]:
    """Lists the rules of others, each as its file holds it: `limit tcp 2222 ::/0 any ::/0 in`."""
    return {line for path in _RULES for line in rules.foreign(_whole(path))}


@contextlib.contextmanager
def at_rest(wait: float = 60) -> Iterator[bool]:
    """Holds ufw's lock, so that no ufw call writes while inside; gives False where one runs that will write later."""
    descriptor = disk.lockable(LOCK)
    try:
        deadline = time.monotonic() + wait
        while not _taken(descriptor):
            if time.monotonic() > deadline:
                raise Failed(_kept_waiting(f"{wait:.0f} s"))
            time.sleep(0.05)
        yield not _calls()
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _calls() -> list[str]:
    """Lists the ufw calls that run now, as command lines: a script's interpreter comes first."""
    lines = [_command_line(number) for number in disk.kernel_names("/proc/") if number.isdecimal()]
    return [line for line in lines if re.match(r"\S*python[0-9.]* (-\S+ )*(\S*/)?ufw( |$)", line)]


def _kept_waiting(time_waited: str) -> str:
    """Names who holds the lock: some of ufw's commands ask a question while they do."""
    holder = next((line for line in _holders() if line), "another process")
    return (
        f"ufw was not free within {time_waited}: held by '{holder}', which may be asking something in a terminal."
        " Answer or end it, then repeat"
    )


def _holders() -> list[str]:
    """Lists the processes that hold the lock, by lines of proc_locks(5); those that wait have an arrow.

    `1: POSIX  ADVISORY  WRITE 4711 00:19:1234 0 EOF`
    """
    found = disk.stat(LOCK)
    inode = found.st_ino if found else 0
    pattern = rf"^\d+: POSIX +ADVISORY +WRITE (\d+) [0-9a-f]+:[0-9a-f]+:{inode} "
    numbers = re.findall(pattern, disk.kernel("/proc/locks").decode("ascii"), re.MULTILINE)
    return [f"{_command_line(number)} (process {number})" for number in numbers if int(number) != os.getpid()]


def _command_line(number: str) -> str:
    try:
        return disk.kernel(f"/proc/{number}/cmdline").rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""  # it has ended


def _whole(path: Path) -> str:
    """Reads a rules file, and waits for its last line: ufw overwrites the file in place."""
    for _ in range(20):
        text = disk.text_or("COMMIT\n", path)
        if text.rstrip().endswith("COMMIT"):
            break
        time.sleep(0.02)
    return text


def _setting(path: Path, name: str) -> str:
    """Reads a setting as ufw does: the last line of its name, all that follows `=`, without quotes."""
    text = disk.text_or("", path)
    found = re.findall(rf'^{name}=("?\w+"?.*)$', text, re.MULTILINE)
    return found[-1].strip().lower().strip("\"'") if found else ""
