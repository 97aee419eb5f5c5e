"""Keeps releases of ClientMessenger in root's store, and installs them in the service's folder.

The store is `/var/lib/jtel-chat/releases`: a folder for each release, named by its digest, and `index.json`, which says
which one was there first (`original`), which one is installed (`current`) and which one was before (`previous`). Others
are removed.

Nothing that the service's user can write to is trusted: a release is copied into the store, and its digest is taken of
that copy. From there it is installed with that user's rights, and compared again before a name changes.

A release is `bin/` and the vendor's other entries, without `conf/`, which belongs to the host.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from ..access import digests, disk, trees
from ..access.account import Account
from ..errors import Refused
from . import journal

CONFIGURATION = "conf"
_ABSENT = "absent"
_LARGEST = 1 << 30  # bytes of a release: the vendor's has some 50 MB
_MARGIN = 64 << 20  # bytes that stay free on a drive
_DIGITS = 64  # of a digest
_TICK = 10**9  # nanoseconds; as coarse as a file system's time of a change may be
_SHORT = 16  # digits of a digest that people use


class Release(NamedTuple):
    """A release by its digest and by the entries of its folder, `("bin", "gui")`.

    digest: SHA-256 over names and bytes, 64 digits; `absent` where there is no program.
    """

    digest: str = _ABSENT
    entries: tuple[str, ...] = ()

    @property
    def is_absent(self) -> bool:
        """Tells whether there is no program."""
        return self.digest == _ABSENT

    @property
    def short(self) -> str:
        """Names it as people do: `4136699b78efa41d`."""
        return self.digest[:_SHORT]

    def stored(self) -> dict[str, Any]:
        """Gives its form in JSON."""
        return {"digest": self.digest, "entries": list(self.entries)}


def store() -> Path:
    """Names the folder of root's own copies."""
    return disk.STATE / "releases"


def index_file() -> Path:
    """Names the file that says which releases are kept, and as what."""
    return store() / "index.json"


def index() -> dict[str, Release]:
    """Reads which release is `original`, `current` and `previous`, as far as there is one."""
    found: dict[str, Any] = disk.json(index_file()) or {}
    return {name: Release(value["digest"], tuple(value["entries"])) for name, value in found.items()}


def index_text(kept: dict[str, Release]) -> bytes:
    """Makes the text of `index.json`."""
    return (json.dumps({name: release.stored() for name, release in kept.items()}, indent=1) + "\n").encode()


def file(name: str, limit: int = 1 << 20) -> bytes | None:
    """Reads a file, `systemd/x.service`, of root's own copy of the installed release; None where it has none."""
    current = index().get("current")
    if current is None or current.is_absent:
        return None
    with contextlib.suppress(FileNotFoundError):
        return disk.read(_place(current) / name, limit)
    return None


def offered(directory: Path, rights: Account | None) -> tuple[str, ...]:
    """Lists the release's entries in a vendor's folder, `("bin", "gui")`.

    An entry named like the folder is left out: a second `cp -R` has made it.
    """
    others = (CONFIGURATION, directory.name)
    names = (name for name in disk.names(directory, rights) if not name.startswith(".") and not trees.is_litter(name))
    return tuple(name for name in names if name not in others)


def examine(directory: Path, entries: tuple[str, ...], rights: Account | None) -> Release:
    """Finds out which release these entries of a folder are.

    Raises Refused with a link, a special file or one that cannot be read.

    rights: whose folder it is; None for root's own store.
    """
    return _release(directory, entries, _program(directory, entries, rights), rights)


def examine_and_note(directory: Path, entries: tuple[str, ...], rights: Account | None) -> Release:
    """Does what `examine` does, and notes which files it has read, for `examine_unless_noted`.

    A file that was changed a moment ago might change again within one tick of its file system: then nothing is noted.
    Nor where another call notes at the same time: it costs the next look time, and nothing else.
    """
    begun = time.time_ns()
    files = _program(directory, entries, rights)
    release = _release(directory, entries, files, rights)
    if files is not None and all(file.changed < begun - _TICK for _, file in files):
        noted = json.dumps({"files": _traits(directory, files), **release.stored()}).encode()
        with contextlib.suppress(OSError, Refused):
            disk.make_directory(disk.RUN)
            disk.write(_examined(), noted)
    return release


def examine_unless_noted(directory: Path, entries: tuple[str, ...], rights: Account | None) -> Release:
    """Does what `examine` does, and reads the files, some 50 MB, only where one was changed since they were noted.

    The kernel says so, by their times of change, which nobody can set. Only of a page that a program has mapped and
    changed (mmap(2)) it says so later, once it is written to the drive: the next start or apply sees that.
    """
    noted = disk.json(_examined()) or {}
    files = _program(directory, entries, rights)
    if files is not None and noted.get("files") == _traits(directory, files):
        return Release(noted["digest"], entries)
    return _release(directory, entries, files, rights)


def part_digest(directory: Path, entries: tuple[str, ...], rights: Account | None) -> str:
    """Makes the SHA-256 over the names and bytes of some entries of a folder, each with its length before it."""
    return _digest_of(directory, _files(directory, entries, rights), rights)


def earlier_digest(directory: Path, entries: tuple[str, ...], rights: Account | None) -> str:
    """Makes the 16 digits by which versions before 2026-12 named a release, over short digests of its files."""
    files = _program(directory, entries, rights)
    if files is None:
        return _ABSENT
    lines = []
    for name, part in files:
        one = hashlib.sha256()
        _feed(one, directory / name, part.size, rights)
        lines.append(f"{name} {one.hexdigest()[:_SHORT]}\n")
    return digests.short("".join(lines).encode("utf-8", "surrogateescape"))


def not_his(directory: Path, entries: tuple[str, ...], his: Account) -> list[str]:
    """Lists files of a release that belong to others than its folder's user, e.g. to root after a copy by hand."""
    return [
        str(directory / name / part.name)
        for name in entries
        if disk.stat(directory / name) is not None
        for part in trees.tree(directory / name)
        if part.uid != his.uid
    ]


def take(directory: Path, release: Release, rights: Account | None, *, as_they_are: bool) -> Release:
    """Copies a release into the store, if it is not there, and returns what the copy is.

    as_they_are: keep the files' modes.

    Raises Refused where room is lacking, or where it changed while it was copied.
    """
    if release.is_absent or disk.is_directory(_place(release)):
        return release
    _require_room(store(), directory, release, rights)
    disk.own_directory(store())
    staged = store() / ".staged"
    disk.remove_tree(staged)
    disk.make_directory(staged, 0o700)
    mode = (lambda part: part.mode) if as_they_are else _usual_mode
    for name in _present(directory, release.entries, rights):
        trees.copy_tree(directory / name, staged / name, mode, rights)
    if part_digest(staged, release.entries, None) != release.digest:
        disk.remove_tree(staged)
        raise Refused(f"{directory} changed while it was copied. Wait until nobody writes there, then repeat")
    disk.rename(staged, release.digest)
    return release


def install(release: Release, found: Release, directory: Path) -> None:
    """Puts a stored release in the place of `found`: staged beside it, compared, then renamed entry by entry.

    Other entries of the folder stay. Everything in the folder is done with its user's rights.
    """
    disk.make_directory(directory)
    entries = _present(_place(release), release.entries, None) if not release.is_absent else []
    if entries:
        _require_room(directory, _place(release), release, None)
    for name in entries:
        disk.remove_tree(_staged(directory, name))
        trees.copy_tree(_place(release) / name, _staged(directory, name), lambda part: part.mode)
    if _staged_digest(directory, release, entries) != release.digest:
        raise Refused(
            f"{directory}: release {release.short} changed while it was copied there. Find out who writes to that"
            " folder, then repeat"
        )
    for name in dict.fromkeys([*found.entries, *entries]):
        _swap(directory, name, comes=name in entries)


def put_back(entry: dict[str, Any]) -> list[str]:
    """Puts back the release that a journal has noted, where another one or half of one is now.

    Returns lines for a person; there are none.
    """
    directory, was = Path(entry["release"]), Release(entry["was"]["digest"], tuple(entry["was"]["entries"]))
    for name in disk.names(directory):
        if name.startswith(".") and name.endswith((".jtel-chat", ".jtel-chat-old")):
            disk.remove_tree(directory / name)
    brought = tuple(name for name in disk.names(directory) if name in {*was.entries, *entry["comes"]})
    if not brought and was.is_absent:
        return []
    now = Release(part_digest(directory, brought, disk.owner(directory / "x")), brought)
    if now.digest != was.digest:
        install(was, now, directory)
    return []


def _stored() -> list[str]:
    return [name for name in disk.names(store()) if len(name) == _DIGITS]


def forget_unused() -> None:
    """Removes stored releases that neither the index nor a journal names."""
    journals = [
        each
        for place in (journal.pending(), journal.unproven(), journal.not_put_back())
        for each in journal.newest_first(place)
    ]
    noted = {entry["was"]["digest"] for each in journals for entry in journal.entries(each) if "release" in entry}
    used = noted | {release.digest for release in index().values()}
    for name in _stored():
        if name not in used:
            disk.remove_tree(store() / name)


def _place(release: Release) -> Path:
    return store() / release.digest


def _staged(directory: Path, name: str) -> Path:
    return directory / disk.staged_name(name)


def _swap(directory: Path, name: str, *, comes: bool) -> None:
    """Moves the old entry aside, gives its name to the staged one, then removes the old one."""
    aside = f"{disk.staged_name(name)}-old"
    disk.remove_tree(directory / aside)
    if disk.stat(directory / name) is not None:
        disk.rename(directory / name, aside)
    if comes:
        disk.rename(_staged(directory, name), name)
    disk.remove_tree(directory / aside)


def _staged_digest(directory: Path, release: Release, entries: list[str]) -> str:
    """Makes the digest of what is staged in the folder, under the names that it will have."""
    if release.is_absent:
        return _ABSENT
    parts = [
        (_named(name, part), _staged(directory, name) / part.name, part.size)
        for name in entries
        for part in trees.tree(_staged(directory, name))
        if not part.directory
    ]
    return _digest(parts, None)


def _digest(parts: list[tuple[str, Path, int]], rights: Account | None) -> str:
    """Makes the digest of files. parts: the name of each below its folder, where it is, and its size.

    Lengths go first, so that no name can forge another file.
    """
    whole = hashlib.sha256()
    for name, path, size in sorted(parts, key=lambda part: Path(part[0]).parts):
        encoded = name.encode("utf-8", "surrogateescape")
        whole.update(len(encoded).to_bytes(8, "big") + encoded + size.to_bytes(8, "big"))
        _feed(whole, path, size, rights)
    return whole.hexdigest()


def _program(directory: Path, entries: tuple[str, ...], rights: Account | None) -> list[tuple[str, trees.Entry]] | None:
    """Lists the files of a release; None where there is no program, whatever else lies there."""
    return _files(directory, entries, rights) if disk.names(directory / "bin", rights) else None


def _release(
    directory: Path, entries: tuple[str, ...], files: list[tuple[str, trees.Entry]] | None, rights: Account | None
) -> Release:
    return Release(_ABSENT if files is None else _digest_of(directory, files, rights), entries)


def _digest_of(directory: Path, files: list[tuple[str, trees.Entry]], rights: Account | None) -> str:
    return _digest([(name, directory / name, part.size) for name, part in files], rights)


def _examined() -> Path:
    """Names the file with the digest of the service's folder, and what its files were like when that was made."""
    return disk.RUN / "examined"


def _traits(directory: Path, files: list[tuple[str, trees.Entry]]) -> str:
    """Makes a digest of everything but the bytes of files."""
    return hashlib.sha256(repr((str(directory), files)).encode("utf-8", "surrogateescape")).hexdigest()


def _named(name: str, part: trees.Entry) -> str:
    return f"{name}/{part.name}" if part.name else name


def _files(directory: Path, entries: tuple[str, ...], rights: Account | None) -> list[tuple[str, trees.Entry]]:
    """Lists the files of a release by their names below its folder, in the order of their paths' parts."""
    found = [
        (_named(name, part), part)
        for name in _present(directory, entries, rights)
        for part in trees.tree(directory / name, rights, size=_LARGEST)
        if not part.directory
    ]
    return sorted(found, key=lambda each: Path(each[0]).parts)


def _present(directory: Path, entries: tuple[str, ...], rights: Account | None) -> list[str]:
    return [name for name in entries if disk.stat(directory / name, rights) is not None]


def _feed(digest: Any, path: Path, size: int, rights: Account | None) -> None:
    """Adds all bytes of a file to a digest. Raises Refused where its size has changed since it was listed."""
    length = 0
    with disk.opened(path, size, rights) as descriptor:
        for chunk in disk.chunks(descriptor, size + 1):
            length += len(chunk)
            digest.update(chunk)
    if length != size:
        raise Refused(f"{path} changes while it is read. Wait until nobody writes there, then repeat")


def _usual_mode(part: trees.Entry) -> int:
    """Gives the mode of a copy, whatever the share shows: writable for its user only, scripts executable."""
    return 0o755 if part.directory or part.name.endswith(".sh") else 0o644


def _require_room(target: Path, directory: Path, release: Release, rights: Account | None) -> None:
    needed = sum(part.size for _, part in _files(directory, release.entries, rights)) + _MARGIN
    if disk.free(target) < needed:
        raise Refused(
            f"{target} has not the {needed >> 20} MiB free that release {release.short} takes. Make room there, then"
            " repeat"
        )
