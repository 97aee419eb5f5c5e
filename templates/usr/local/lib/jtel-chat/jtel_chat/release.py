"""`# release: DIRECTORY` – ClientMessenger's program, copied from the vendor's folder on the share.

Fields: `from` (the vendor's folder), `mount`, `owner`, `release` (`hold`: keep what is installed; `follow`: the share's).
`conf/` belongs to the host: what is missing there is added, nothing is overwritten. The release that was there first is
kept in `DIRECTORY.original`, the previous one in `DIRECTORY.previous`.
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


def observe(section: Section) -> Observed:
    target = Path(section.name)
    installed = tree_digest(target)
    seen = Observed(state={f"release in {target}": installed}, loaded={str(target): installed}, problems=_problems(section))
    if section.text("release") == "follow":
        seen.state["release on the share"] = tree_digest(Path(section.text("from")))
    return seen


def apply(section: Section, transaction: Transaction) -> None:
    if problems := _problems(section):
        raise Refused("; ".join(problems))
    source, target = Path(section.text("from")), Path(section.name)
    if not _wanted(section, transaction):
        return
    uid, gid = ids(section.text("owner"))
    if not target.exists():
        transaction.make_directory(target, uid, gid)
    for entry in sorted(source.iterdir()):
        _install(entry, target / entry.name, uid, gid, transaction)
    transaction.say(f"installed release {tree_digest(target)} in {target}")


def undo(section: Section, transaction: Transaction) -> None:
    """What was there first is put back from its original; the releases of ours that were kept beside it go."""
    transaction.after_commit("rm", "-rf", f"{section.name}.previous")
    transaction.after_commit("rmdir", "--ignore-fail-on-non-empty", f"{section.name}.original")


def tree_digest(directory: Path) -> str:
    """One digest over names and bytes of a release, without `conf/`; `absent` where there is no program."""
    if not (directory / "bin").is_dir():
        return "absent"
    files = sorted(path for path in directory.rglob("*") if path.is_file() and path.relative_to(directory).parts[0] != _KEPT)
    return durable.digest("".join(f"{path.relative_to(directory)} {file_digest(path)}\n" for path in files if not _hidden(path, directory)).encode())


def _hidden(path: Path, directory: Path) -> bool:
    return path.relative_to(directory).parts[0].startswith(".")


def _wanted(section: Section, transaction: Transaction) -> bool:
    installed, offered = tree_digest(Path(section.name)), tree_digest(Path(section.text("from")))
    if installed == offered:
        return False
    if section.text("release") == "follow" or installed == "absent":
        return True
    applied = (record.read(transaction.step) or {"state": {}})["state"].get(f"release in {section.name}", installed)
    if installed != applied != offered:
        transaction.say(f"{section.name} was changed by hand, and the share has another release by now: it is kept (release: hold)")
    return bool(installed != applied == offered)


def _install(entry: Path, target: Path, uid: int, gid: int, transaction: Transaction) -> None:
    if entry.name == _KEPT and target.exists():
        for path in sorted(entry.rglob("*")):
            wanted = target / path.relative_to(entry)
            if path.is_file() and not wanted.exists():
                transaction.write(wanted, path.read_bytes(), 0o644, f"{uid}:{gid}")
    elif entry.is_dir():
        staged = target.with_name(f".{entry.name}.jtel-chat")
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(entry, staged)
        _own(staged, uid, gid)
        transaction.replace_tree(target, staged)
    else:
        transaction.write(target, entry.read_bytes(), 0o644, f"{uid}:{gid}")


def _own(tree: Path, uid: int, gid: int) -> None:
    """Everything to the service's user and writable for nobody else, whatever modes the share shows; on disk before the rename."""
    for path in [tree, *tree.rglob("*")]:
        os.chown(path, uid, gid, follow_symlinks=False)
        path.chmod(0o755 if path.is_dir() or path.suffix == ".sh" else 0o644)
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())


def _problems(section: Section) -> list[str]:
    problems = mount_problems(section)
    try:
        ids(section.text("owner"))
    except Refused as refusal:
        problems.append(str(refusal))
    installed = tree_digest(Path(section.name)) != "absent"
    if problems and not installed:
        return problems
    source = Path(section.text("from"))
    if not installed and tree_digest(source) == "absent":
        return [f"{source} holds no release (no folder bin/). Put the vendor's folder there, then repeat"]
    return problems
