"""Writes the service's unit: what the closed list lets through of the vendor's text, and lines of ours.

A section is `# unit: NAME` with these fields.

from: the vendor's unit in the installed release.
offered: the same in the release on the share.
release: `follow` where an apply takes the share's.
argument: the start of the one word of ExecStart that carries the database password.
argument-file: takes that word's place, a Java argument file. For Java 8, which reads none, `environment-file` does,
with the argument as the variable `JTEL_CHAT_CONNECTION`.
data: the folder of the attachments.
mount: where the share is mounted; absent where this host is its home.
accept: block of lines that are not on the list and that a person has accepted.
limits: block, see `_LIMITS`.

The password must not stand in ExecStart (anyone reads it with ps and systemctl show): systemd hands the argument file
to the process as a credential. Beside it stands the unit of the attestation, which also asks for the share's mount.
"""

from __future__ import annotations

import json
import re
import stat
from functools import partial
from pathlib import Path

from ..access import account, disk, summary, writable
from ..access.place import resolved
from ..documents import declaration
from ..documents.declaration import PATH, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..engine import observing, releases
from ..engine.transaction import Transaction
from ..errors import Failed, Refused
from ..programs import itself, process, transient
from ..systemd import drop_ins, exec_start, unit_file, unit_list, unit_state
from ..systemd.unit_file import Assignment
from ..text import masking

# A program may notice these, so a person asks for them (clientMessenger.unit.limits).
_LIMITS = {
    "files": ["ProtectSystem=strict", "ReadWritePaths=/home/jtel -{data}"],
    "tmp": ["PrivateTmp=yes"],
    "network": ["RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK"],
}

DECLARATION = Declaration(
    names=re.escape(declaration.UNIT),
    fields={
        "from": Field(re.escape(f"{declaration.HOME}/systemd/{declaration.UNIT}"), required=True),
        "offered": Field(rf"{PATH}/systemd/{re.escape(declaration.UNIT)}"),
        "release": Field(declaration.RELEASE),
        "argument": Field(r"-Dde\.jtel\.platform\.clientmessenger\.connection=", required=True),
        "argument-file": Field(r"/etc/jtel-chat/clientmessenger\.args"),
        "environment-file": Field(r"/etc/jtel-chat/clientmessenger\.env"),
        "data": Field(PATH, required=True),
        "mount": Field(PATH),
        "accept": Field(r"[A-Z][A-Za-z0-9]*=.*", "lines"),
        "limits": Field("|".join(_LIMITS), "lines"),
    },
    loaded="always",
)

SYSTEM = Path("/etc/systemd/system")
#: Runs before every start of the service, as root, in an environment of its own.
ATTEST = "jtel-chat-attest.service"
_SHELL_LINES = 400  # of a start script that are looked through
_PROBLEMS = 20  # lines of one unit that are named

# No program notices these: they take away what only root has, or what the kernel refuses another user anyway.
_HARDENING = [
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "RestrictSUIDSGID=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectClock=yes",
]

# The JVM's crash file holds its command line, environment and stack, and is for everybody to read where the JVM puts
# it; its performance file (/tmp/hsperfdata_jtel) holds the command line, too.
_CRASHES = "jtel-clientmessenger"
_CRASH_FOLDER = [f"RuntimeDirectory={_CRASHES}", "RuntimeDirectoryMode=0700", "RuntimeDirectoryPreserve=yes"]
# To systemd a needed mount that has failed once has failed for good. So the service's own unit needs no mount: a start
# without the share fails, and systemd tries again. These count where the vendor's unit says nothing of it.
_AGAIN = {"Restart": "on-failure", "RestartSec": "5"}

_JAVA_OPTIONS = ["-XX:-UsePerfData", f"-XX:ErrorFile=/run/{_CRASHES}/hs_err.log"]


def observe(section: Section) -> Observed:
    unit, drop_in, attest = _paths(section)
    # Versions whose sections name a drop-in had no unit for the attestation.
    paths = [unit, drop_in] if "drop-in" in section.fields else [unit, drop_in, attest]
    problems, warnings = _of_drop_ins(section, drop_in)
    return Observed(
        state={f"content:{path}": summary.digest(path) for path in paths},
        loaded={f"content:{path}": summary.digest(path) for path in (unit, drop_in)},
        problems=[*_problems(section), *problems],
        warnings=[*_warnings(section), *warnings],
        text={str(path): partial(_shown, path) for path in paths},
        active=observing.is_looking() and unit_state.properties(section.name)["ActiveState"] == "active",
    )


def _shown(path: Path) -> str:
    return masking.without_secrets(summary.text(path))


def due(section: Section) -> dict[str, str]:
    _, vendor = _vendor(section)
    return summary.due(_texts(section, vendor))


def apply(section: Section, transaction: Transaction) -> None:
    unit, drop_in, attest = _paths(section)
    label, vendor = _vendor(section)
    lost, _ = drop_ins.findings(section.name, _login(section), [drop_in])
    if problems := [*_refused(section, label, vendor), *lost]:
        raise Refused("\n".join(problems))
    transaction.on_rollback("systemctl", "daemon-reload")
    changed = any([transaction.write(path, text, 0o644) for path, text in _texts(section, vendor).items()])
    if disk.stat(drop_in):
        changed = True
        transaction.remove(drop_in, keep=True)  # of an earlier version; where we have made no such file, a person's
    if changed:
        process.run("systemctl", "daemon-reload")
        transaction.say(f"wrote {unit} and {attest}")
        _verify(section.name)


def undo(section: Section, transaction: Transaction) -> None:
    """Has systemd read the originals when the step has put them back, and restarts a running service on them."""
    transaction.after_commit("systemctl", "daemon-reload")
    transaction.after_commit("systemctl", "try-restart", section.name)


def _paths(section: Section) -> tuple[Path, Path, Path]:
    """Names the unit, the drop-in that earlier versions wrote beside it, and the unit of the attestation."""
    return SYSTEM / section.name, SYSTEM / f"{section.name}.d" / "50-jtel-chat.conf", SYSTEM / ATTEST


def _texts(section: Section, vendor: bytes) -> dict[Path, bytes]:
    """Writes both units, each for its place."""
    unit, _, attest = _paths(section)
    return {attest: _attestation(section).encode(), unit: _ours(section, vendor).encode()}


def _vendor(section: Section) -> tuple[str, bytes]:
    """Finds the vendor's text that an apply takes, and names its place: root's own copy, where there is one."""
    name = f"systemd/{section.name}"
    if kept := releases.file(name):
        return f"the installed release's {name}", kept
    if _is_installed(section) or not _offered(section):
        return section.text("from"), _installed(section)
    return section.text("offered"), _offered(section)


def _is_installed(section: Section) -> bool:
    """Tells whether there is a program that the installed unit belongs to."""
    return disk.is_directory(Path(section.text("from")).parents[1] / "bin")


def _installed(section: Section) -> bytes:
    try:
        return disk.read(Path(section.text("from")))
    except FileNotFoundError:
        source = section.text("from")
        raise Refused(
            f"{source} is missing: the release brings no unit. Copy it from the vendor's folder on the share, then"
            " repeat"
        ) from None


def _offered(section: Section) -> bytes:
    """Reads the share's unit with the service user's rights; empty where there is none."""
    if "offered" not in section.fields:
        return b""
    rights = account.service()
    try:
        return disk.read(resolved(Path(section.text("offered")), rights), rights=rights)
    except FileNotFoundError:
        return b""


def _ours(section: Section, vendor: bytes) -> str:
    """Writes the whole unit. What a person has accepted stands behind our own limits, so that it counts."""
    given, word = _handed_over(section, exec_start.command(vendor))
    command = exec_start.with_java_options(
        exec_start.replace_argument(vendor, section.text("argument"), word), _JAVA_OPTIONS
    )
    mount, data = section.fields.get("mount"), section.text("data")
    start = [f"User={unit_list.USER}", f"Group={unit_list.GROUP}", *_HARDENING, *_limits(section), *_CRASH_FOLDER]
    lines = {
        "Unit": [
            *_taken(vendor, "Unit"),
            f"Wants={ATTEST}",
            f"After={ATTEST}",
            *(["After=remote-fs.target"] if mount else []),
        ],
        "Service": [
            *start,
            *(_waiting(mount, vendor) if mount else []),
            *_taken(vendor, "Service", start),
            f"Environment=DATADIR={data}",
            given,
            f"ExecStart={command}",
        ],
        "Install": [*_taken(vendor, "Install")] or ["WantedBy=multi-user.target"],
    }
    sections = [f"[{name}]\n" + "".join(f"{line}\n" for line in lines[name]) for name in lines]
    return "# Written by jtel-chatctl from the vendor's unit; it would undo changes made here.\n" + "\n".join(sections)


def _attestation(section: Section) -> str:
    """Writes the unit that runs before every start; the share is mounted for it, and for the service through it."""
    text, mount = itself.brought(f"{SYSTEM}/{ATTEST}"[1:]), section.fields.get("mount")
    return text.replace("[Unit]\n", f"[Unit]\nRequiresMountsFor={mount}\n") if mount else text


def _waiting(mount: str, vendor: bytes) -> list[str]:
    """Lets a start without the share fail, and has systemd repeat it until the share is mounted."""
    said = {each.key for each in unit_list.counting(unit_file.assignments(vendor))}
    again = [f"{key}={value}" for key, value in _AGAIN.items() if key not in said]
    return [f"ExecStartPre={transient.TOOL} mounted {mount}", *again]


def _taken(vendor: bytes, name: str, there: list[str] | None = None) -> list[str]:
    """Lists the vendor's lines of a section, without those that are there already; ExecStart is not among them."""
    found = [
        each
        for each in unit_list.counting(unit_file.assignments(vendor))
        if each.section == name and each.key != "ExecStart"
    ]
    return [each.text for each in map(unit_list.taken, found) if each.text not in (there or [])]


def _limits(section: Section) -> list[str]:
    return [line.format(data=section.text("data")) for name in section.lines("limits") for line in _LIMITS[name]]


def _handed_over(section: Section, command: str) -> tuple[str, str]:
    """Gives the line that hands the connection to the process, and the word that stands for it in ExecStart."""
    expands = exec_start.expands_variables(command)
    if "environment-file" in section.fields:
        if not expands:
            raise Refused(
                "its ExecStart forbids variables (prefix ':'), which Java 8 needs here:"
                f" {masking.without_secrets(command)}"
            )
        return _login(section), "${JTEL_CHAT_CONNECTION}"
    folder = "${CREDENTIALS_DIRECTORY}" if expands else f"/run/credentials/{section.name}"
    return _login(section), f"@{folder}/{Path(section.text('argument-file')).name}"


def _login(section: Section) -> str:
    """Gives the line that hands the connection to the process."""
    if "environment-file" in section.fields:
        return f"EnvironmentFile={section.text('environment-file')}"
    file = Path(section.text("argument-file"))
    return f"LoadCredential={file.name}:{file}"


def _verify(name: str) -> None:
    """Asks systemd about the unit; it also reports what it ignores, which a start would not show."""
    state = process.run("systemctl", "show", "--property=LoadState,LoadError", name)
    if "LoadState=loaded" not in state:
        raise Failed(f"systemd refuses {name}: {state.strip()}")


def _of_drop_ins(section: Section, ours: Path) -> tuple[list[str], list[str]]:
    if not observing.is_looking():
        return [], []
    return drop_ins.findings(section.name, _login(section), [ours])


def _problems(section: Section) -> list[str]:
    """Finds problems of the text that an apply would take; without a release there is none, which its section says."""
    offered = _offered(section)
    if not offered and not _is_installed(section):
        return []
    try:
        follows = section.fields.get("release") == "follow" and offered
        label, vendor = (section.text("offered"), offered) if follows else _vendor(section)
        return _refused(section, label, vendor) or writable.problems_of(_texts(section, vendor))
    except Refused as refusal:
        return [str(refusal)]


def _refused(section: Section, label: str, vendor: bytes) -> list[str]:
    """Lists every line that is not taken over, with what to do about it; then what is wrong with its ExecStart."""
    problems: list[str] = []
    try:
        counting = unit_list.counting(unit_file.assignments(vendor))
        lines = [each for each in counting if _why_not(section, each)]
        problems = [_described(section, label, each) for each in lines[:_PROBLEMS]]
        if len(lines) > _PROBLEMS:
            problems.append(f"{label}: {len(lines) - _PROBLEMS} further lines are not taken over either")
        if not any(each.key == "ExecStart" for each in lines):
            _ours(section, vendor)
    except Refused as refusal:
        script = _script_line(section, vendor)
        remedy = (
            "Start java in the unit itself, with that argument in ExecStart, as the vendor ships it"
            if script
            else "Correct it in that file"
        )
        return [*problems, f"{label}: {refusal}{script}. {remedy}"]
    return problems


def _why_not(section: Section, assignment: Assignment) -> str:
    """Says why an assignment is not taken over; empty when the list has it, or a person has accepted the line."""
    if _plain(assignment) in section.lines("accept"):
        return unit_list.unwritable_because(assignment)
    return unit_list.problem(assignment)


def _plain(assignment: Assignment) -> str:
    """Writes the line as a person can repeat it: on a screen, a tab or a control character looks like another one."""
    return "".join(each if each.isprintable() else "\ufffd" for each in assignment.text.replace("\t", " "))


def _described(section: Section, label: str, assignment: Assignment) -> str:
    """Describes a line that is not taken over: where it stands, why, and what a person can do about it."""
    line = _plain(assignment)
    shown = masking.without_secrets(line)
    why = f"{label}, line {assignment.number}: '{shown}' {_why_not(section, assignment)}"
    if unit_list.unwritable_because(assignment):
        return f"{why}. Correct it in that file"
    complete = "" if shown == line else " (with what is left out here)"
    return (
        f"{why}. Ask the vendor, or take the line as it is: clientMessenger.unit.accept:"
        f" [{json.dumps(shown, ensure_ascii=False)}]{complete}"
    )


def _script_line(section: Section, vendor: bytes) -> str:
    """Finds the line of a start script that holds the argument, where ExecStart runs one."""
    try:
        path = Path(exec_start.program(exec_start.command(vendor)))
        if Path(section.text("from")).parents[1] not in path.parents:
            return ""  # the vendor's text names any file, but not everybody may read it
        lines = disk.text(path, _SHELL_LINES * 200).splitlines()[:_SHELL_LINES]
    except (Refused, OSError):
        return ""
    found = [(number, line) for number, line in enumerate(lines, 1) if section.text("argument") in line]
    return f"; it stands in {path}, line {found[0][0]}: {masking.without_secrets(found[0][1].strip())}" if found else ""


def _warnings(section: Section) -> list[str]:
    warnings: list[str] = []
    if "environment-file" in section.fields:
        warnings.append(
            "Java 8 reads no argument file, so the database password stands in ClientMessenger's command line, where"
            " every user of this host reads it with ps; and the login is not tried beforehand. Use Java 17"
            " (java.version)"
        )
    return [*warnings, *_password_warnings(Path(section.text("from"))), *_data_warnings(section)]


def _password_warnings(source: Path) -> list[str]:
    found = disk.stat(source)
    if found is None or not found.st_mode & stat.S_IROTH or not exec_start.holds_password(disk.read(source)):
        return []
    return [
        f"{source} holds a password that every user of this host can read, and is not needed there any more. chmod 600"
        f" {source}"
    ]


def _data_warnings(section: Section) -> list[str]:
    """Warns of the vendor's two paths that differ in case: where the share is hosted, a wrong one is another folder."""
    if "data" not in section.fields:
        return []
    data, rights = Path(section.text("data")), account.service()
    beside = disk.names(resolved(data.parent, rights), rights)
    if data.name in beside or not beside:
        return []
    similar = [name for name in beside if name.lower() == data.name.lower()]
    other = f"; beside it is '{similar[0]}'" if similar else ""
    return [
        f"the folder for attachments {data} is missing{other}. The portal makes it; check its case, or make it (owner"
        " jtel)"
    ]
