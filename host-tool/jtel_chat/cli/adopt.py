"""Gives this host to another stack, or to the same one with a new state: `jtel-chatctl adopt PROJECT/STACK`.

Nothing else changes: the next `up` of a stack of that name finds every step as it is, and becomes the owner.
"""

from __future__ import annotations

from ..engine import owner, record, steps
from ..engine.owner import Owner
from ..engine.transaction import Transaction
from ..errors import Refused


def run(name: str) -> list[str]:
    """Notes that the host belongs to the next stack of that name which applies, and to its owner so far no more."""
    if not owner.is_name(name):
        raise Refused(f"'{name}' is no stack's name. Give project and stack: jtel-chatctl adopt jtel-chat/prod")
    found = owner.read()
    if found is None or not record.read("tool"):
        raise Refused("this host belongs to no stack, so there is nothing to take over. Run pulumi up")
    return steps.exclusively("adopt", "tool", lambda: _adopt(name, found[0]))


def _adopt(name: str, before: Owner) -> list[str]:
    with Transaction("tool") as transaction:
        transaction.write(owner.path(), owner.handed_over(name, before).encode(), 0o600)
        steps.note_again("tool", transaction)
        transaction.say(f"this host belonged to {before}. The next pulumi up of {name} owns it")
    return transaction.said
