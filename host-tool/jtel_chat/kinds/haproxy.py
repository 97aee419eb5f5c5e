"""Keeps our sections and portal rules in the customer's HAProxy configuration, loaded, running and effective.

A section is `# haproxy: /etc/haproxy/haproxy.cfg` with the fields `sections` (block: global with `setenv CFGREV`,
frontends, backend), `portal` (the frontend that gets the rules), `rules` (block), `certificate` (PEM, or directory of
them, that the frontend needs), `public` (the name that visitors use), `portal-name` (the name that TynTec uses) and
`redundant` (set where the stack has several load balancers: it matters which is active).
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from ..access import account, digests, disk, writable
from ..access.place import resolved
from ..documents.declaration import HOST, PATH, Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..engine import observing
from ..engine.transaction import Transaction
from ..errors import Ended, Failed, Refused
from ..haproxy.file import edit, listening, sections
from ..haproxy.file.configuration import Configuration
from ..haproxy.file.listening import Bind
from ..haproxy.process import check, instance, loaded, obstacles
from ..haproxy.process.instance import Running
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

_BACKEND = "backend_chat_ws"
_HERE = "localhost"  # what a probe calls this host when the document does not name it
_UNKNOWN_WINNER = (
    "another rule of '{}' wins{}. Redirects and http-request rules run before any use_backend: except these paths there"
)
_UNPROVEN = (
    "HAProxy has loaded the rules, and it is not proven from this host that {} reach {}: {}. Send TynTec's test message"
    " to see it"
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
    return _observed(section, _ours(section), instance.look(_read(path)))[0]


def _observed(section: Section, ours: Configuration, running: Running) -> tuple[Observed, Configuration]:
    """Looks at everything. The second value is the file as the edit leaves it, which may be the file as it is."""
    config = running.configuration
    blocks = b"".join(edit.blocks(config))
    state = {f"blocks:{config.path}": digests.short(blocks) if blocks else "absent", _LOADED: _loaded(running)}
    seen = Observed(state=state, text={f"blocks:{config.path}": partial(edit.shown, config)})
    edited = _look_at_edit(section, ours, running, seen)
    _look_around(section, running, seen)
    return seen, edited


def due(section: Section) -> dict[str, str]:
    path = Path(section.name)
    running = instance.look(_read(path))
    config = running.configuration
    rules = section.lines("rules")
    if edit.edit(config, _ours(section), portal=section.fields.get("portal", ""), rules=rules) == config:
        return {}
    return {str(path): "our blocks written"} | ({} if running.off else {instance.UNIT: "reloaded"})


def apply(section: Section, transaction: Transaction) -> None:
    path = Path(section.name)
    sections.check(section)
    if not disk.is_file(path, follow=True):
        raise Refused(_MISSING.format(path))
    ours, running = _ours(section), instance.look(_read(path))
    seen, after = _observed(section, ours, running)
    if seen.problems:
        raise Refused("; ".join(seen.problems))
    if running.off:
        _store(section, running, after, transaction)
    elif owed := _owed(running.configuration, after, seen):
        _load(section, ours, running, after, transaction)
        transaction.say(f"reloaded HAProxy, which runs this configuration now: {owed}")
    elif not loaded.unloaded(running):
        loaded.keep(running)
    if not running.off:
        _probe_chat(section, ours, transaction)
    for warning in seen.warnings:
        transaction.say(f"warning: {warning}")


def undo(section: Section, transaction: Transaction) -> None:
    """Takes our blocks out; everything else stays, also what was edited since."""
    path = Path(section.name)
    if not disk.is_file(path, follow=True) or not (file := _read(path)).blocks:
        return
    running = instance.look(file)
    after = edit.remove(running.configuration)
    check.check(after, running.start, running.configuration)
    in_the_way = [f"{path}: {problem}" for problem in obstacles.of_global(after)]
    if problems := [*in_the_way, *loaded.unloaded(running), *_unwritable(after)]:
        raise Refused("; ".join(problems))
    _write(section, running, after, transaction)
    if running.main:
        instance.reload(after)
    loaded.forget()
    transaction.say(f"removed our blocks from {path}")


def load_again(section: Section) -> str:
    """Reloads HAProxy with the file that a rollback has put back, and says what runs then.

    Does not reload where the main process has refused our file and goes on with the one before: every reload that fails
    leaves all frontends out of reach for two seconds.
    """
    path = Path(section.name)
    running = instance.look(_read(path))
    if running.main and running.failed:
        return "HAProxy has gone on with what it had loaded before."
    if running.off and instance.is_stopped():
        return "HAProxy is off, and stays so."
    if running.main and loaded.is_edited(running.configuration):
        return (
            f"HAProxy goes on with what it has loaded: somebody has changed {path} since. Look at it, then reload"
            " HAProxy"
        )
    process.attempt(
        "systemctl", "reset-failed", instance.UNIT
    )  # a main process that could not start has used up its tries
    try:
        instance.reload(running.configuration)
    except Ended:
        raise
    except Failed as failure:
        now = instance.look(running.configuration)
        if now.main == running.main and now.main:
            return (
                f"HAProxy goes on with what it had loaded before: {path} does not load as it was either. Repair it,"
                f" then reload HAProxy. {failure}"
            )
        if not _starts_again(now):
            return (
                f"HAProxy DOES NOT RUN: {path} does not load as it was either. Repair it, then start HAProxy. {failure}"
            )
    loaded.keep(instance.look(running.configuration))
    return f"HAProxy runs {path} again as it was."


def _read(path: Path) -> Configuration:
    return Configuration(disk.read(path), path)


def _ours(section: Section) -> Configuration:
    return Configuration(section.text("sections").encode())


def _starts_again(now: Running) -> bool:
    """Restarts HAProxy, and tells whether it runs.

    Where it died, systemd tries to start it, first with the file that it died of; a later try may have read the file
    that is back, and runs already.
    """
    if now.main and now.answers and now.revision == edit.revision(now.configuration):
        return True
    process.attempt("systemctl", "reset-failed", instance.UNIT)
    return process.attempt("systemctl", "restart", instance.UNIT).returncode == 0


def _loaded(running: Running) -> str:
    if running.off:
        return _CURRENT  # whoever starts it, it will be with this file
    if not running.main:
        return "nothing"
    if not running.answers:
        return "unknown"
    return _CURRENT if running.revision and running.revision == edit.revision(running.configuration) else "other"


def _owed(before: Configuration, after: Configuration, seen: Observed) -> str:
    """Says why HAProxy has to be reloaded; empty when it has not."""
    if after != before:
        return f"our blocks in {before.path} have changed"
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


def _look_at_certificate(section: Section, running: Running, seen: Observed) -> list[str]:
    """Notes its state and what it warns of; lists why it does not serve."""
    if "certificate" not in section.fields:
        return []
    from ..haproxy.process import certificate

    path = Path(section.text("certificate"))
    verdict = certificate.look(path, section.fields.get("public"), certificate.lookup(running.configuration))
    seen.warnings += [verdict.warning] if verdict.warning else []
    if verdict.days is not None:
        seen.facts[f"days:{path}"] = str(verdict.days)
    changed = False if running.off else certificate.changed_since_loaded(path, running)
    seen.state[f"certificate:{path}"] = {None: "unknown", True: "changed", False: _SERVED}[changed]
    return [verdict.problem] if verdict.problem else []


def _look_at_edit(section: Section, ours: Configuration, running: Running, seen: Observed) -> Configuration:
    """Notes what the edit, HAProxy's checker on its result, and a reload would say.

    Returns the file as the edit leaves it, which may be the file as it is; so it is, too, where the edit is refused.
    Only a result that is new is worth the checker's time.
    """
    config, portal = running.configuration, section.fields.get("portal", "")
    unserved = _look_at_certificate(section, running, seen)
    if refused := sections.problems(section):
        seen.problems += [*unserved, *refused]
        return config
    path = config.path
    elsewhere = obstacles.of_start(running)
    after = config
    try:
        after = edit.edit(config, ours, portal=portal, rules=section.lines("rules"))
        seen.warnings += [f"{path}: {line}" for line in edit.unheeded(config)]
        numbered = after.numbered_as(config)
        stops = _owed(config, after, seen) and not running.off
        in_the_way = [
            *elsewhere,
            *obstacles.of_global(after),
            *obstacles.of_binds(listening.binds(ours.sections), _theirs(ours, listening.certain_binds(after)), running),
            *(listening.unprovable(numbered, portal) if section.lines("rules") else ()),
        ]
        # Where no reload is owed, these problems wait for the next one, perhaps the customer's own.
        (seen.problems if stops else seen.warnings).extend(
            [*unserved, *loaded.unloaded(running), *(f"{path}: {obstacle}" for obstacle in in_the_way)]
        )
        if after != config:
            reasons = (*_shadowing(section, numbered), *obstacles.of_defaults(after))
            seen.problems += [f"{path}: {reason}" for reason in reasons]
            seen.problems += _unwritable(after)
            seen.warnings += [f"{path}: {adoption}" for adoption in _newly_adopted(config, after)]
        if after != config and not seen.problems:
            seen.warnings += check.check(after, running.start, config)
    except Refused as refusal:
        where = "" if elsewhere else obstacles.portal_elsewhere(config, portal)
        found = [f"{path}: {obstacle}" for obstacle in elsewhere] or [f"{path}: {refusal}{where}"]
        seen.problems += [*unserved, *found]
    return after


def _unwritable(config: Configuration) -> list[str]:
    """Says why the file cannot be replaced with this text."""
    return writable.problems(resolved(config.path, account.ROOT), len(config.text))


def _shadowing(section: Section, config: Configuration) -> list[str]:
    """Says why our rules in the portal would not be reached, as far as the text decides it."""
    if not section.lines("rules"):
        return []
    from ..haproxy.file import shadowing

    return shadowing.shadowing(config, section.fields.get("portal", ""))


def _winner(section: Section, config: Configuration, path: str) -> str:
    """Says what takes a request for `path` from our rules, or may."""
    from ..haproxy.file import shadowing

    portal = section.fields.get("portal", "")
    suspects = shadowing.suspects(config, portal, path)
    perhaps = f", perhaps {' or '.join(suspects)}" if suspects else ""
    return "; ".join(_shadowing(section, config)) or _UNKNOWN_WINNER.format(portal, perhaps)


def _newly_adopted(before: Configuration, after: Configuration) -> list[str]:
    """Names what somebody has pasted there by hand, which our blocks take the place of."""
    known = edit.adopted(before)
    return [line for line in edit.adopted(after) if line not in known]


def _look_around(section: Section, running: Running, seen: Observed) -> None:
    if running.main and not running.master:
        seen.warnings.append(instance.NO_MASTER_SOCKET)
    if running.off:
        seen.warnings.append(instance.OFF)
    if running.main and observing.is_looking() and "agent-check" in section.fields.get("sections", ""):
        seen.facts |= {f"admin:{name}": how for name, how in instance.out_of_service(running, _BACKEND).items()}
    if "redundant" in section.fields and observing.is_looking():
        seen.active = _is_active(section)


def _is_active(section: Section) -> bool:
    """Tells whether visitors' connections reach this load balancer now, as far as an address shows it."""
    from ..net import addresses

    named = {
        each for each in addresses.resolved(section.fields.get("public", _HERE)) if not addresses.is_loopback(each)
    }
    virtual = addresses.virtual()
    # Of several virtual addresses, the one that visitors use decides. Behind an address translation their name leads to
    # none of these.
    return not addresses.own().isdisjoint((named & virtual) or (named | virtual))


def _theirs(ours: Configuration, binds: Iterable[Bind]) -> list[Bind]:
    """Takes those of the customer's sections, in this file and those that are loaded beside it."""
    names = {bind.section for bind in listening.binds(ours.sections)}
    return [bind for bind in binds if bind.section not in names]


def _load(
    section: Section, ours: Configuration, running: Running, after: Configuration, transaction: Transaction
) -> None:
    """Writes, reloads, and proves on the running process what the reload was for – and that the portal goes on."""
    from ..haproxy.process import probe

    # Of the result: what was ours under another name, or pasted by hand and is taken over, need not answer any more.
    theirs, name = _theirs(ours, listening.binds(after.all_sections)), section.fields.get("public", _HERE)
    answered = probe.statuses(listening.worth_probing(theirs), name)
    for adoption in _newly_adopted(running.configuration, after):
        transaction.say(adoption)
    _write(section, running, after, transaction)
    instance.reload(after)
    probe.as_before(answered, name)
    _prove_rules(section, after.numbered_as(running.configuration), theirs, transaction)
    loaded.keep(instance.look(after))


def _store(section: Section, running: Running, after: Configuration, transaction: Transaction) -> None:
    """Writes the file for a HAProxy that others start."""
    if after == running.configuration:
        return
    for adoption in _newly_adopted(running.configuration, after):
        transaction.say(adoption)
    _write(section, running, after, transaction)
    if instance.look(after).main:
        raise Failed("somebody has started HAProxy while its configuration was written. Repeat, so that it is proven")


def _write(section: Section, running: Running, config: Configuration, transaction: Transaction) -> None:
    path = resolved(config.path, account.ROOT)  # a link stays one
    found = disk.stat(path)
    if found is None:
        raise Refused(_MISSING.format(path))
    if disk.read(path) != running.configuration.text:  # the checker and the probes take seconds
        raise Refused(
            f"{path} was changed meanwhile, and stays as it is now: what was about to be written was made of its text"
            " before that. Repeat when that edit is finished"
        )
    if not running.off:
        loaded.keep(running)
        transaction.load_on_rollback(section)
    if transaction.write(path, config.text, stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid), keep=False):
        transaction.say(f"wrote our blocks in {path}")


def _probe_chat(section: Section, ours: Configuration, transaction: Transaction) -> None:
    from ..haproxy.process import probe

    for bind in listening.binds(ours.sections):
        transaction.say(probe.chat(bind, section.fields.get("public", _HERE)))


def _prove_rules(section: Section, config: Configuration, theirs: list[Bind], transaction: Transaction) -> None:
    """Sends a request to each path of the rules, as TynTec does, which has to end in our backend.

    Raises Failed when one does not, with what takes it. A rule that looks at the sender may take this request, and none
    of TynTec's: that is said only, as it is where no address of the portal can be asked from here.
    """
    from ..haproxy.process import probe

    rules, portal = section.fields.get("rules", ""), section.fields.get("portal", "")
    paths, backend = re.findall(r"(?m)^acl \S+ path (\S+)", rules), re.search(r"(?m)^use_backend (\S+)", rules)
    if not backend:
        return
    binds = listening.for_proof(theirs, portal)
    reasons = {bind: probe.not_provable(bind) for bind in binds}
    provable = sorted((bind for bind in binds if not reasons[bind]), key=lambda bind: not bind.tls)
    if not provable:
        why = "; ".join(dict.fromkeys(filter(None, reasons.values()))) or f"'{portal}' binds no TCP address"
        transaction.say(f"warning: {_UNPROVEN.format(' and '.join(paths), backend[1], why)}")
        return
    name, revision = section.fields.get("portal-name", _HERE), edit.revision(config) or ""
    problems = {path: probe.reaches(provable[0], name, path, backend[1], revision) for path in paths}
    for path, problem in problems.items():
        if problem:
            why = f"{problem}: {_by_sender(section, config, path, problem)}"
            transaction.say(f"warning: {_UNPROVEN.format(path, backend[1], why)}")
    if reached := [path for path in paths if not problems[path]]:
        transaction.say(f"{' and '.join(reached)} on {provable[0]} reach {backend[1]}")


def _by_sender(section: Section, config: Configuration, path: str, problem: str) -> str:
    """Names the rules that may have kept this host's request from our backend, and let TynTec's pass.

    Raises Failed where there are none.
    """
    from ..haproxy.file import shadowing

    if not (lines := shadowing.choosy(config, section.fields.get("portal", ""), path)):
        raise Failed(f"{problem}: {_winner(section, config, path)}")
    return f"perhaps {' or '.join(lines)} asks who sends it"
