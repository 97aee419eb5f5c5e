"""Keeps our sections and portal rules in the customer's HAProxy configuration, loaded, running and effective.

A section is `# haproxy: /etc/haproxy/haproxy.cfg` with the fields `sections` (block: global with `setenv CFGREV`,
frontends, backend), `portal` (the frontend that gets the rules), `rules` (block), `certificate` (PEM, or directory of
them, that the frontend needs), `public` (the name that visitors use), `portal-name` (the name that TynTec uses) and
`redundant` (set where the stack has several load balancers: it matters which is active).
"""

from __future__ import annotations

import re
import stat
from pathlib import Path

from ..access import account, digests, disk
from ..access.place import resolved
from ..documents.declaration import HOST, PATH, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..engine import observing
from ..engine.transaction import Transaction
from ..errors import Ended, Failed, Refused
from ..haproxy.file import edit, listening, sections
from ..haproxy.file.listening import Bind
from ..haproxy.process import check, instance, obstacles
from ..haproxy.process.instance import Running
from ..haproxy.process.invocation import Start
from ..programs import process

DECLARATION = Declaration(
    names=r"/etc/haproxy/haproxy\.cfg",
    fields={
        "sections": Field("", "text", required=True),
        "portal": Field(r"[A-Za-z0-9_.:-]+"),
        "rules": Field("", "lines"),
        "certificate": Field(PATH),
        "public": Field(HOST),
        "portal-name": Field(HOST),
        "redundant": Field("yes"),
    },
)

_HERE = "localhost"  # what a probe calls this host when the document does not name it
_UNKNOWN_WINNER = (
    "another rule of '{}' wins{}. Redirects and http-request rules run before any use_backend: except these paths there"
)
_MISSING = "{} is missing: HAProxy is not installed. Install the load balancer role first"
_LOADED, _CURRENT, _SERVED = "loaded:haproxy", "current", "served"
# What the values of the state mean, for the line that says why HAProxy was reloaded.
_RUNS = {
    "nothing": "it did not run",
    "unknown": "nobody could ask what it runs",
    "other": "it ran another configuration",
}
_CERTIFICATE = {
    "unknown": "could not be asked for",
    "changed": "has changed since HAProxy loaded it",
    _SERVED: "is served",
}


def observe(section: Section) -> Observed:
    path = Path(section.name)
    if not disk.is_file(path, follow=True):
        return Observed(state={f"blocks:{path}": "absent"}, problems=[_MISSING.format(path)])
    config = disk.read(path)
    return _observed(section, config, instance.look(path, config))


def _observed(section: Section, config: bytes, running: Running) -> Observed:
    path = Path(section.name)
    ours = b"".join(edit.blocks(config))
    state = {f"blocks:{path}": digests.short(ours) if ours else "absent", _LOADED: _loaded(config, running)}
    seen = Observed(state=state, text={f"blocks:{path}": edit.shown(config)})
    _look_at_certificate(section, running, seen)
    _look_at_edit(section, config, running, seen)
    _look_around(section, running, seen)
    return seen


def apply(section: Section, transaction: Transaction) -> None:
    path = Path(section.name)
    sections.check(section)
    if not disk.is_file(path, follow=True):
        raise Refused(_MISSING.format(path))
    before = disk.read(path)
    running = instance.look(path, before)
    seen = _observed(section, before, running)
    if seen.problems:
        raise Refused("; ".join(seen.problems))
    after = _edited(section, before, running)
    if owed := _owed(section, before, after, seen):
        _load(section, after, running, transaction)
        transaction.say(f"reloaded HAProxy, which runs this configuration now: {owed}")
    _probe_chat(section, transaction)
    for warning in seen.warnings:
        transaction.say(f"warning: {warning}")


def undo(section: Section, transaction: Transaction) -> None:
    """Takes our blocks out; everything else stays, also what was edited since."""
    path = Path(section.name)
    if not disk.is_file(path, follow=True) or not edit.blocks(disk.read(path)):
        return
    before = disk.read(path)
    after = edit.remove(before)
    running = instance.look(path, before)
    check.check(path, after, running.start)
    if problems := obstacles.of_global(running.start.whole(path, after)):
        raise Refused(f"{path}: {'; '.join(problems)}")
    _write(section, after, transaction)
    if running.main:
        instance.reload(path, after, None)
    transaction.say(f"removed our blocks from {path}")


def load_again(section: Section) -> str:
    """Reloads HAProxy with the file that a rollback has put back, and says what runs then.

    Does not reload where the main process has refused our file and goes on with the one before: every reload that fails
    leaves all frontends out of reach for two seconds.
    """
    path = Path(section.name)
    config = disk.read(path)
    running = instance.look(path, config)
    if running.main and running.failed:
        return "HAProxy has gone on with what it had loaded before."
    process.attempt(
        "systemctl", "reset-failed", instance.UNIT
    )  # a main process that could not start has used up its tries
    try:
        instance.reload(path, config, edit.revision(config))
    except Ended:
        raise
    except Failed as failure:
        now = instance.look(path, config)
        if now.main == running.main and now.main:
            return (
                f"HAProxy goes on with what it had loaded before: {path} does not load as it was either. Repair it,"
                f" then reload HAProxy. {failure}"
            )
        if not _starts_again(now, config):
            return (
                f"HAProxy DOES NOT RUN: {path} does not load as it was either. Repair it, then start HAProxy. {failure}"
            )
    return f"HAProxy runs {path} again as it was."


def _starts_again(now: Running, config: bytes) -> bool:
    """The main process was one of systemd's tries with what the one before has died of.

    The next may have read the file that is back.
    """
    if now.main and now.answers and now.revision == edit.revision(config):
        return True
    process.attempt("systemctl", "reset-failed", instance.UNIT)
    return process.attempt("systemctl", "restart", instance.UNIT).returncode == 0


def _loaded(config: bytes, running: Running) -> str:
    if not running.main:
        return "nothing"
    if not running.answers:
        return "unknown"
    return _CURRENT if running.revision and running.revision == edit.revision(config) else "other"


def _owed(section: Section, before: bytes, after: bytes, seen: Observed) -> str:
    """Why HAProxy has to be reloaded; empty when it has not."""
    if after != before:
        return f"our blocks in {section.name} have changed"
    reasons = [] if seen.state[_LOADED] == _CURRENT else [_RUNS[seen.state[_LOADED]]]
    certificates = {
        item.partition(":")[2]: value for item, value in seen.state.items() if item.startswith("certificate:")
    }
    return "; ".join(
        [
            *reasons,
            *(
                f"the certificate {path} {_CERTIFICATE[value]}"
                for path, value in certificates.items()
                if value != _SERVED
            ),
        ]
    )


def _look_at_certificate(section: Section, running: Running, seen: Observed) -> None:
    if "certificate" not in section.fields:
        return
    from ..haproxy.process import certificate

    path = Path(section.text("certificate"))
    verdict = certificate.look(path, section.fields.get("public"))
    seen.problems += [verdict.problem] if verdict.problem else []
    seen.warnings += [verdict.warning] if verdict.warning else []
    if verdict.days is not None:
        seen.facts[f"days:{path}"] = str(verdict.days)
    changed = certificate.changed_since_loaded(path, running)
    seen.state[f"certificate:{path}"] = {None: "unknown", True: "changed", False: _SERVED}[changed]


def _look_at_edit(section: Section, config: bytes, running: Running, seen: Observed) -> None:
    """What the edit, HAProxy's checker on its result, and a reload would say.

    Only a result that is new is worth the checker's time.
    """
    if refused := sections.problems(section):
        seen.problems += refused
        return
    path = Path(section.name)
    elsewhere = obstacles.of_start(path, running)
    try:
        after = _edited(section, config, running)
        ours, theirs = _binds(section, after, running)
        in_the_way = [
            *elsewhere,
            *obstacles.of_global(running.start.whole(path, after)),
            *obstacles.of_binds(ours, theirs, running),
        ]
        # Where no reload is owed they wait for the next one, perhaps the customer's own.
        (seen.problems if _owed(section, config, after, seen) else seen.warnings).extend(
            f"{path}: {obstacle}" for obstacle in in_the_way
        )
        if after != config:
            seen.problems += [
                f"{path}: {reason}"
                for reason in (
                    *_shadowing(section, after, running.start),
                    *obstacles.of_defaults(path, after, running.start),
                )
            ]
            seen.warnings += [f"{path}: {adoption}" for adoption in _newly_adopted(config, after)]
        if after != config and not seen.problems:
            seen.warnings += check.check(path, after, running.start)
    except Refused as refusal:
        where = "" if elsewhere else obstacles.portal_elsewhere(path, section.fields.get("portal", ""), running.start)
        seen.problems += [f"{path}: {obstacle}" for obstacle in elsewhere] or [f"{path}: {refusal}{where}"]


def _shadowing(section: Section, config: bytes, start: Start) -> list[str]:
    """Why our rules in the portal would not be reached, as far as the text decides it."""
    if not section.lines("rules"):
        return []
    from ..haproxy.file import shadowing

    return shadowing.shadowing(config, section.fields.get("portal", ""), start.above(Path(section.name)))


def _winner(section: Section, config: bytes, path: str, start: Start) -> str:
    """What takes a request for `path` from our rules, or may."""
    from ..haproxy.file import shadowing

    portal = section.fields.get("portal", "")
    suspects = shadowing.suspects(config, portal, path, start.above(Path(section.name)))
    perhaps = f", perhaps {' or '.join(suspects)}" if suspects else ""
    return "; ".join(_shadowing(section, config, start)) or _UNKNOWN_WINNER.format(portal, perhaps)


def _newly_adopted(before: bytes, after: bytes) -> list[str]:
    """What somebody has pasted there by hand, which our blocks take the place of."""
    return [line for line in edit.adopted(after) if line not in edit.adopted(before)]


def _look_around(section: Section, running: Running, seen: Observed) -> None:
    if running.main and not running.master:
        seen.warnings.append(instance.NO_MASTER_SOCKET)
    if "redundant" in section.fields and observing.is_looking():
        seen.active = _is_active(section)


def _is_active(section: Section) -> bool:
    """Tells whether visitors' connections reach this load balancer now, as far as an address shows it."""
    from ..net import addresses

    named = {
        each for each in addresses.resolved(section.fields.get("public", _HERE)) if not addresses.is_loopback(each)
    }
    virtual = addresses.virtual()
    # Of several virtual addresses, that of visitors decides. Behind an address translation their name leads to none of
    # these.
    return not addresses.own().isdisjoint((named & virtual) or (named | virtual))


def _edited(section: Section, config: bytes, running: Running) -> bytes:
    return edit.edit(
        config,
        sections=section.text("sections").encode(),
        portal=section.fields.get("portal", ""),
        rules=section.lines("rules"),
        above=running.start.above(Path(section.name)),
    )


def _binds(section: Section, config: bytes, running: Running) -> tuple[list[Bind], list[Bind]]:
    """Where our sections listen, and where the customer's do, in this file and those that are loaded beside it."""
    ours = listening.binds(section.text("sections").encode())
    names = {bind.section for bind in ours}
    whole = running.start.whole(Path(section.name), config)
    return ours, [bind for bind in listening.binds(whole) if bind.section not in names]


def _load(section: Section, after: bytes, running: Running, transaction: Transaction) -> None:
    """Write, reload, and prove on the running process what the reload was for – and that the portal goes on."""
    from ..haproxy.process import probe

    # Of the result: what was ours under another name, or pasted by hand and is taken over, need not answer any more.
    path, name = Path(section.name), section.fields.get("public", _HERE)
    theirs = _binds(section, after, running)[1]
    answered = probe.statuses(theirs, name)
    for adoption in _newly_adopted(disk.read(path), after):
        transaction.say(adoption)
    _write(section, after, transaction)
    instance.reload(path, after, edit.revision(after))
    probe.as_before(answered, name)
    _prove_rules(section, after, theirs, running.start, transaction)


def _write(section: Section, config: bytes, transaction: Transaction) -> None:
    path = resolved(Path(section.name), account.ROOT)  # a link stays one
    found = disk.stat(path)
    if found is None:
        raise Refused(_MISSING.format(path))
    transaction.load_on_rollback(section)
    if transaction.write(path, config, stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid), keep=False):
        transaction.say(f"wrote our blocks in {path}")


def _probe_chat(section: Section, transaction: Transaction) -> None:
    from ..haproxy.process import probe

    for bind in listening.binds(section.text("sections").encode()):
        transaction.say(probe.chat(bind, section.fields.get("public", _HERE)))


def _prove_rules(section: Section, config: bytes, theirs: list[Bind], start: Start, transaction: Transaction) -> None:
    """A request to each path of the rules, as TynTec sends it, has to end in our backend."""
    from ..haproxy.process import probe

    rules, portal = section.fields.get("rules", ""), section.fields.get("portal", "")
    paths, backend = re.findall(r"(?m)^acl \S+ path (\S+)", rules), re.search(r"(?m)^use_backend (\S+)", rules)
    if not backend:
        return
    binds = sorted(
        (bind for bind in theirs if bind.section in (f"frontend {portal}", f"listen {portal}")),
        key=lambda bind: not bind.tls,
    )
    if not binds:
        transaction.say(f"warning: {' and '.join(paths)} are not proven to reach chat: '{portal}' binds no TCP address")
        return
    revision = edit.revision(config) or ""
    for path in paths:
        if problem := probe.reaches(binds[0], section.fields.get("portal-name", _HERE), path, backend[1], revision):
            raise Failed(f"{problem}: {_winner(section, config, path, start)}")
    transaction.say(f"{' and '.join(paths)} on {binds[0]} reach {backend[1]}")
