"""`# packages: NAME …` – apt packages that have to be installed."""

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
    transaction.remember("installed", missing)
    process.run("apt-get", *_OPTIONS, "install", "--yes", "--no-install-recommends", *missing, timeout=1800)
    transaction.say(f"installed {' '.join(missing)}")


def undo(section: Section, transaction: Transaction) -> None:
    """Packages stay: something else may use them by now. Only a person can know."""
    if installed := originals.recalled(transaction.step, "installed"):
        transaction.say(f"{' '.join(installed)} stays installed; when nothing else uses it: apt-get remove {' '.join(installed)}")


_OPTIONS = ("-q", "-o", f"DPkg::Lock::Timeout={_LOCK_WAIT}", "-o", "Dpkg::Options::=--force-confold")


def _installed(section: Section) -> dict[str, str]:
    return {name: _version(name) for name in section.name.split()}


def _version(name: str) -> str:
    done = process.attempt("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name)
    status, _, version = done.stdout.partition(" ")
    return version if done.returncode == 0 and status == "installed" else "absent"


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
