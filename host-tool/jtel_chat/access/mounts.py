"""Reads what is mounted on this host (proc_pid_mountinfo(5))."""

from __future__ import annotations

import re
from pathlib import Path

from .. import moment
from ..errors import Refused
from ..programs import process
from . import disk
from .account import ROOT
from .place import resolved

#: File systems that another machine serves: a share is one of these, or a mount of its own.
_SERVED = re.compile(r"nfs4?|cifs|smb3|9p|ceph|lustre|glusterfs|fuse\..*|autofs")
_ANSWER = 5.0  # seconds

_silent: set[str] = set()  # shares that have not answered this process: it does not wait for them again


def problems(share: str | None) -> list[str]:
    """Says that the share at a path is not mounted, `/home/jtel/shared`.

    share: None where this host is its home.
    """
    if share is None or is_mounted(share):
        return []
    return [f"the share is not mounted at {share}. Mount it ('mount {share}', entry in /etc/fstab), then repeat"]


def require_answer(share: str | None) -> None:
    """Raises Refused where the server of the share at a path, `/home/jtel/shared`, is silent.

    Who reads there waits until it is back, and on some file systems cannot even be killed.

    share: None where this host is its home.
    """
    if share is None or not _SERVED.fullmatch(_types().get(share, "autofs")):
        return
    if share not in _silent and process.ends("stat", "--file-system", share, within=_ANSWER):
        return
    _silent.add(share)
    raise Refused(
        f"the server of the share at {share} gives no answer within {_ANSWER:.0f} s. Is it up, and is the way to it"
        " open? Repeat when it answers"
    )


def is_mounted(share: str) -> bool:
    """Tells whether a share is mounted at a path, or above it through links: `/mnt/acd/shared` of `/mnt/acd`.

    Raises Refused where its server is silent.
    """
    require_answer(share)
    disk.stat(Path(share) / ".", follow=True)  # automounters mount what somebody asks for
    path = resolved(Path(share), ROOT)
    return str(path) in points() or bool(_SERVED.fullmatch(_types().get(of(path), "")))


def points() -> set[str]:
    """Lists the places where something is mounted: folders and single files."""
    return set(_types())


def of(path: Path) -> str:
    """Finds the mount that a path is in: `/home` for `/home/jtel/x`."""
    known = points()
    return next((str(each) for each in (path, *path.parents) if str(each) in known), "/")


def _types() -> dict[str, str]:
    return moment.once(("mounts",), _read)


def _read() -> dict[str, str]:
    """Lists each mount point with the type of what is mounted there; of several, the last one covers the others."""
    lines = disk.kernel("/proc/self/mountinfo").decode(errors="surrogateescape").splitlines()
    return {_unescaped(line.split(" ")[4]): line.partition(" - ")[2].split(" ")[0] for line in lines}


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)
