"""`# release: DIRECTORY` – ClientMessenger's program, copied from the vendor's folder on the share.

Fields: `from` (the vendor's folder), `mount`, `owner`, `release` (`hold`: keep what is installed, without one the share's;
`follow`: the share's; a digest: exactly that one, from the share or from those that were kept).

A release is what the vendor's folder brings – `bin/` and its other entries, without `conf/`, which belongs to the host: what is
missing there is added, nothing is overwritten. Its entries are replaced as a whole, so no old jar stays; what else lies in
DIRECTORY stays untouched. Which entries are the release's is noted in DIRECTORY/.release, since the share may be away.
The release that was there first is kept in `DIRECTORY.original`, the previous one in `DIRECTORY.previous`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from . import durable, record
from .document import Section
from .errors import Refused
from .kind import Observed, file_digest, mount_problems
from .transaction import Transaction, ids

_KEPT = "conf"
_MANIFEST = ".release"
ABSENT = "absent"


def observe(section: Section) -> Observed:
    installed = installed_digest(section)
    seen = Observed(
        state={_item(section): installed},
        loaded={section.name: installed},
        problems=_problems(section, installed),
        warnings=_nested(section),
        alike={f"release in {section.name} (to choose, set clientMessenger.release to one)": _after_apply(section, installed)},
    )
    if section.text("release") == "follow":
        seen.state["release on the share"] = tree_digest(Path(section.text("from")))
    return seen


def apply(section: Section, transaction: Transaction) -> None:
    if problems := _problems(section, installed_digest(section)):
        raise Refused("; ".join(problems))
    target = Path(section.name)
    uid, gid = ids(section.text("owner"))
    if source := _wanted(section, transaction):
        _install(source, section, transaction)
        transaction.say(f"installed release {installed_digest(section)} in {target}")
    if not (target / _MANIFEST).exists():
        _note_entries(target, _entries(section), (uid, gid), transaction)


def undo(section: Section, transaction: Transaction) -> None:
    """What was there first is put back from its original; the releases of ours that were kept beside it go."""
    transaction.after_commit("rm", "-rf", f"{section.name}.previous")
    transaction.after_commit("rmdir", "--ignore-fail-on-non-empty", f"{section.name}.original")


def installed_digest(section: Section) -> str:
    """The digest that names the installed release; `absent` without one."""
    return tree_digest(Path(section.name), _entries(section))


def tree_digest(directory: Path, entries: list[str] | None = None) -> str:
    """One digest over names and bytes of a release's entries; `absent` where there is no program."""
    if not _has_program(directory):
        return ABSENT
    files = [file for name in entries or _offered(directory) for file in _files(directory / name)]
    return durable.digest("".join(f"{path.relative_to(directory)} {file_digest(path)}\n" for path in sorted(files)).encode())


def _item(section: Section) -> str:
    return f"release in {section.name}"


def _has_program(directory: Path) -> bool:
    return (directory / "bin").is_dir() and any((directory / "bin").iterdir())


def _files(entry: Path) -> list[Path]:
    return [entry] if entry.is_file() else [path for path in entry.rglob("*") if path.is_file()]


def _offered(directory: Path) -> list[str]:
    """The entries of a vendor's folder. One of its own name is what a second `cp -R` has left."""
    return sorted(path.name for path in directory.iterdir() if path.name not in (_KEPT, directory.name) and not path.name.startswith("."))


def _entries(section: Section) -> list[str]:
    """What of DIRECTORY is the release: as noted; of an installation by hand what the share's release has, too."""
    target, source = Path(section.name), Path(section.text("from"))
    if (target / _MANIFEST).exists():
        return (target / _MANIFEST).read_text(encoding="utf-8").splitlines()
    known = _offered(source) if _has_program(source) else []
    return known or (_offered(target) if target.is_dir() else [])


def _kept(section: Section) -> list[Path]:
    return [Path(f"{section.name}.previous"), Path(f"{section.name}.original")]


def _find(section: Section, digest: str) -> Path | None:
    """Where a release can be copied from, by its digest."""
    return next((place for place in [Path(section.text("from")), *_kept(section)] if tree_digest(place) == digest), None)


def _after_apply(section: Section, installed: str) -> str:
    """The digest that this server has after an apply; all servers should have the same one."""
    wanted = section.text("release")
    if wanted == "follow" or (wanted == "hold" and installed == ABSENT):
        return tree_digest(Path(section.text("from")))
    return installed if wanted == "hold" else wanted


def _wanted(section: Section, transaction: Transaction) -> Path | None:
    """The folder whose release has to be installed; None when the right one is there."""
    installed, wanted, source = installed_digest(section), section.text("release"), Path(section.text("from"))
    if wanted == "follow" or (wanted == "hold" and installed == ABSENT):
        return source if tree_digest(source) != installed else None
    if wanted != "hold":
        return _find(section, wanted) if wanted != installed else None
    applied = (record.read(transaction.step) or {"state": {}})["state"].get(_item(section), installed)
    if installed == applied:
        return None
    found = _find(section, applied)
    if not found:
        transaction.say(f"{section.name} was changed by hand, and release {applied} is to be had nowhere: it is kept as it is (release: hold)")
    return found


def _install(source: Path, section: Section, transaction: Transaction) -> None:
    target = Path(section.name)
    uid, gid = ids(section.text("owner"))
    transaction.make_directory(target, uid, gid)
    offered, stale = _offered(source), sorted(set(_entries(section)) - set(_offered(source)))
    # All copies first: the release may come from the place that the installed one goes to.
    staged = {name: _copy(source / name, transaction.stage(durable.staged_name(target / name)), uid, gid) for name in offered}
    for name in stale:
        transaction.replace_tree(target / name, None)
    for name, copy in staged.items():
        transaction.replace_tree(target / name, copy)
    _forget_older(section, {*offered, *stale}, transaction)
    _add_configuration(source / _KEPT, target / _KEPT, (uid, gid), transaction)
    _note_entries(target, offered, (uid, gid), transaction)


def _forget_older(section: Section, replaced: set[str], transaction: Transaction) -> None:
    """`.previous` is one release: what is of an older one goes."""
    previous = _kept(section)[0]
    for entry in sorted(previous.iterdir()) if previous.is_dir() else []:
        if entry.name not in replaced and not entry.name.startswith("."):
            transaction.remove(entry)


def _copy(entry: Path, staged: Path, uid: int, gid: int) -> Path:
    """Everything the service's user's and writable for nobody else, whatever modes the share shows; on disk before the rename."""
    if entry.is_dir():
        shutil.copytree(entry, staged)
    else:
        shutil.copy(entry, staged)
    for path in [staged, *staged.rglob("*")]:
        os.chown(path, uid, gid, follow_symlinks=False)
        path.chmod(0o755 if path.is_dir() or path.suffix == ".sh" else 0o644)
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
    return staged


def _add_configuration(source: Path, target: Path, owner: tuple[int, int], transaction: Transaction) -> None:
    for path in sorted(source.rglob("*")):
        wanted = target / path.relative_to(source)
        if path.is_file() and not wanted.exists():
            transaction.write(wanted, path.read_bytes(), 0o644, f"{owner[0]}:{owner[1]}")


def _note_entries(target: Path, entries: list[str], owner: tuple[int, int], transaction: Transaction) -> None:
    transaction.write(target / _MANIFEST, "".join(f"{name}\n" for name in entries).encode(), 0o644, f"{owner[0]}:{owner[1]}")


def _nested(section: Section) -> list[str]:
    """What a second `cp -R` makes: exit code 0, and nothing updated."""
    nested = Path(section.name) / Path(section.name).name
    if not _has_program(nested):
        return []
    digest = tree_digest(nested)
    return [f"{nested} is a second copy (release {digest}) that a repeated 'cp -R' has put inside the first; nothing runs from it. Remove it: rm -r {nested}"]


def _problems(section: Section, installed: str) -> list[str]:
    problems = mount_problems(section)
    try:
        ids(section.text("owner"))
    except Refused as refusal:
        problems.append(str(refusal))
    if problems:
        return problems
    wanted, source = section.text("release"), Path(section.text("from"))
    if wanted in ("hold", "follow"):
        needed = wanted == "follow" or installed == ABSENT
        return [_nothing_offered(section)] if needed and tree_digest(source) == ABSENT else []
    if wanted == installed or _find(section, wanted):
        return []
    kept = [f"{tree_digest(place)} in {place}" for place in _kept(section) if _has_program(place)]
    has = "; ".join([f"the share has {tree_digest(source)}, installed is {installed}", *kept])
    return [f"release {wanted} is to be had nowhere: {has}. Put it into {source}, or set clientMessenger.release to one of these"]


def _nothing_offered(section: Section) -> str:
    source = section.text("from")
    hosted = "" if section.fields.get("mount") else " Is the link to the hosted share in place (ls -l)?"
    return f"{source} holds no release (no folder bin/ with files). Put the vendor's folder there, then repeat.{hosted}"
