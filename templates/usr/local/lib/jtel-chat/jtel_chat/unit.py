"""`# unit: NAME` – the vendor's unit file as he ships it, plus a drop-in of ours.

Fields: `from` (the unit in the installed release), `offered` (the same in the release that may be installed, for looking ahead),
`argument` (start of the one word of ExecStart that carries the database password), `drop-in` (block: further lines),
`data` (the folder of the attachments), and what takes the argument's place: `argument-file` (a Java argument file) or, for
Java 8, which reads none, `environment-file` (with the argument as the variable `JTEL_CHAT_CONNECTION`).

The password must not stand in ExecStart (anyone reads it with ps and systemctl show): systemd hands the argument file to the
process as a credential, readable for the service's user only, whatever `User=` says.
"""

from __future__ import annotations

import stat
from pathlib import Path

from . import exec_start, masking, process
from .document import Section
from .errors import Failed, Refused
from .kind import Observed, file_digest, shown
from .transaction import Transaction

SYSTEM = Path("/etc/systemd/system")
_SHELL_LINES = 400  # of a start script that are looked through


def observe(section: Section) -> Observed:
    unit, drop_in = _paths(section)
    loaded = {str(path): file_digest(path) for path in (unit, drop_in)}
    return Observed(
        state={f"content of {path}": value for path, value in loaded.items()},
        loaded=loaded,
        problems=_problems(section),
        warnings=_warnings(section),
        text={str(path): masking.without_secrets(shown(path)) for path in (unit, drop_in)},
    )


def apply(section: Section, transaction: Transaction) -> None:
    unit, drop_in = _paths(section)
    source = Path(section.text("from"))
    vendor = _read(source)
    try:
        ours = _drop_in(section, vendor)
    except Refused as refusal:
        raise Refused(_explained(section, source, refusal)) from None
    transaction.on_rollback("systemctl", "daemon-reload")
    # A password that somebody has typed into the unit is not shown to more people than have seen it there.
    changed = transaction.write(unit, vendor, 0o600 if exec_start.holds_password(vendor) else 0o644)
    changed |= transaction.write(drop_in, ours.encode(), 0o644)
    if changed:
        process.run("systemctl", "daemon-reload")
        transaction.say(f"wrote {unit} and {drop_in}")
        _verify(section.name)


def undo(section: Section, transaction: Transaction) -> None:
    """The originals are put back when the step commits; systemd has to read them then, and a running service to restart on them."""
    transaction.after_commit("systemctl", "daemon-reload")
    transaction.after_commit("systemctl", "try-restart", section.name)


def _paths(section: Section) -> tuple[Path, Path]:
    return SYSTEM / section.name, SYSTEM / f"{section.name}.d" / "50-jtel-chat.conf"


def _read(source: Path) -> bytes:
    if not source.is_file():
        raise Refused(f"{source} is missing: the release brings no unit. Copy it from the vendor's folder on the share, then repeat")
    return source.read_bytes()


def _drop_in(section: Section, vendor: bytes) -> str:
    given, word = _handed_over(section, exec_start.command(vendor))
    return f"""\
# Written by jtel-chatctl, which would undo changes made here. The vendor's unit stays as he ships it.
{section.text("drop-in")}
[Service]
{given}
ExecStartPre=+/usr/local/sbin/jtel-chatctl attest {section.name}
ExecStart=
ExecStart={exec_start.replace_argument(vendor, section.text("argument"), word)}
"""


def _handed_over(section: Section, command: str) -> tuple[str, str]:
    """The line that hands the connection to the process, and the word that stands for it in ExecStart."""
    expands = exec_start.expands_variables(command)
    if "environment-file" in section.fields:
        if not expands:
            raise Refused(f"its ExecStart forbids variables (prefix ':'), which Java 8 needs here: {masking.without_secrets(command)}")
        return f"EnvironmentFile={section.text('environment-file')}", "${JTEL_CHAT_CONNECTION}"
    file = Path(section.text("argument-file"))
    folder = "${CREDENTIALS_DIRECTORY}" if expands else f"/run/credentials/{section.name}"
    return f"LoadCredential={file.name}:{file}", f"@{folder}/{file.name}"


def _verify(name: str) -> None:
    """systemd's own word on the unit; it also reports what it ignores, which a start would not show."""
    state = process.run("systemctl", "show", "--property=LoadState,LoadError", name)
    if "LoadState=loaded" not in state:
        raise Failed(f"systemd refuses {name}: {state.strip()}")


def _problems(section: Section) -> list[str]:
    """Of the unit that is installed; before the first installation of the one that will be."""
    installed, offered = Path(section.text("from")), Path(section.fields.get("offered", "/"))
    program = installed.parents[1] / "bin"
    source = installed if program.is_dir() else offered
    if not source.is_file() and not program.is_dir():
        return []  # there is no release at all: its own section says so
    try:
        _drop_in(section, _read(source))
    except Refused as refusal:
        return [_explained(section, source, refusal)]
    return []


def _explained(section: Section, source: Path, refusal: Refused) -> str:
    """What is refused, where the argument really stands, and what to do."""
    if not source.is_file():
        return str(refusal)
    script = _script_line(section, source.read_bytes())
    remedy = "Start java in the unit itself, with that argument in ExecStart, as the vendor ships it" if script else "Correct it in that file"
    return f"{source}: {refusal}{script}. {remedy}"


def _script_line(section: Section, vendor: bytes) -> str:
    """The line of a start script that holds the argument, where ExecStart runs one."""
    try:
        path = Path(exec_start.program(exec_start.command(vendor)))
        lines = path.read_bytes()[: _SHELL_LINES * 200].decode("utf-8", "replace").splitlines()[:_SHELL_LINES]
    except (Refused, OSError):
        return ""
    found = [(number, line) for number, line in enumerate(lines, 1) if section.text("argument") in line]
    return f"; it stands in {path}, line {found[0][0]}: {masking.without_secrets(found[0][1].strip())}" if found else ""


def _warnings(section: Section) -> list[str]:
    warnings = []
    if "environment-file" in section.fields:
        warnings.append(
            "Java 8 reads no argument file, so the database password stands in ClientMessenger's command line, where every user of this "
            "host reads it with ps; and the login is not tried beforehand. Use Java 17 (java.version)"
        )
    source = Path(section.text("from"))
    if source.is_file() and source.stat().st_mode & stat.S_IROTH and exec_start.holds_password(source.read_bytes()):
        warnings.append(f"{source} holds a password that every user of this host can read, and is not needed there any more. chmod 600 {source}")
    return warnings + _data_warnings(Path(section.fields.get("data", "/")))


def _data_warnings(data: Path) -> list[str]:
    """The vendor's two paths differ in case: where the share is hosted, a wrong one is another folder."""
    if data.is_dir() or not data.parent.is_dir():
        return []
    similar = [path.name for path in data.parent.iterdir() if path.name.lower() == data.name.lower()]
    beside = f"; beside it is '{similar[0]}'" if similar else ""
    return [f"the folder for attachments {data} is missing{beside}. The portal makes it; check its case, or make it (owner jtel)"]
