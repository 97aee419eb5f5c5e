"""`# packages: NAME …` – apt packages that have to be installed.

Field: `undo` (`remove`: an undo removes what it had installed, unless something else needs it by then; without it they stay).
"""

from __future__ import annotations

from . import originals, process
from .document import Section
from .errors import Failed
from .kind import Observed
from .transaction import Transaction

_LOCK_WAIT = 120  # seconds that apt waits for another apt; it names the holder itself


def observe(section: Section) -> Observed:
    versions = _installed(section)
    return Observed(state={f"package {name}": version for name, version in versions.items()}, loaded=versions, problems=_problems(versions))


def apply(section: Section, transaction: Transaction) -> None:
    missing = [name for name, version in _installed(section).items() if version == "absent"]
    if not missing:
        return
    _finish_interrupted()
    if any(_candidate(name) is None for name in missing):
        process.run("apt-get", *_OPTIONS, "update", timeout=300)
    before = _all_installed()
    process.run("apt-get", *_OPTIONS, "install", "--yes", "--no-install-recommends", *missing, timeout=1800)
    transaction.remember("installed", missing)
    transaction.remember("came along", sorted(_all_installed() - before - set(missing)))
    transaction.say(f"installed {' '.join(missing)}")


def undo(section: Section, transaction: Transaction) -> None:
    """Packages stay unless the document asks for their removal: a program that is no package may use them by now."""
    installed = originals.recalled(transaction.step, "installed")
    if not installed:
        return
    names = " ".join(installed)
    every = sorted(_all_installed().intersection(installed + (originals.recalled(transaction.step, "came along") or [])))
    if section.fields.get("undo") != "remove":
        transaction.say(f"{names} stays installed; when nothing else uses it: apt-get remove {names}")
    elif needed := _needed_by(every):
        transaction.say(f"{names} stays installed, since {', '.join(needed)} would go with it")
    else:
        process.run("apt-get", *_OPTIONS, "remove", "--yes", *every, timeout=1800)
        transaction.say(f"removed {names} and what came along with it")


def _needed_by(names: list[str]) -> list[str]:
    """What else apt would remove together with these."""
    lines = process.run("apt-get", "--simulate", "remove", *names).splitlines()
    return [line.split()[1] for line in lines if line.startswith("Remv ") and line.split()[1] not in names]


_OPTIONS = ("-q", "-o", f"DPkg::Lock::Timeout={_LOCK_WAIT}", "-o", "Dpkg::Options::=--force-confold")


def _installed(section: Section) -> dict[str, str]:
    """Each name's version, or `absent`."""
    names = section.name.split()
    lines = process.attempt("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\\n", *names).stdout.splitlines()
    versions = {name: version for name, status, version in (line.split(" ", 2) for line in lines) if status == "installed"}
    return {name: versions.get(name, "absent") for name in names}


def _all_installed() -> set[str]:
    return set(process.run("dpkg-query", "-W", "-f", "${Package}\\n").split())


def _candidate(name: str) -> str | None:
    lines = process.run("apt-cache", "policy", name).splitlines()
    found = [line.split(":", 1)[1].strip() for line in lines if line.lstrip().startswith("Candidate:")]
    return found[0] if found and found[0] != "(none)" else None


def _finish_interrupted() -> None:
    """A dpkg that was interrupted makes every apt-get fail until it is configured."""
    if process.attempt("dpkg", "--audit").stdout.strip():
        done = process.attempt("dpkg", "--configure", "--pending", "--force-confold", timeout=600)
        if done.returncode:
            raise Failed(f"dpkg is half-configured and 'dpkg --configure --pending' fails: {done.stderr.strip()[-1000:]}")


def _problems(versions: dict[str, str]) -> list[str]:
    """A package without a candidate is only certain to be missing after `apt-get update`, which looking must not run."""
    missing = [name for name, version in versions.items() if version == "absent"]
    sources = process.attempt("apt-get", "indextargets", "--format", "$(SITE)").stdout.strip() if missing else ""
    return [f"package {name} cannot be had: apt has no sources. Add a Debian mirror to /etc/apt/sources.list.d" for name in missing if not sources]
