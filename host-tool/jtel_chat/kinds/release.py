"""Installs ClientMessenger's program from the vendor's folder on the share.

A section is `# release: DIRECTORY` with `from` (the vendor's folder), `mount` and `release` (`hold`: keep what is
installed, without one the share's; `follow`: the share's; a digest, 16 or 64 digits: exactly that one, from the share
or from those that root keeps).

What is missing in `conf/` is added, nothing there is overwritten. The release's entries are replaced as a whole, so no
old jar stays; what else lies in DIRECTORY stays untouched. The share and DIRECTORY are read with the service user's
rights.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..access import account, disk, mounts, trees
from ..access.account import Account
from ..access.place import resolved
from ..documents import declaration
from ..documents.declaration import LOADED_BY, PATH, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..engine import observing, originals, record, releases
from ..engine.releases import Release
from ..engine.transaction import Transaction
from ..errors import Refused

DECLARATION = Declaration(
    names=declaration.HOME,
    fields={
        "from": Field(PATH, required=True),
        "mount": Field(PATH),
        "release": Field(declaration.RELEASE, required=True),
        "loaded-by": LOADED_BY,
    },
    loaded="always",
)


_MANIFEST = ".release"  # of versions before 2026-12
_PIN = 16  # digits of a short pin, also of those that versions before 2026-12 made
_NAMED = 3  # files that a problem names


class _Source(NamedTuple):
    """A release that is to be installed, and the folder that it has to be taken from; None where root has it."""

    release: Release
    folder: Path | None = None


def observe(section: Section) -> Observed:
    rights = account.service()
    now = installed(section)
    offered = _taken_from_share(section, now, rights)
    seen = Observed(
        state={f"release:{section.name}": now.digest},
        loaded={f"release:{section.name}": now.digest},
        problems=_place_problems(section, now, rights) or _release_problems(section, now, offered, rights),
        warnings=[*_nested(section, rights), *_left_behind(section)],
        alike={
            f"release in {section.name} (to choose, set clientMessenger.release to one)": _after_apply(
                section, now, offered, rights
            )
        },
    )
    if offered and section.text("release") == "follow":
        seen.state[f"offered:{section.text('from')}"] = offered.digest
    return seen


def due(section: Section) -> dict[str, str]:
    rights, now = account.service(), installed(section)
    after = _after_apply(section, now, _taken_from_share(section, now, rights), rights)
    return {} if after == now.short else {section.name: f"release {after} installed"}


def apply(section: Section, transaction: Transaction) -> None:
    rights, directory = account.service(), Path(section.name)
    now = installed(section)
    _refuse(_place_problems(section, now, rights))
    offered = _taken_from_share(section, now, rights)
    _refuse(_release_problems(section, now, offered, rights))
    wanted = _wanted(section, now, offered, rights, transaction)
    now = _with_what_stands_there(directory, now, wanted, rights)
    kept = _kept_first(section, now, rights)
    releases.take(directory, now, rights, as_they_are=True)
    if wanted is None:
        _write_index({**kept, "current": now}, transaction)
    else:
        _install(section, wanted, now, kept, transaction)
    transaction.remove(directory / _MANIFEST)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise Refused("; ".join(problems))


def _install(
    section: Section, wanted: _Source, now: Release, kept: dict[str, Release], transaction: Transaction
) -> None:
    rights, directory = account.service(), Path(section.name)
    if wanted.folder is not None:
        releases.take(wanted.folder, wanted.release, rights, as_they_are=False)
    previous = {} if now.is_absent else {"previous": now}
    _write_index({**kept, **previous, "current": wanted.release}, transaction)
    transaction.make_directory(directory)
    transaction.install(wanted.release, now, directory)
    _add_configuration(section, rights, wanted.folder, transaction)
    transaction.say(f"installed release {wanted.release.short} in {directory}")


def _with_what_stands_there(directory: Path, now: Release, wanted: _Source | None, rights: Account) -> Release:
    """Adds to the release that is there what else the new one would replace.

    So a first installation keeps all of it as the original, also where no program is there. Later, such an entry is
    somebody's own: raises Refused.
    """
    there = [name for name in (wanted.release.entries if wanted else ()) if disk.stat(directory / name)]
    others = there if now.is_absent else [name for name in there if name not in now.entries]
    if not others:
        return now
    if releases.index() and not now.is_absent:
        names = " and ".join(str(directory / name) for name in others)
        raise Refused(
            f"{names} is no part of the installed release, and the new one brings that name. Move it away, then repeat"
        )
    return _with(directory, now, others, rights)


def _with(directory: Path, now: Release, others: list[str], rights: Account) -> Release:
    """Gives the release that is there, with other entries of the same folder."""
    entries = tuple(others) if now.is_absent else (*now.entries, *others)
    return Release(releases.part_digest(directory, entries, rights), entries)


def undo(section: Section, transaction: Transaction) -> None:
    """Puts back what was there first; keeps beside it what was changed by hand since."""
    rights, directory = account.service(), Path(section.name)
    now = installed(section)
    kept = _kept_first(section, now, rights)
    original, current = kept["original"], releases.index().get("current", now)
    coming = () if original.is_absent else original.entries
    if others := [name for name in coming if name not in now.entries and disk.stat(directory / name)]:
        now = _with(directory, now, others, rights)  # somebody's own since: an edit like others
    if now.digest != original.digest:
        releases.take(directory, now, rights, as_they_are=True)
        if now.digest != current.digest and not now.is_absent:
            _keep_edits(directory, now, current, transaction)
        transaction.install(original, now, directory)
        transaction.say(
            f"put release {original.short} back" if not original.is_absent else f"removed release {now.short}"
        )
    transaction.remove(directory / _MANIFEST)
    transaction.remove(releases.index_file())


def installed(section: Section) -> Release:
    """Finds the release that is installed now."""
    rights, directory = account.service(), Path(section.name)
    examine = releases.examine_unless_noted if observing.is_looking() else releases.examine_and_note
    return examine(directory, _entries(section, rights), rights)


def is_recorded(section: Section, digest: str) -> bool:
    """Tells whether the installed release is the one that versions before 2026-12 recorded with 16 digits."""
    rights, directory = account.service(), Path(section.name)
    return releases.earlier_digest(directory, _entries(section, rights), rights) == digest


def _source(section: Section, rights: Account) -> Path:
    """Finds the vendor's folder, through links, since a hosted share is one."""
    return resolved(Path(section.text("from")), rights)


def _on_share(section: Section, rights: Account) -> Release:
    source = _source(section, rights)
    return releases.examine(source, releases.offered(source, rights), rights)


def _taken_from_share(section: Section, now: Release, rights: Account) -> Release | None:
    """Finds the share's release where an apply takes that one, else None: reading all of it is what takes time."""
    wanted = section.text("release")
    return _on_share(section, rights) if wanted == "follow" or (wanted == "hold" and now.is_absent) else None


def _entries(section: Section, rights: Account) -> tuple[str, ...]:
    """Lists what of the folder is the release: as noted, or, installed by hand, what the share's release has, too."""
    directory = Path(section.name)
    current = releases.index().get("current")
    if current is not None:
        return current.entries
    if noted := _noted(directory):
        return noted
    source = _source(section, rights)
    known = releases.offered(source, rights) if disk.names(source / "bin", rights) else ()
    return known or releases.offered(directory, rights)


def _noted(directory: Path) -> tuple[str, ...]:
    """Lists the entries as versions before 2026-12 noted them in the service's folder: it is his, so names only."""
    if not disk.is_file(directory / _MANIFEST):
        return ()
    names = disk.read(directory / _MANIFEST, 65536).decode("utf-8", "surrogateescape").splitlines()
    return tuple(name for name in names if name and "/" not in name and not name.startswith("."))


def _kept_first(section: Section, now: Release, rights: Account) -> dict[str, Release]:
    """Gives the index of the store; before the first change, with what is there as the original.

    What earlier versions kept is taken over once.
    """
    kept = releases.index()
    if "original" in kept:
        return kept
    if not _noted(Path(section.name)):
        return {"original": now}
    return _taken_over(Path(section.name), rights)


def _taken_over(directory: Path, rights: Account) -> dict[str, Release]:
    """Copies `ClientMessenger.original` and `.previous` of versions before 2026-12 into the store, untrusted."""
    taken = {}
    for name in ("original", "previous"):
        place = directory.with_name(f"{directory.name}.{name}")
        release = releases.examine(place, releases.offered(place, rights), rights)
        if name == "original" or not release.is_absent:
            taken[name] = releases.take(place, release, rights, as_they_are=True)
    return taken


def _left_behind(section: Section) -> list[str]:
    """Lists folders of root's in the service's home that versions before 2026-12 made and nothing needs any more."""
    if not releases.index():
        return []
    places = [f"{section.name}.{name}" for name in ("original", "previous")]
    left = [place for place in places if disk.is_directory(Path(place))]
    return (
        [
            f"{' and '.join(left)} of an earlier version of jtel-chatctl is not needed any more. Remove it: rm -r"
            f" {' '.join(left)}"
        ]
        if left
        else []
    )


def _after_apply(section: Section, now: Release, offered: Release | None, rights: Account) -> str:
    """Names the release that this server has after an apply; all servers should have the same one."""
    wanted = section.text("release")
    if offered:
        return offered.short
    return now.short if wanted == "hold" or _is(wanted, now, section, rights) else wanted[:_PIN]


def _wanted(
    section: Section, now: Release, offered: Release | None, rights: Account, transaction: Transaction
) -> _Source | None:
    """Finds the release that has to be installed; None when it is there."""
    wanted = section.text("release")
    if offered:
        return _Source(offered, _source(section, rights)) if offered.digest != now.digest else None
    if wanted != "hold":
        return None if _is(wanted, now, section, rights) else _find(section, wanted, rights)
    if current := releases.index().get("current"):
        return _Source(current) if current.digest != now.digest else None
    return _recorded(section, now, rights, transaction)


def _recorded(section: Section, now: Release, rights: Account, transaction: Transaction) -> _Source | None:
    """Finds the release that a version without root's store has recorded, where it was changed by hand since.

    None where it was not changed, or is to be had nowhere.
    """
    recorded = (record.read(transaction.step) or {"state": {}})["state"].get(f"release:{section.name}", now.digest)
    if recorded == now.digest:
        return None
    found = _find(section, recorded, rights)
    if not found:
        transaction.say(
            f"{section.name} was changed by hand, and release {recorded} is to be had nowhere: it is kept as it is"
            " (release: hold)"
        )
    return found


def _is(pin: str, release: Release, section: Section, rights: Account) -> bool:
    """Tells whether a pin, also one of versions before 2026-12, names the installed release."""
    if release.is_absent:
        return False
    return release.digest.startswith(pin) or (len(pin) == _PIN and is_recorded(section, pin))


def _find(section: Section, pin: str, rights: Account) -> _Source | None:
    """Finds where a release can be had, by its pin: in root's store, or on the share.

    Raises Refused where a pin names two.
    """
    source = _source(section, rights)
    places: list[tuple[Path, tuple[str, ...], Account | None]] = [
        (releases.store() / each.digest, each.entries, None) for each in releases.index().values() if not each.is_absent
    ]
    places.append((source, releases.offered(source, rights), rights))
    found: dict[str, _Source] = {}
    for place, entries, reader in places:
        release = releases.examine(place, entries, reader)
        named = release.digest.startswith(pin) or (
            len(pin) == _PIN and releases.earlier_digest(place, entries, reader) == pin
        )
        if named and not release.is_absent:
            found.setdefault(release.digest, _Source(release, place if reader else None))
    if len(found) > 1:
        raise Refused(f"release {pin} names {' and '.join(found)}. Set clientMessenger.release to all 64 digits of one")
    return next(iter(found.values()), None)


def _add_configuration(section: Section, rights: Account, source: Path | None, transaction: Transaction) -> None:
    if source is None or disk.stat(source / releases.CONFIGURATION, rights) is None:
        return
    for part in trees.tree(source / releases.CONFIGURATION, rights):
        wanted = Path(section.name) / releases.CONFIGURATION / part.name
        if not part.directory and disk.stat(wanted) is None:
            data = disk.read(source / releases.CONFIGURATION / part.name, rights=rights)
            transaction.write(wanted, data, 0o644)


def _write_index(kept: dict[str, Release], transaction: Transaction) -> None:
    transaction.write(releases.index_file(), releases.index_text(kept), 0o600, keep=False)


def _keep_edits(directory: Path, now: Release, current: Release, transaction: Transaction) -> None:
    """Moves what somebody has changed in the program aside, under a name that a person finds."""
    for name in now.entries:
        if disk.stat(directory / name) is not None and not _unchanged(directory, name, current):
            edited = originals.place_of_edit(directory / name)
            disk.remove_tree(edited)
            trees.copy_tree(directory / name, edited, lambda part: part.mode)
            transaction.say(f"{directory / name} was edited since: that is kept as {edited}")


def _unchanged(directory: Path, name: str, current: Release) -> bool:
    his = disk.owner(directory / name)
    return releases.part_digest(directory, (name,), his) == releases.part_digest(
        releases.store() / current.digest, (name,), None
    )


def _nested(section: Section, rights: Account) -> list[str]:
    """Finds the nested copy that a second `cp -R` makes: it returns 0, and has updated nothing."""
    nested = Path(section.name) / Path(section.name).name
    if not disk.names(nested / "bin", rights):
        return []
    digest = releases.examine(nested, releases.offered(nested, rights), rights).short
    return [
        f"{nested} is a second copy (release {digest}) that a repeated 'cp -R' has put inside the first; nothing runs"
        f" from it. Remove it: rm -r {nested}"
    ]


def _place_problems(section: Section, now: Release, rights: Account) -> list[str]:
    """Finds problems of the two folders, whichever release is wanted."""
    return mounts.problems(section.fields.get("mount")) or _ownership_problems(section, now, rights)


def _release_problems(section: Section, now: Release, offered: Release | None, rights: Account) -> list[str]:
    wanted, source = section.text("release"), Path(section.text("from"))
    if wanted in ("hold", "follow"):
        return [_nothing_offered(section, rights)] if offered and offered.is_absent else []
    if _is(wanted, now, section, rights) or _find(section, wanted, rights):
        return []
    kept = [
        f"{each.short} is kept as {name}"
        for name, each in releases.index().items()
        if name != "current" and not each.is_absent
    ]
    has = "; ".join([f"the share has {_on_share(section, rights).short}, installed is {now.short}", *kept])
    return [
        f"release {wanted} is to be had nowhere: {has}. Put it into {source}, or set clientMessenger.release to one of"
        " these"
    ]


def _ownership_problems(section: Section, now: Release, rights: Account) -> list[str]:
    """Lists files of others in the program's folder, which cannot be replaced with the rights of its user."""
    foreign = releases.not_his(Path(section.name), now.entries, rights)
    if not foreign:
        return []
    others = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
    return [
        f"{', '.join(foreign[:_NAMED])}{others} do not belong to {rights.name}, with whose rights the program is"
        f" installed. Give them to him: chown -R {':'.join(account.SERVICE)} {section.name}"
    ]


def _nothing_offered(section: Section, rights: Account) -> str:
    source = section.text("from")
    hosted = "" if section.fields.get("mount") else " Is the link to the hosted share in place (ls -l)?"
    return (
        f"{source} holds no release (no folder bin/ with files that {rights.name} can read). Put the vendor's folder"
        f" there, then repeat.{hosted}"
    )
