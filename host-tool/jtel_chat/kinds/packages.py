"""Installs apt packages.

A section is `# packages: NAME …` with `undo` (`remove`: an undo removes what it had installed, unless something else
needs it by then; without it they stay); `java` (major release: /usr/bin/java of that release or a later one serves as
well, wherever it comes from); `source` (the file of an apt source that comes with the document).
"""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from ..access import account, disk
from ..access.account import ROOT
from ..access.place import resolved
from ..documents import declaration
from ..documents.declaration import NUMBER, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..engine import originals
from ..engine.transaction import Transaction
from ..errors import Failed
from ..programs import process

#: A word that apt can only take for a package's name: `NAME-` would remove it; `NAME+`, `NAME/RELEASE`, `NAME=1`, `-o`
#: and `NAME*` mean more, too (apt-get(8)).
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
_JVMS = Path("/usr/lib/jvm")
JAVA = Path("/usr/bin/java")  # what the vendor's unit starts
_LOCK_WAIT = 120.0  # seconds that another apt is waited for; apt names it
_LOCK_TICK = 1.0


def observe(section: Section) -> Observed:
    versions = _installed(section)
    if "absent" in versions.values() and (other := _java(section)):
        return Observed(state={"java": str(other)}, loaded={"java": str(other)})
    # The version is the system's: a security update is no drift, and owes a restart to who has loaded another one.
    return Observed(
        state={
            f"package:{name}": version if version == "absent" else "installed" for name, version in versions.items()
        },
        loaded={f"package:{name}": version for name, version in versions.items()},
        problems=[*_problems(section, versions), *_started_problems(section, versions)],
    )


def due(section: Section) -> dict[str, str]:
    missing = _missing(section)
    return {} if not missing or _java(section) else dict.fromkeys(missing, "installed")


def apply(section: Section, transaction: Transaction) -> None:
    missing = _missing(section)
    if not missing:
        return
    if other := _java(section):
        transaction.say(f"{other} serves as {section.name}")
        return
    _finish_interrupted()
    broken = _update() if _nowhere(missing) else ""
    # apt takes a name that nobody has for a pattern, and would install whatever matches.
    if nowhere := _nowhere(missing):
        why = f" (apt-get update: {broken})" if broken else ""
        raise Failed("; ".join(_cannot_be_had(section, name, why) for name in nowhere))
    before = _all_installed()
    if said := _install(missing):
        # Old lists name versions that the mirror no longer has.
        broken = broken or _update()
        if said := _install(missing):
            raise Failed(f"apt-get cannot install {' '.join(missing)}: {said}")
    if broken:
        transaction.say(f"warning: a source of this host is broken, and was not needed: {broken}")
    transaction.remember(f"installed {section.name}", missing)
    transaction.remember(f"came along {section.name}", sorted(_all_installed() - before - set(missing)))
    transaction.say(f"installed {' '.join(missing)}")


def _nowhere(names: list[str]) -> list[str]:
    return [name for name in names if _candidate(name) is None]


def _update() -> str:
    """Reads the package lists anew; returns what apt complains of, which need not concern what is wanted."""
    done = _apt_get("update", timeout=300)
    return _complaint(done.stdout, done.stderr) if done.returncode else ""


def _install(names: list[str]) -> str:
    """Installs packages; returns what apt complains of, nothing where it has installed them."""
    done = _apt_get("install", "--yes", "--no-install-recommends", "--", *names, timeout=1800)
    return _complaint(done.stdout, done.stderr) if done.returncode else ""


def _apt_get(*arguments: str, timeout: float) -> subprocess.CompletedProcess[str]:
    """Runs apt-get. It waits for dpkg's lock itself; for those of its lists and archives it is called again."""
    until = time.monotonic() + _LOCK_WAIT
    while True:
        done = process.attempt("apt-get", *_OPTIONS, *arguments, timeout=timeout, limit=process.MUCH)
        if not done.returncode or "Could not get lock" not in done.stderr or time.monotonic() > until:
            return done
        time.sleep(_LOCK_TICK)


def _complaint(stdout: str, stderr: str) -> str:
    """Picks the lines that name a cause (`E: …`, `Err:3 …`), or the last of the others where there is none."""
    lines = [line.strip() for line in [*stderr.splitlines(), *stdout.splitlines()] if line.strip()]
    causes = [line for line in lines if re.match(r"E: |Err:\d", line)]
    return "; ".join(dict.fromkeys(causes or lines[-3:]))[:1000] or "it says nothing"


def undo(section: Section, transaction: Transaction) -> None:
    """Removes packages only if the document asks for it: a program that is no package may use them by now.

    What another package has replaced in the document goes with the undo of the step, not before: the running service
    may have it open, and has not been started with the other one yet.
    """
    there = _all_installed()
    installed = [name for name in _recalled(transaction.step, "installed") if name in there]
    if not installed:
        return
    names = " ".join(installed)
    every = sorted(there.intersection(installed + _recalled(transaction.step, "came along")))
    if not transaction.undoes and section.fields.get("undo") == "remove":
        transaction.say(f"{names} stays installed until the step {transaction.step} is taken back")
    elif section.fields.get("undo") != "remove":
        transaction.say(f"{names} stays installed; when nothing else uses it: apt-get remove {names}")
    elif needed := _needed_by(every):
        transaction.say(f"{names} stays installed, since {', '.join(needed)} would go with it")
    else:
        done = _apt_get("remove", "--yes", "--", *every, timeout=1800)
        if done.returncode:
            raise Failed(f"apt-get cannot remove {' '.join(every)}: {_complaint(done.stdout, done.stderr)}")
        transaction.say(f"removed {names} and what came along with it")


def _recalled(step: str, fact: str) -> list[str]:
    """Lists the packages of a fact, of all sections that the step has had; versions before 2026-12 kept one fact."""
    return list(dict.fromkeys(name for names in originals.recalled_all(step, fact) for name in names))


def _needed_by(names: list[str]) -> list[str]:
    """Lists what else apt would remove together with these."""
    lines = process.run("apt-get", "--simulate", "remove", "--", *names, limit=process.MUCH).splitlines()
    return [line.split()[1] for line in lines if line.startswith("Remv ") and line.split()[1] not in names]


_OPTIONS = ("-q", "-o", f"DPkg::Lock::Timeout={_LOCK_WAIT:.0f}", "-o", "Dpkg::Options::=--force-confold")


def _missing(section: Section) -> list[str]:
    return [name for name, version in _installed(section).items() if version == "absent"]


def _installed(section: Section) -> dict[str, str]:
    """Finds each name's version, or `absent`."""
    names = section.name.split()
    lines = process.attempt(
        "dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\\n", *names
    ).stdout.splitlines()
    versions = {
        name: version for name, status, version in (line.split(" ", 2) for line in lines) if status == "installed"
    }
    return {name: versions.get(name, "absent") for name in names}


def _all_installed() -> set[str]:
    """Lists what is installed; not what was removed and has left its configuration."""
    lines = process.run("dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\\n", limit=process.MUCH).splitlines()
    return {name for status, name in map(str.split, lines) if status == "installed"}


def _candidate(name: str) -> str | None:
    lines = process.run("apt-cache", "policy", name).splitlines()
    found = [line.split(":", 1)[1].strip() for line in lines if line.lstrip().startswith("Candidate:")]
    return found[0] if found and found[0] != "(none)" else None


def _finish_interrupted() -> None:
    """Configures what an interrupted dpkg has left: until then every apt-get fails.

    What another apt has not configured yet looks the same. Unlike apt-get, dpkg does not wait for its lock.
    """
    until = time.monotonic() + _LOCK_WAIT
    while process.attempt("dpkg", "--audit").stdout.strip():
        done = process.attempt("dpkg", "--configure", "--pending", "--force-confold", timeout=600)
        if not done.returncode:
            return
        said = done.stderr.strip()[-1000:]
        if "locked by another process" not in said:
            raise Failed(f"dpkg is half-configured and 'dpkg --configure --pending' fails: {said}")
        if time.monotonic() > until:
            raise Failed(
                f"dpkg was not free within {_LOCK_WAIT:.0f} s: {said.splitlines()[0]}. Let that process end, or end it,"
                " then repeat"
            )
        time.sleep(_LOCK_TICK)


def _problems(section: Section, versions: dict[str, str]) -> list[str]:
    """Says what certainly cannot be had.

    Looking must not run `apt-get update`, so without lists, or before a source of ours, nothing is certain.
    """
    missing = [name for name, version in versions.items() if version == "absent"]
    if not missing or disk.stat(Path(section.fields.get("source", "/"))) is None:
        return []
    if not any("_Packages" in name for name in disk.names(LISTS)):
        return []  # a fresh cloud image has none; an apply reads them first
    if not process.attempt("apt-get", "indextargets", "--format", "$(SITE)").stdout.strip():
        return [
            f"package {name} cannot be had: apt has no sources. Add a Debian mirror to /etc/apt/sources.list.d"
            for name in missing
        ]
    return [_cannot_be_had(section, name) for name in _nowhere(missing)]


def _cannot_be_had(section: Section, name: str, why: str = "") -> str:
    """Says that no source has a package, and what else would serve: Debian 13 has Java 21 and 25, and no 17."""
    text = f"package {name} cannot be had from the host's apt sources{why}"
    own = f"a source of your own that has {name}: java.aptSource and java.aptKey"
    offered = _offered()
    if not offered:
        return f"{text}. Correct java.package, or name {own}"
    wanted = int(section.fields.get("java", "0"))
    release = next((each for each in offered if each >= wanted), offered[-1])
    there = " and ".join(f"Java {each}" for each in offered)
    other = f"java: {{ package: openjdk-{release}-jdk, version: {release} }}"
    return f"{text}, which have {there}. Name one of these, {other}, or {own}"


def _offered() -> list[int]:
    """Lists the releases of Java that the host's own sources have, the oldest first."""
    names = process.attempt("apt-cache", "pkgnames", "openjdk-", limit=process.MUCH).stdout.split()
    releases = sorted(int(found[1]) for name in names if (found := re.fullmatch(r"openjdk-(\d{1,4})-jdk", name)))
    return [release for release in releases if _candidate(f"openjdk-{release}-jdk")]


def _started_problems(section: Section, versions: dict[str, str]) -> list[str]:
    """Says that the unit starts no Java, or an older one than the wanted: alternatives may lead anywhere."""
    if "java" not in section.fields or "absent" in versions.values():
        return []
    release = _release_of(JAVA)
    if (release is not None and release >= int(section.fields["java"])) or not _is_started():
        return []
    return [
        f"{section.name} is installed, but {JAVA} {_state_of_java(release)}, which is what the service starts."
        " Choose the other one: update-alternatives --config java"
    ]


def _state_of_java(release: int | None) -> str:
    if disk.stat(JAVA, follow=True) is None:
        return "is missing" if disk.link_target(JAVA) is None else "is a link that leads nowhere"
    target = resolved(JAVA, ROOT)
    return f"does not start ({target})" if release is None else f"is Java {release} ({target})"


def _is_started() -> bool:
    """Tells whether the service starts /usr/bin/java; as long as there is no unit, the vendor's would."""
    asked = ("systemctl", "show", "--value", "--property=ExecStart", declaration.UNIT)
    started = re.search(r"path=(\S+)", process.ask(*asked).stdout)
    return started is None or started[1] == str(JAVA)


class _Java(NamedTuple):
    """A Java by its major release and its program."""

    release: str
    path: Path

    def __str__(self) -> str:
        return f"Java {self.release} at {self.path}"


def _java(section: Section) -> _Java | None:
    """Finds a Java that is no package of ours, but serves.

    It is asked with the service user's rights: it may lie where others than root write.
    """
    if "java" not in section.fields:
        return None
    release = _release_of(JAVA)
    if release is None or release < int(section.fields["java"]):
        return None
    return _Java(str(release), resolved(JAVA, ROOT))


def _release_of(program: Path) -> int | None:
    """Asks a Java for its major release, with the service user's rights; None where it is none, or does not start."""
    if disk.stat(program, follow=True) is None:
        return None
    home = resolved(program, ROOT).parents[1]
    if home.is_relative_to(_JVMS):  # Debian's: asking the program itself takes a tenth of a second of each look
        found = re.search(r'(?m)^JAVA_VERSION="(?:1\.)?(\d{1,4})', disk.text_or("", home / "release"))
        if found:
            return int(found[1])
    said = process.attempt(str(program), "-version", account=account.service()).stderr
    found = re.search(r'version "(?:1\.)?(\d{1,4})', said)
    return int(found[1]) if found else None
