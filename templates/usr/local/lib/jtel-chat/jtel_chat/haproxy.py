"""`# haproxy: FILE` – our frontend, backend and portal rules in the customer's HAProxy configuration, loaded and running.

Fields: `sections` (block: global with `setenv CFGREV`, frontend, backend), `portal` (the frontend that gets the rules),
`rules` (block), `certificate` (PEM that the frontend needs), `listen` (address:port that must answer afterwards).
"""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import time
from pathlib import Path

from . import durable, haproxy_cfg, process
from .document import Section
from .errors import Failed, Refused
from .kind import Observed
from .transaction import Transaction

_MASTER = Path("/run/haproxy-master.sock")
_SCRATCH = Path("/run/jtel-chat")
_RELOAD_DEADLINE = 15  # seconds until the new worker must run


def observe(section: Section) -> Observed:
    path = Path(section.name)
    if problems := _problems(section):
        return Observed(state={f"our blocks in {path}": "absent"}, problems=problems)
    config = path.read_bytes()
    ours = durable.digest(b"".join(haproxy_cfg.blocks(config))) if haproxy_cfg.blocks(config) else "absent"
    running = _environment("CFGREV") if _MASTER.exists() else None
    loaded = "current" if running and running == haproxy_cfg.revision(config) else "another configuration"
    text = b"".join(haproxy_cfg.blocks(config)).decode(errors="replace")
    return Observed(
        state={f"our blocks in {path}": ours, "HAProxy runs": loaded}, problems=_edit_problems(section, config), text={f"our blocks in {path}": text}
    )


def apply(section: Section, transaction: Transaction) -> None:
    if problems := _problems(section):
        raise Refused("; ".join(problems))
    path = Path(section.name)
    before = path.read_bytes()
    after = _edited(section, before)
    changed = after != before
    if changed:
        _check(path, after)
        found = path.stat()
        transaction.on_rollback("systemctl", "reload-or-restart", "haproxy.service")
        transaction.write(path, after, stat.S_IMODE(found.st_mode), f"{found.st_uid}:{found.st_gid}", keep=False)
        transaction.say(f"wrote our blocks in {path}")
    if changed or _environment("CFGREV") != haproxy_cfg.revision(after):
        _reload(haproxy_cfg.revision(after))
        transaction.say("reloaded HAProxy; it runs this configuration")
    _answer(section.lines("listen"))


def undo(section: Section, transaction: Transaction) -> None:
    """Take our blocks out; everything else stays, also what was edited since."""
    path = Path(section.name)
    if not path.is_file() or not haproxy_cfg.blocks(path.read_bytes()):
        return
    found, after = path.stat(), haproxy_cfg.remove(path.read_bytes())
    _check(path, after)
    transaction.on_rollback("systemctl", "reload-or-restart", "haproxy.service")
    transaction.write(path, after, stat.S_IMODE(found.st_mode), f"{found.st_uid}:{found.st_gid}", keep=False)
    if process.attempt("systemctl", "is-active", "--quiet", "haproxy.service").returncode == 0:
        process.run("systemctl", "reload", "haproxy.service")
    transaction.say(f"removed our blocks from {path}")


def _edited(section: Section, config: bytes) -> bytes:
    return haproxy_cfg.edit(config, sections=section.text("sections").encode(), portal=section.fields.get("portal", ""), rules=section.lines("rules"))


def _check(path: Path, config: bytes) -> None:
    """HAProxy's own checker on the candidate, which stands in a folder of root's: the customer's passwords are in it."""
    _SCRATCH.mkdir(mode=0o755, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_SCRATCH) as directory:
        candidate = Path(directory) / path.name
        candidate.write_bytes(config)
        done = process.attempt("haproxy", "-c", "-q", "-f", str(candidate))
    if done.returncode:
        before = process.attempt("haproxy", "-c", "-q", "-f", str(path))
        whose = "It was refused before our change, too: repair it first" if before.returncode else "Nothing was changed"
        raise Refused(f"haproxy -c refuses {path} with the chat sections. {whose}: {done.stderr.strip().replace(str(candidate), str(path))[-1500:]}")


def _reload(revision: str | None) -> None:
    """Reload and verify: the command returns 0 also when the new worker could not bind (then the old one goes on)."""
    if process.attempt("systemctl", "is-active", "--quiet", "haproxy.service").returncode:
        process.run("systemctl", "start", "haproxy.service")
    else:
        process.run("systemctl", "reload", "haproxy.service")
    deadline = time.monotonic() + _RELOAD_DEADLINE
    while time.monotonic() < deadline:
        if _master("show proc") and _environment("CFGREV") == revision:
            time.sleep(0.5)  # a worker that dies right after its start must not count
            if "[failed: 0]" in _master("show proc") and _environment("CFGREV") == revision:
                return
        time.sleep(0.1)
    journal = process.attempt("journalctl", "--unit=haproxy", "--lines=8", "--output=cat", "--no-pager").stdout
    raise Failed(f"HAProxy does not run the new configuration {_RELOAD_DEADLINE} s after the reload (a port taken by another program?): {journal.strip()}")


def _environment(name: str) -> str | None:
    """An environment variable of the running worker: our `setenv` in its configuration sets it."""
    lines = _master(f"@1 show env {name}").splitlines()
    return next((line.partition("=")[2] for line in lines if line.startswith(f"{name}=")), None)


def _master(command: str) -> str:
    """Ask the master process (management.txt, "Master CLI"); an empty answer when it does not listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(_MASTER))
            connection.sendall(command.encode() + b"\n")
            connection.shutdown(socket.SHUT_WR)  # else it waits for the next command
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode(errors="replace")
        except OSError:
            return ""


def _answer(listeners: list[str]) -> None:
    for listener in listeners:
        host, _, port = listener.rpartition(":")
        try:
            socket.create_connection((host or "127.0.0.1", int(port)), timeout=5).close()
        except OSError as error:
            raise Failed(f"HAProxy runs, but nothing answers on {listener}: {error}") from None


def _problems(section: Section) -> list[str]:
    problems = []
    if not Path(section.name).is_file():
        problems.append(f"{section.name} is missing: HAProxy is not installed. Install the load balancer role first")
    certificate = section.fields.get("certificate")
    if certificate and not os.path.isfile(certificate):
        problems.append(f"the certificate {certificate} is missing. Put key, certificate and chain there as one PEM file (public.certificate names the path)")
    return problems


def _edit_problems(section: Section, config: bytes) -> list[str]:
    """What the edit, and HAProxy's checker on its result, would say. Only a result that is new is worth the checker's time."""
    try:
        after = _edited(section, config)
        if after != config:
            _check(Path(section.name), after)
    except Refused as refusal:
        return [f"{section.name}: {refusal}"]
    return []
