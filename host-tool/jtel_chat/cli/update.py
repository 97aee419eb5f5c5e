"""Installs the share's release on this server and restarts on it: `jtel-chatctl update`, which updatesc.sh calls.

The step with the release is applied again as if its document said `follow`, then the step of the service that loads it.
Both records are written anew under their own generation and reason, so that Pulumi sees no drift.
"""

from __future__ import annotations

from ..documents import kind
from ..documents.document import Section
from ..drain import draining
from ..engine import journal, originals, record, steps
from ..engine.transaction import Transaction
from ..errors import Failed, Refused
from ..kinds import release


def run() -> list[str]:
    """Installs, restarts and waits until the service is healthy; otherwise puts the old release back."""
    installing, running = _step("release"), _step("service")
    return steps.exclusively("update", installing, lambda: _update(installing, running))


def _step(kind_name: str) -> str:
    found = next((name for name in record.names() if _section(name, kind_name)), None)
    if found is None:
        raise Refused("this host has no ClientMessenger that jtel-chatctl has installed. Run pulumi up first")
    return found


def _section(step: str, kind_name: str) -> Section | None:
    return next((section for section in record.sections(step) if section.kind == kind_name), None)


def _update(installing: str, running: str) -> list[str]:
    program, service = _section(installing, "release"), _section(running, "service")
    if program is None or service is None:
        raise Refused("its record was lost meanwhile. Run pulumi up first")
    if program.text("release") not in ("hold", "follow"):
        raise Refused(
            f"the stack file says release {program.text('release')}. Change clientMessenger.release there, then run"
            " pulumi up"
        )
    before = release.installed(program).short
    try:
        said = _apply(
            installing, [_following(section) for section in record.sections(installing)], proven_already=False
        )
        # Who calls this wants the restart now, also where an up leaves it owed.
        said += _apply(running, [service._replace(fields={**service.fields, "restart": "roll"})], proven_already=True)
    except Failed as failure:
        raise Failed(f"{failure}{_put_back(installing, service, before)}") from None
    journal.proven()
    draining.end_after_restart()
    return said


def _following(section: Section) -> Section:
    return section._replace(fields={**section.fields, "release": "follow"}) if section.kind == "release" else section


def _apply(step: str, sections: list[Section], *, proven_already: bool) -> list[str]:
    with Transaction(step, proven=proven_already) as transaction:
        for section in sections:
            transaction.before_change = draining.before_change(section)
            kind.of(section).apply(section, transaction)
        steps.note_again(step, transaction)
    return transaction.said


def _put_back(installing: str, service: Section, before: str) -> str:
    """Puts back the old release, and with it every other file that no healthy start has proven yet.

    Such files belong to steps that were applied before with `restart: hold`, e.g. `hazelcast`. Their next observation
    has to say that they were put back. The release's own step says nothing: its record is back as well, and is what
    Pulumi knows.
    """
    restored, said = journal.disproven()
    others = [step for step in restored if step != installing]
    for step in others:
        record.mark_restored(step)
    for step in [installing, *others]:
        originals.refresh(step)
    return "\n".join([f"\nRelease {before} was put back. {kind.of(service).run_again(service)}", *said])
