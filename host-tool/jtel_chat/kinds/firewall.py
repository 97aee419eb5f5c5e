"""Keeps the rules of ufw that chat needs, among the customer's own.

A section is `# firewall: ufw` with `rules`, a block of lines `allow PORT/PROTOCOL [from NETWORK] [on INTERFACE]`;
`members`, the ports on which a connected cluster member must not be cut off (`5701:5801`); `enable`, absent or the time
within which a second connection has to show that ssh still gets in (`30min`, systemd.time(7)): only then is ufw
switched on, see `firewall/trial.py`.

Ours carry the comment `jtel-chat`: that alone says whose a rule is. A customer's rule that says the same is left alone
(adding it again would erase his comment) and serves. What he refuses or opens wider is reported, never changed.
"""

from __future__ import annotations

import ipaddress
import re
import time

from ..documents.declaration import Declaration, Field
from ..documents.document import Section
from ..documents.kind import Observed
from ..engine import logbook, originals
from ..engine.transaction import Transaction
from ..errors import Failed, Refused
from ..firewall import check, ufw
from ..firewall.check import Plan
from ..firewall.rules import COMMENT, EVERYWHERE, Entry, Rule
from ..net import sockets

_RULE = re.compile(
    r"allow (?P<port>[0-9:]+)/(?P<protocol>tcp|udp)(?: from (?P<source>\S+))?(?: on (?P<interface>\S+))?"
)

DECLARATION = Declaration(
    names="ufw",
    fields={
        "rules": Field(_RULE.pattern, "lines"),
        "members": Field(r"[0-9]+(?::[0-9]+)?"),
        "enable": Field(r"[0-9]+(?:s|min|h)"),
    },
)

_NO_IPV6 = (
    "ufw lets no IPv6 in on this host. If members come over it, set IPV6=yes in /etc/default/ufw, then 'ufw reload'"
)
_STOPPED = (
    "ufw is switched on, but the kernel has none of its rules: somebody has stopped ufw or flushed the tables, so"
    " everybody gets in. Find out why, then: systemctl restart ufw"
)
_PATIENCE = 30  # seconds that other ufw calls may keep ours from being the last word


def observe(section: Section) -> Observed:
    if not ufw.is_installed():
        return Observed(problems=[check.NOT_INSTALLED])
    plan, lines = _plan(section)
    found = check.findings(plan)
    found.warnings.extend(f"'{line}' is left out: {_NO_IPV6}" for line, rules in lines.items() if not rules)
    state = {f"rule:{line}": _presence(rules, plan.entries) for line, rules in lines.items()}
    state |= {f"rule:allow {rule}": "earlier" for rule in _surplus(plan.entries, plan.rules)}
    shown = [
        entry
        for entry in plan.entries
        if entry.ours or any(entry.admits and entry.same_packets(rule) for rule in plan.rules)
    ]
    active = "inactive" if not plan.active else "active" if ufw.filters() else "stopped"
    if active == "stopped":
        found.warnings.append(_STOPPED)
    return Observed(
        state | {"ufw": active},
        problems=found.problems,
        warnings=found.warnings,
        text={"rules:ufw": lambda: "".join(f"{entry}\n" for entry in shown)},
    )


def due(section: Section) -> dict[str, str]:
    if not ufw.is_installed():
        return {}
    plan, lines = _plan(section)
    missing = [line for line, rules in lines.items() if _missing(plan.entries, rules)]
    added = {f"rule '{line}'": "added" for line in missing}
    return added | ({"ufw": "switched on"} if plan.enable and not plan.active else {})


def apply(section: Section, transaction: Transaction) -> None:
    if not ufw.is_installed():
        raise Refused(check.NOT_INSTALLED)
    plan, _ = _plan(section)
    if problems := check.findings(plan).problems:
        raise Refused("; ".join(problems))
    _bring_about(plan.rules, transaction)
    if plan.enable and not plan.active:
        from ..firewall import trial

        trial.begin(plan.enable, transaction)
    elif not plan.active:
        transaction.say(
            "ufw is inactive: the rules are saved and take effect when it is switched on (firewall.enable, or 'ufw"
            " enable')"
        )


def undo(section: Section, transaction: Transaction) -> None:
    """Switches ufw off if we had switched it on, then removes our rules, ssh's among them; the customer's stay."""
    if not ufw.is_installed():
        return
    if originals.recalled(transaction.step, "ufw") == "inactive" and ufw.is_active():
        from ..firewall import trial

        trial.take_back(transaction)
    _bring_about([], transaction)
    if left := [entry.rule for entry in ufw.out_of_reach() if entry.ours]:
        names = ", ".join(f"'allow {rule}'" for rule in left)
        deletes = "; ".join(f"ufw delete {' '.join(rule.arguments())}" for rule in left)
        transaction.say(
            f"{names} stays in /etc/ufw/user6.rules: ufw filters no IPv6, and changes no such rule. With IPV6=yes in"
            f" /etc/default/ufw it counts again; then remove it: {deletes}"
        )


def _plan(section: Section) -> tuple[Plan, dict[str, list[Rule]]]:
    """Gives what is and what shall be; the wanted rules also by the lines that name them."""
    entries, active, enable = ufw.entries(), ufw.is_active(), section.fields.get("enable", "")
    lines = {f"allow {rules[0]}": rules for rules in map(_parse, section.lines("rules"))}
    if (enable and not active) or _surplus(entries, _all(lines)):
        lines |= _ssh(entries, switching_on=bool(enable) and not active)
    if not ufw.has_ipv6():
        lines = {line: [rule for rule in rules if rule.source.version == 4] for line, rules in lines.items()}
    return Plan(
        entries, _all(lines), active, enable, section.fields.get("members", ""), ufw.lets_in_by_default()
    ), lines


def _all(lines: dict[str, list[Rule]]) -> list[Rule]:
    return [rule for rules in lines.values() for rule in rules]


def _ssh(entries: list[Entry], switching_on: bool) -> dict[str, list[Rule]]:
    """Makes the rules for ssh, by the lines that name them.

    Before ufw is switched on, that is one for each port of sshd that no rule of the customer names; from then on, those
    that are there.
    """
    caller = logbook.connection().split()
    ports = {*sockets.ports_of("sshd"), *(int(port) for port in caller[3:])}
    rules = {f"allow {port}/tcp": _parse(f"allow {port}/tcp") for port in sorted(ports)}
    ours = [entry.rule for entry in entries if entry.ours]
    named = [entry.rule for entry in entries if entry.admits and not entry.ours and entry.rule.port != "any"]
    missing = {
        line
        for line, both in rules.items()
        if switching_on and not any(rule.overlaps(each) for rule in named for each in both)
    }
    return {line: both for line, both in rules.items() if line in missing or any(rule in ours for rule in both)}


def _bring_about(wanted: list[Rule], transaction: Transaction) -> None:
    """Adds rules, then removes others, so that tightening leaves no gap.

    It does so again while another ufw call may write what it had read before.
    """
    deadline = time.monotonic() + _PATIENCE
    others = ufw.foreign()
    while True:
        for rule in _missing(ufw.entries(), wanted):
            _add(rule, transaction)
        for rule in _surplus(ufw.entries(), wanted):
            _remove(rule, transaction)
        with ufw.at_rest() as settled:
            entries = ufw.entries()
        differences = [*_missing(entries, wanted), *_surplus(entries, wanted)]
        late = time.monotonic() > deadline
        if not differences and (settled or late):
            _name_lost(others - ufw.foreign(), transaction)
            return
        if late:
            names = ", ".join(f"'{rule}'" for rule in differences)
            raise Failed(
                f"other ufw calls undo ours for {_PATIENCE} s already: {names}. Find out who calls ufw over and over"
                " (ps -ef), then repeat"
            )
        time.sleep(0.1)


def _name_lost(rules: set[str], transaction: Transaction) -> None:
    """Names lost rules of others: a ufw call that reads a file while another one writes it sees half of it.

    Nothing outside ufw can prevent that.
    """
    if rules:
        names = ", ".join(f"'{rule}'" for rule in sorted(rules))
        transaction.say(
            f"other ufw calls ran meanwhile, and these rules of others are gone since: {names}. Unless one of them was"
            " meant to, add them again"
        )


def _add(rule: Rule, transaction: Transaction) -> None:
    ufw.on_rollback(transaction, "delete", *rule.arguments())
    ufw.run(*rule.arguments(), "comment", COMMENT)
    transaction.say(f"added 'allow {rule}'")


def _remove(rule: Rule, transaction: Transaction) -> None:
    ufw.on_rollback(transaction, *rule.arguments(), "comment", COMMENT)
    ufw.run("delete", *rule.arguments())
    transaction.say(f"removed 'allow {rule}'")


def _missing(entries: list[Entry], wanted: list[Rule]) -> list[Rule]:
    return [rule for rule in wanted if not any(entry.admits and entry.same_packets(rule) for entry in entries)]


def _surplus(entries: list[Entry], wanted: list[Rule]) -> list[Rule]:
    return [entry.rule for entry in entries if entry.ours and entry.rule not in wanted]


def _presence(rules: list[Rule], entries: list[Entry]) -> str:
    """Says whether a line's rules are there, of each family that ufw filters: `present`, `absent`, `no-ipv6`."""
    if not rules:
        return "no-ipv6"
    return "absent" if _missing(entries, rules) else "present"


def _parse(line: str) -> list[Rule]:
    """Reads a line as ufw's rules: from anywhere is one for each family."""
    match = _RULE.fullmatch(line)
    if not match:
        raise Refused(f"document: not a firewall rule: {line!r}")
    sources = [match["source"]] if match["source"] else EVERYWHERE
    return [
        Rule(match["protocol"], match["port"], ipaddress.ip_network(source, strict=False), match["interface"] or "")
        for source in sources
    ]
