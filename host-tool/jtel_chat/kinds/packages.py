"""`# packages: NAME …` – apt packages that have to be installed.

Fields: `undo` (`remove`: an undo removes what it had installed, unless something else needs it by then; without it they
stay); `java` (major release: /usr/bin/java of that release or a later one serves as well, wherever it comes from);
`source` (the file of an apt source that comes with the document).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..access import account, disk
from ..access.account import ROOT
from ..access.place import resolved
from ..documents.declaration import NUMBER, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..engine import originals
from ..engine.transaction import Transaction
from ..errors import Failed
from ..programs import process

#: A package's name as apt takes it for nothing else: `NAME-` removes, `NAME+` adds, `NAME/RELEASE`, `NAME=1`, `-o` and
#: `NAME*` mean more (apt-get(8)).
PACKAGE = r"[a-z0-9][a-z0-9+.-]*[a-z0-9.]"

DECLARATION = Declaration(
    names=rf"{PACKAGE}(?: {PACKAGE})*",
    fields={
        "undo": Field("remove"),
        "java": Field(NUMBER),
        "source": Field(r"/etc/apt/sources\.list\.d/jtel-chat-java\.list"),
    },
    loaded="always",
)

LISTS = Path("/var/lib/apt/lists")
JAVA = Path("/usr/bin/java")  # what the vendor's unit starts
_REMEDY = "Correct java.package, or name a source that has it: java.aptSource"
_LOCK_WAIT = 120  # seconds that apt waits for another apt; it names the holder itself


def observe(section: Section) -> Observed:
    versions = _installed(section)
    if "absent" in versions.values() and (other := _java(section)):
        return Observed(state={"java": str(other)}, loaded={"java": str(other)})
    state = {f"package:{name}": version for name, version in versions.items()}
    return Observed(state=state, loaded=dict(state), problems=_problems(section, versions))


def apply(section: Section, transaction: Transaction) -> None:
    missing = [name for name, version in _installed(section).items() if version == "absent"]
    if not missing:
        return
    if other := _java(section):
        transaction.say(f"{other} serves as {section.name}")
        return
    _finish_interrupted()
    if any(_candidate(name) is None for name in missing):
        process.run("apt-get", *_OPTIONS, "update", timeout=300, limit=process.MUCH)
    # apt takes a name that nobody has for a pattern, and would install whatever matches.
    if nowhere := [name for name in missing if _candidate(name) is None]:
        raise Failed(f"package {', '.join(nowhere)} cannot be had from the host's apt sources. {_REMEDY}")
    before = _all_installed()
    process.run(
        "apt-get",
        *_OPTIONS,
        "install",
        "--yes",
        "--no-install-recommends",
        "--",
        *missing,
        timeout=1800,
        limit=process.MUCH,
    )
    transaction.remember("installed", missing)
    transaction.remember("came along", sorted(_all_installed() - before - set(missing)))
    transaction.say(f"installed {' '.join(missing)}")


def undo(section: Section, transaction: Transaction) -> None:
    """Packages stay unless the document asks for their removal: a program that is no package may use them by now."""
    installed = originals.recalled(transaction.step, "installed")
    if not installed:
        return
    names = " ".join(installed)
    every = sorted(
        _all_installed().intersection(installed + (originals.recalled(transaction.step, "came along") or []))
    )
    if section.fields.get("undo") != "remove":
        transaction.say(f"{names} stays installed; when nothing else uses it: apt-get remove {names}")
    elif needed := _needed_by(every):
        transaction.say(f"{names} stays installed, since {', '.join(needed)} would go with it")
    else:
        process.run("apt-get", *_OPTIONS, "remove", "--yes", "--", *every, timeout=1800, limit=process.MUCH)
        transaction.say(f"removed {names} and what came along with it")


def _needed_by(names: list[str]) -> list[str]:
    """What else apt would remove together with these."""
    lines = process.run("apt-get", "--simulate", "remove", "--", *names, limit=process.MUCH).splitlines()
    return [line.split()[1] for line in lines if line.startswith("Remv ") and line.split()[1] not in names]


_OPTIONS = ("-q", "-o", f"DPkg::Lock::Timeout={_LOCK_WAIT}", "-o", "Dpkg::Options::=--force-confold")


def _installed(section: Section) -> dict[str, str]:
    """Each name's version, or `absent`."""
    names = section.name.split()
    lines = process.attempt(
        "dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\\n", *names
    ).stdout.splitlines()
    versions = {
        name: version for name, status, version in (line.split(" ", 2) for line in lines) if status == "installed"
    }
    return {name: versions.get(name, "absent") for name in names}


def _all_installed() -> set[str]:
    return set(process.run("dpkg-query", "-W", "-f", "${Package}\\n", limit=process.MUCH).split())


def _candidate(name: str) -> str | None:
    lines = process.run("apt-cache", "policy", name).splitlines()
    found = [line.split(":", 1)[1].strip() for line in lines if line.lstrip().startswith("Candidate:")]
    return found[0] if found and found[0] != "(none)" else None


def _finish_interrupted() -> None:
    """A dpkg that was interrupted makes every apt-get fail until it is configured."""
    if process.attempt("dpkg", "--audit").stdout.strip():
        done = process.attempt("dpkg", "--configure", "--pending", "--force-confold", timeout=600)
        if done.returncode:
            raise Failed(
                f"dpkg is half-configured and 'dpkg --configure --pending' fails: {done.stderr.strip()[-1000:]}"
            )


def _problems(section: Section, versions: dict[str, str]) -> list[str]:
    """What certainly cannot be had.

    Looking must not run `apt-get update`, so without lists, or before a source of ours, nothing is certain.
    """
    missing = [name for name, version in versions.items() if version == "absent"]
    if not missing or disk.stat(Path(section.fields.get("source", "/"))) is None:
        return []
    if not process.attempt("apt-get", "indextargets", "--format", "$(SITE)").stdout.strip():
        return [
            f"package {name} cannot be had: apt has no sources. Add a Debian mirror to /etc/apt/sources.list.d"
            for name in missing
        ]
    if not any("_Packages" in name for name in disk.names(LISTS)):
        return []
    return [
        f"package {name} cannot be had from the host's apt sources. {_REMEDY}"
        for name in missing
        if _candidate(name) is None
    ]


@dataclass(frozen=True)
class _Java:
    """A Java by its major release and its program."""

    release: str
    path: Path

    def __str__(self) -> str:
        return f"Java {self.release} at {self.path}"


def _java(section: Section) -> _Java | None:
    """A Java that is no package of ours, but does.

    It is asked with the service user's rights: it may lie where others than root write.
    """
    program = JAVA
    if "java" not in section.fields or disk.stat(program, follow=True) is None:
        return None
    found = re.search(
        r'version "(?:1\.)?(\d{1,4})', process.attempt(str(program), "-version", account=account.service()).stderr
    )
    if not found or int(found[1]) < int(section.fields["java"]):
        return None
    return _Java(found[1], resolved(program, ROOT))
