"""Reads what a survey says of ClientMessenger: how it was installed, what it is connected to, and the share."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..access import disk, mounts
from ..documents.declaration import HOME, HOST, UNIT
from ..errors import Refused
from ..hazelcast import configuration
from ..systemd import unit_file
from .found import Found

_SHARE = Path("/home/jtel/shared")
_RELEASE = _SHARE / "JTELCarrierPortal/Utils/Install/ClientMessenger"
_UNIT = Path("/etc/systemd/system") / UNIT
_CONNECTION = re.compile(r"clientmessenger\.connection=jdbc:([^\s\"'\\]+)")
_OURS = "# Written by jtel-chatctl"


def share() -> dict[str, Any]:
    """Gives whether the share is mounted, and what the role takes from it is there."""
    return {
        "path": str(_SHARE),
        "mounted": not mounts.problems(str(_SHARE)),
        "release": bool(disk.names(_RELEASE / "bin")),
        "hazelcast": disk.is_file(_SHARE / "hazelcast.xml"),
    }


def read() -> Found:
    """Reads the installation; `unit` is `none`, `by hand` or `ours`."""
    from .answer import is_active

    installed, unit = bool(disk.names(Path(HOME) / "bin")), disk.text_or("", _UNIT)
    facts = {
        "installed": installed,
        "unit": "ours" if unit.startswith(_OURS) else "by hand" if unit else "none",
        "active": is_active(UNIT),
        "database": database(unit),
        "data": _value(unit, "DATADIR"),
    }
    return Found(facts, [*_of_unit(unit), *_of_folder()] if installed or unit else [])


def database(unit: str) -> dict[str, str] | None:
    """Reads from a unit where the database is, and never its password: `jdbc:mysql://acd-dbm/JTELWeb?user=root&…`.

    None for an address of another form, which may name several hosts, or a password anywhere.
    """
    match = _CONNECTION.search(unit.replace("%%", "%"))
    try:
        url = urlsplit(match[1] if match else "")
        given = {"host": url.hostname or "", "port": str(url.port or 3306), "name": url.path.lstrip("/")}
    except ValueError:
        return None
    if not re.fullmatch(HOST, given["host"]) or not re.fullmatch(r"\w+", given["name"]):
        return None
    asked = parse_qs(url.query)
    for key in ("user", "serverTimezone", "characterEncoding"):
        given[key] = asked.get(key, [""])[0]
    return given


def _value(unit: str, name: str) -> str:
    """Reads a variable that a unit sets; of several the last one counts."""
    lines = [each for each in unit_file.assignments(unit.encode()) if each.key == "Environment"] if unit else []
    values = [line.value.strip("\"'").partition("=") for line in lines]
    return next((value for key, _, value in reversed(values) if key == name), "")


def _of_unit(unit: str) -> list[str]:
    if not unit or unit.startswith(_OURS):
        return []
    seen, data = disk.stat(_UNIT), _value(unit, "DATADIR")
    readable = bool(seen and seen.st_mode & stat.S_IROTH and "password=" in unit)
    wrong = data and not disk.is_directory(Path(data), follow=True)
    unclear = _CONNECTION.search(unit) and database(unit) is None
    return [
        *([f"{_UNIT} holds the database password, and everybody may read it (ps shows it, too)"] if readable else []),
        *([f"{_UNIT} names its database in a form that a stack file has not, e.g. two hosts"] if unclear else []),
        *([f"DATADIR is {data}, which is no folder here"] if wrong else []),
    ]


def _of_folder() -> list[str]:
    home, file = Path(HOME), Path(HOME) / "conf/hazelcast.xml"
    nested = home / home.name
    deviations = [f"{nested} is a second copy inside the first (cp -R twice)"] if disk.names(nested / "bin") else []
    link = disk.link_target(Path("/acd-store/shared"))
    if link != str(_SHARE):
        deviations.append(f"/acd-store/shared is no link to {_SHARE}")
    if not disk.is_file(Path("/usr/local/bin/updatesc.sh")):
        deviations.append("/usr/local/bin/updatesc.sh is missing")
    try:
        return [*deviations, *(f"{file}: {each.splitlines()[0]}" for each in configuration.problems(disk.read(file)))]
    except (FileNotFoundError, Refused) as error:
        return [*deviations, f"{file}: {'is missing' if isinstance(error, FileNotFoundError) else error}"]
