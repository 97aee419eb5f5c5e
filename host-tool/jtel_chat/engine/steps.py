"""Observes, applies and undoes one step's document as a whole."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..access import digests, disk, mounts
from ..documents import kind
from ..documents.document import Section
from ..drain import draining
from ..errors import Ended, Failed, Incomplete, Refused
from ..text import words
from . import journal, lock, logbook, originals, record
from .observing import observe_all
from .transaction import Transaction

_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


def is_name(step: str) -> bool:
    """Tells whether a word can be a step's name: it becomes part of a path."""
    return bool(_NAME.fullmatch(step))


def apply(step: str, generation: int, reason: str, text: str) -> list[str]:
    """Makes a document true as one transaction, and returns lines for a person. A second time changes nothing."""
    sections = kind.parsed(text)
    if not sections:
        raise Refused("the document is empty. Was it sent on standard input?")
    return exclusively("apply", step, lambda: _apply(step, (generation, reason), text, sections))


def undo(step: str) -> list[str]:
    """Takes a step back: blocks, rules and unit states by its kinds, files from their originals.

    With the tool's own step, all other steps that are still there are taken back first: where somebody had removed the
    tool, their own undo could not run.
    """
    return [*(_undo_left() if step == "tool" else []), *exclusively("undo", step, lambda: _undo(step))]


def _undo_left() -> list[str]:
    """Takes back all other steps. If one cannot be taken back, the others are, and the tool stays."""
    said: list[str] = []
    failed: list[str] = []
    for step in _in_order_of_undo():
        try:
            said += exclusively("undo", step, lambda step=step: _undo(step))  # type: ignore[misc]
        except Ended:
            raise
        except (OSError, Refused, Failed) as error:
            failed.append(f"{step}: {error}")
    if failed:
        raise Incomplete(
            "\n".join([*said, *failed, "Repair that, then repeat: the tool stays here until everything is taken back."])
        )
    return said


def recover_all(booting: bool = False) -> list[str]:
    """Puts back what interrupted runs left. While another run holds the lock, that run has already done so."""
    if lock.is_held() and not booting:
        return []
    with lock.held("recover"):
        if said := journal.recover(booting):
            logbook.note("recover", "an interrupted run", "done", said)
        return said


def observe(step: str, text: str | None) -> dict[str, Any]:
    """Answers for a step whose document may change: generation and reason for its launcher, drift as a diff.

    Its problems and warnings are those that an apply of `text` would meet.
    """
    return _guarded(step, lambda: _observe_step(step, observe_all(kind.parsed(text) if text else []), text))


def observe_applied(step: str) -> dict[str, Any]:
    """Answers as `observe`, with the problems and warnings of what was applied: there is no other document."""
    return _guarded(step, lambda: _observe_step(step, observe_all(record.sections(step)), None))


def _guarded(step: str, look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Turns an error of one step's look into a problem of that step, so that the others are looked at."""
    try:
        return look()
    except Ended:
        raise
    except Exception as error:  # noqa: BLE001
        recorded = record.read(step) or {"generation": 1, "reason": record.absence(step)}
        problems = [
            (
                str(error)
                if isinstance(error, Refused)
                else f"{step} cannot be looked at: {error}. Repair that, then repeat"
            )
        ]
        return _answer(recorded["generation"], recorded["reason"], kind.Observed(problems=problems))


def _observe_step(step: str, seen: kind.Observed, text: str | None) -> dict[str, Any]:
    recorded = record.read(step)
    seen.warnings += journal.left(step)
    if recorded is None:
        seen.facts |= {f"due:{what}": how for what, how in _due(kind.parsed(text) if text else []).items()}
        return _answer(1, record.absence(step), seen)
    applied = record.sections(step)
    now = observe_all(applied)
    if text is None:  # of a document that nobody could send along, what was applied
        seen.warnings += [warning for warning in now.warnings if warning not in seen.warnings]
        seen.facts |= now.facts
    seen.facts |= _written(recorded["state"], now.state)
    drift = _drift(recorded, now.state)
    due = drift + _about_to_change(applied) + now.owed + _other_document(recorded, text)
    generation = recorded["generation"] + 1 if due else recorded["generation"]
    return _answer(
        generation,
        "; ".join(due) or recorded["reason"],
        seen,
        drifted=bool(drift),
        diff=_diff(recorded.get("text", {}), record.texts(now)) if drift else "",
    )


def _due(sections: list[Section]) -> dict[str, str]:
    """Says what a first apply would change. What stands in its way is among the problems already."""
    due: dict[str, str] = {}
    for section in sections:
        of_kind = getattr(kind.of(section), "due", None)
        with contextlib.suppress(Refused, FileNotFoundError):
            due |= of_kind(section) if of_kind else {}
    return due


def _answer(
    generation: int, reason: str, seen: kind.Observed, *, drifted: bool = False, diff: str = ""
) -> dict[str, Any]:
    looked = {
        "problems": seen.problems,
        "warnings": seen.warnings,
        "facts": seen.facts,
        "alike": seen.alike,
        "active": seen.active,
    }
    return {"generation": generation, "reason": reason, "drifted": drifted, "diff": diff, **looked}


def _other_document(recorded: dict[str, Any], text: str | None) -> list[str]:
    """Says that the host's record is of another document than `text`, as after it was set back to an older snapshot.

    The sentence becomes the reason of the next apply, which has to differ from the reason in Pulumi's state. The boot
    sees to that: without it, the snapshot's record could give the same reason as before, and Pulumi would see no
    change.
    """
    if not text or recorded.get("document", "") in ("", digests.short(text.encode())):
        return []
    return [f"the document is another one than on {recorded['applied']} (boot {record.boot()})"]


def drifted(step: str) -> list[str]:
    """Lists what is not as it was applied, one line an item; of a step that cannot be looked at, why."""
    return compared(step)[0]


def compared(step: str) -> tuple[list[str], dict[str, str]]:
    """Lists what `drifted` does, and gives the facts about the step."""
    try:
        recorded = record.read(step)
        if not recorded:
            return [], {}
        now = observe_all(record.sections(step))
        return [*_drift(recorded, now.state), *journal.left(step)], now.facts
    except Ended:
        raise
    except Exception as error:  # noqa: BLE001 – the other steps are looked at
        return [f"cannot be looked at: {error}"], {}


def exclusively(action: str, step: str, work: Callable[[], list[str]]) -> list[str]:
    """Does some work on a step under the host's lock, and notes it in the log.

    What an interrupted run left is put back first.
    """
    if not is_name(step):
        raise Refused(f"'{step}' is no name for a step")
    with lock.held(f"{action} {step} by {logbook.by_whom(logbook.caller())}") as waited_for:
        said = [f"waited for {waited_for}"] if waited_for else []
        try:
            said += journal.recover()
            said += work()
        except (OSError, Refused, Failed) as error:
            logbook.note(action, step, "failed", [*said, str(error)])
            draining.end()  # what is here is what was here before, and may get chats again
            raise
        logbook.note(action, step, "done", said)
        return said


def _apply(step: str, launch: tuple[int, str], text: str, sections: list[Section]) -> list[str]:
    from . import restarts  # which asks for steps itself

    for section in sections:
        mounts.require_answer(section.fields.get("mount"))
    proving = next((section for section in sections if kind.declared(section).proves), None)
    if proving:
        _check_named(proving)
        restarts.check(proving)
    try:
        with Transaction(step, proven=not any("loaded-by" in section.fields for section in sections)) as transaction:
            for section in sections:
                transaction.before_change = restarts.before_change(section)
                kind.of(section).apply(section, transaction)
            transaction.before_change = None
            _take_back_dropped(step, sections, transaction)
            record.write(
                step, launch, record.document_digest(text, sections), sections, observe_all(sections), transaction
            )
    except Failed as failure:
        raise Failed(f"{failure}{_put_back_unproven(proving)}") if proving else failure from None
    if proving and kind.of(proving).is_proven(proving):
        journal.proven()
        draining.end_after_restart()
    elif proving:  # held, perhaps for months: what is put back after that goes with the present secret
        journal.forget(_secret_steps())
    return transaction.said or ["nothing to change"]


def _check_named(proving: Section) -> None:
    """Raises Refused where a step that the process loads is not the one that this run has applied.

    A process that is healthy with what another run has brought meanwhile, or with old files that were put back, would
    be a success of neither.
    """
    loads = [line.split() for line in proving.lines("loads")]
    if others := [step for step, digest in loads if not record.is_as_named(step, digest)]:
        raise Refused(
            f"{proving.name} would load something else than this run has applied, of {', '.join(others)}: another run"
            " has changed that meanwhile, or it was put back (jtel-chatctl log says which). Run pulumi up again"
        )


def _secret_steps() -> list[str]:
    return [name for name in record.names() if any(kind.declared(each).secret for each in record.sections(name))]


def _take_back_dropped(step: str, sections: list[Section], transaction: Transaction) -> None:
    """Takes back the sections that the step's last document had and this one has not, as an undo does."""
    stay = {(section.kind, section.name) for section in sections}
    dropped = [section for section in record.sections(step) if (section.kind, section.name) not in stay]
    for section in reversed(dropped):
        _take_back(section, transaction)
        originals.put_back(step, transaction, [section.name])
        transaction.forget_original(section.name)


def _take_back(section: Section, transaction: Transaction) -> None:
    """Takes back what of a section is no file; a kind that only has files has nothing to do here."""
    undo_kind = getattr(kind.of(section), "undo", None)
    if undo_kind:
        undo_kind(section, transaction)


def note_again(step: str, transaction: Transaction) -> None:
    """Records what is true now as what was applied, under the generation and reason that the step has."""
    recorded, sections = record.read(step) or {}, record.sections(step)
    launch = (recorded["generation"], recorded["reason"])
    record.write(step, launch, recorded.get("document", ""), sections, observe_all(sections), transaction)


def _put_back_unproven(proving: Section) -> str:
    """Puts all old files of a service back that is not healthy with its new ones; it runs on if it ran before."""
    restored, said = journal.disproven()
    if not restored:
        return ""
    for step in restored:
        record.mark_restored(step)
        originals.refresh(step)
    return "\n".join([f"\nPut back with it: {', '.join(restored)}. {kind.of(proving).run_again(proving)}", *said])


def _in_order_of_undo() -> list[str]:
    """Lists all steps but the tool's, the one that was applied first last."""
    others = [name for name in record.names() if name != "tool"]
    return sorted(others, key=lambda name: (record.read(name) or {}).get("first", 0), reverse=True)


def _undo(step: str) -> list[str]:
    sections = record.sections(step)
    if not sections:
        return [f"{step}: this host does not have it, nothing to undo"]
    with Transaction(step, keep=False) as transaction:
        for section in reversed(sections):
            _take_back(section, transaction)
        originals.put_back(step, transaction)
        transaction.remove(originals.place(step))
        record.remove(step, transaction)
    journal.forget([step])
    originals.forget(step)
    return [*(transaction.said or ["nothing to take back"]), *_forget_all()]


def _forget_all() -> list[str]:
    """Removes everything that the host remembers of us, once no step is left.

    What could not be put back may exist nowhere else, so that is left to a person.
    """
    if record.names():
        return []
    if disk.names(journal.not_put_back()):
        return [
            f"{disk.STATE} stays: {journal.not_put_back()} holds what could not be put back. Look at that, then remove"
            f" it: rm -r {disk.STATE}"
        ]
    disk.remove_tree(disk.STATE)
    return []


def forget_runs() -> None:
    """Removes what runs have noted in /run, once nothing of us is left on this host."""
    if disk.stat(disk.STATE) is None:
        lock.forget()


def _about_to_change(sections: list[Section]) -> list[str]:
    """Lists loaded steps that have drifted: this run heals them, and the service has to be asked again after that."""
    loads = [
        line.split()[0] for section in sections if kind.declared(section).proves for line in section.lines("loads")
    ]
    return [f"{step} is about to change" for step in loads if drifted(step)]


def _drift(recorded: dict[str, Any], now: dict[str, str]) -> list[str]:
    """Lists each item that differs, in words, and that the step was put back: its record is then the one before."""
    differing = [words.drift(key, now.get(key)) for key in _differing(recorded["state"], now)]
    return [*differing, *map(words.item, recorded.get("restored", []))]


def _differing(applied: dict[str, str], now: dict[str, str]) -> list[str]:
    return sorted(key for key in applied.keys() | now.keys() if applied.get(key) != now.get(key))


def _written(applied: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """Gives when each file that differs was written, and who was logged in then.

    `written:/etc/haproxy/haproxy.cfg` is `2026-11-26T07:08:20Z, logged in: alice from 10.0.0.5`. Both are hints for who
    looks for the edit: a file's time can be set.
    """
    from ..net import logins  # which only drift needs

    paths = {key.partition(":")[2] for key in _differing(applied, now)}
    times = {path: seen.st_mtime for path in paths if path.startswith("/") and (seen := disk.stat(Path(path)))}
    there = {path: ", ".join(logins.at(seconds)) for path, seconds in times.items()}
    return {
        f"written:{path}": record.time_of(seconds) + (f", logged in: {there[path]}" if there[path] else "")
        for path, seconds in times.items()
    }


def _diff(applied: dict[str, str], now: dict[str, str]) -> str:
    """Makes a unified diff from what was applied to what is there."""
    import difflib  # which only drift needs

    lines: list[str] = []
    for key in sorted(applied.keys() | now.keys()):
        before, after, name = applied.get(key, "").splitlines(), now.get(key, "").splitlines(), words.item(key)
        lines += difflib.unified_diff(before, after, f"{name} (applied)", f"{name} (now)", lineterm="")
    return "\n".join(lines)
