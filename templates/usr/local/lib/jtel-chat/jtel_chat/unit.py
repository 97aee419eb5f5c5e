"""`# unit: NAME` – the vendor's unit file as he ships it, plus a drop-in of ours.

Fields: `from` (the unit in the release), `argument` (start of the one word of ExecStart that carries the database password),
`argument-file` (a Java argument file that takes its place), `drop-in` (block: further lines).

The password must not stand in ExecStart (anyone reads it with ps and systemctl show): systemd hands the argument file to the
process as a credential, readable for the service's user only, whatever `User=` says.
"""

from __future__ import annotations

import re
from pathlib import Path

from . import process
from .document import Section
from .errors import Failed, Refused
from .kind import Observed, file_digest, shown
from .transaction import Transaction

SYSTEM = Path("/etc/systemd/system")

# One word of an ExecStart line: quoted parts keep their blanks (systemd.service(5), "Command lines").
_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+""")


def observe(section: Section) -> Observed:
    unit, drop_in = _paths(section)
    loaded = {str(path): file_digest(path) for path in (unit, drop_in)}
    return Observed(
        state={f"content of {path}": value for path, value in loaded.items()},
        loaded=loaded,
        problems=_problems(section),
        text={str(path): shown(path) for path in (unit, drop_in)},
    )


def apply(section: Section, transaction: Transaction) -> None:
    unit, drop_in = _paths(section)
    vendor = _vendor_unit(section)
    transaction.on_rollback("systemctl", "daemon-reload")
    changed = transaction.write(unit, vendor.encode(), 0o644)
    changed |= transaction.write(drop_in, _drop_in(section, vendor).encode(), 0o644)
    if changed:
        process.run("systemctl", "daemon-reload")
        transaction.say(f"wrote {unit} and {drop_in}")
        _verify(section.name)


def undo(section: Section, transaction: Transaction) -> None:
    """The originals are put back when the step commits; systemd has to read them then, and a running service to restart on them."""
    transaction.after_commit("systemctl", "daemon-reload")
    transaction.after_commit("systemctl", "try-restart", section.name)


def replace_argument(unit: str, start: str, replacement: str) -> str:
    """The value of ExecStart with the one word that begins with `start` replaced. Raises Refused, showing the line, when it is not there once."""
    logical = re.sub(r"\\\r?\n[ \t]*", " ", unit).splitlines()
    commands = [line.split("=", 1)[1].strip() for line in logical if re.match(r"ExecStart\s*=\s*\S", line)]
    if len(commands) != 1:
        raise Refused(f"the vendor's unit has {len(commands)} ExecStart lines, expected is one")
    found = [match for match in _WORD.finditer(commands[0]) if match[0].lstrip("\"'").startswith(start)]
    if len(found) != 1:
        shown = re.sub(r"password=[^&\s]*", "password=…", commands[0])
        raise Refused(f"the vendor's unit has {len(found)} words '{start}…' in ExecStart, expected is one: {shown}")
    return commands[0][: found[0].start()] + replacement + commands[0][found[0].end() :]


def _paths(section: Section) -> tuple[Path, Path]:
    return SYSTEM / section.name, SYSTEM / f"{section.name}.d" / "50-jtel-chat.conf"


def _vendor_unit(section: Section) -> str:
    source = Path(section.text("from"))
    if not source.is_file():
        raise Refused(f"{source} is missing: the release brings no unit. Check the vendor's folder on the share")
    return source.read_text(encoding="utf-8")


def _drop_in(section: Section, vendor: str) -> str:
    file = Path(section.text("argument-file"))
    command = replace_argument(vendor, section.text("argument"), f"@${{CREDENTIALS_DIRECTORY}}/{file.name}")
    return f"""\
# Written by jtel-chatctl, which would undo changes made here. The vendor's unit stays as he ships it.
{section.text("drop-in")}
[Service]
LoadCredential={file.name}:{file}
ExecStartPre=+/usr/local/sbin/jtel-chatctl attest {section.name}
ExecStart=
ExecStart={command}
"""


def _verify(name: str) -> None:
    """systemd's own word on the unit; it also reports what it ignores, which a start would not show."""
    state = process.run("systemctl", "show", "--property=LoadState,LoadError", name)
    if "LoadState=loaded" not in state:
        raise Failed(f"systemd refuses {name}: {state.strip()}")


def _problems(section: Section) -> list[str]:
    source = Path(section.text("from"))
    if not source.is_file():
        return []  # the release is not installed yet; its own section says what is wrong with it
    try:
        replace_argument(source.read_text(encoding="utf-8"), section.text("argument"), "")
    except Refused as refusal:
        return [f"{source}: {refusal}"]
    return []
