"""`# firewall: ufw` – the rules that chat needs, among the customer's own.

Field: `rules`, a block of lines `allow PORT/PROTOCOL [from NETWORK] [on INTERFACE]`.
Ours carry the comment `jtel-chat`: that alone says whose a rule is. A customer's rule that says the same is left alone
(adding it again would erase his comment) and serves. ufw is never enabled here: its default would lock ssh out.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import NamedTuple

from . import process
from .document import Section
from .errors import Failed, Refused
from .kind import Observed
from .transaction import Transaction

COMMENT = "jtel-chat"
_RULES = (Path("/etc/ufw/user.rules"), Path("/etc/ufw/user6.rules"))
_RULE = re.compile(r"allow (?P<port>[0-9:]+)/(?P<protocol>tcp|udp)(?: from (?P<source>\S+))?(?: on (?P<interface>\S+))?")


class Rule(NamedTuple):
    """One allow rule: `port` may be a range a:b; `source` a network or `any`; `interface` empty for every one."""

    port: str
    protocol: str
    source: str
    interface: str

    def __str__(self) -> str:
        source = "" if self.source == "any" else f" from {self.source}"
        return f"allow {self.port}/{self.protocol}{source}" + (f" on {self.interface}" if self.interface else "")

    def arguments(self) -> list[str]:
        """The rule in ufw's own words (ufw(8), "extended syntax")."""
        interface = ["in", "on", self.interface] if self.interface else []
        return ["allow", *interface, "proto", self.protocol, "from", self.source, "to", "any", "port", self.port]


def observe(section: Section) -> Observed:
    if problems := _problems():
        return Observed(problems=problems)
    present = _present()
    wanted = [_parse(line) for line in section.lines("rules")]
    state = {f"rule '{rule}'": "present" if rule in present else "absent" for rule in wanted}
    state |= {f"rule '{rule}'": "of an earlier configuration" for rule in _halves() if rule not in wanted}
    text = "".join(f"{rule}\n" for rule, ours in present.items() if ours or rule in wanted)
    return Observed(state=state | {"ufw": _activity()}, text={"ufw rules of chat": text})


def apply(section: Section, transaction: Transaction) -> None:
    if problems := _problems():
        raise Refused("; ".join(problems))
    wanted = [_parse(line) for line in section.lines("rules")]
    present = _present()
    for rule in wanted:
        if rule not in present:
            transaction.on_rollback("ufw", "delete", *rule.arguments())
            process.run("ufw", *rule.arguments(), "comment", COMMENT)
            transaction.say(f"added '{rule}'")
    for rule in _halves():  # only now: tightening must not leave a gap
        if rule not in wanted:
            _remove(rule, transaction)
    if missing := [str(rule) for rule in wanted if rule not in _present()]:
        raise Failed(f"ufw reported success, but its file lacks {', '.join(missing)}. Another ufw call ran at the same time: repeat")
    if _activity() == "inactive":
        transaction.say("ufw is inactive: the rules are saved and take effect when you enable it")


def undo(section: Section, transaction: Transaction) -> None:
    """Remove our rules; the customer's stay."""
    for rule in [] if _problems() else _halves():
        _remove(rule, transaction)


def _remove(rule: Rule, transaction: Transaction) -> None:
    transaction.on_rollback("ufw", *rule.arguments(), "comment", COMMENT)
    process.run("ufw", "delete", *rule.arguments())
    transaction.say(f"removed '{rule}'")


def _parse(line: str) -> Rule:
    match = _RULE.fullmatch(line)
    if not match:
        raise Refused(f"document: not a firewall rule: {line!r}")
    return Rule(match["port"], match["protocol"], _network(match["source"] or "any"), match["interface"] or "")


def _network(source: str) -> str:
    if source in ("any", "0.0.0.0/0", "::/0"):
        return "any"
    network = ipaddress.ip_network(source, strict=False)
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _present() -> dict[Rule, bool]:
    """The simple allow rules that ufw holds, and whether they are ours. From its files: `ufw status` shows nothing while inactive.

    A rule from anywhere is two: it is present when both families have it. A half that is ours still counts as to be removed.
    """
    four, six = (_read(path) for path in _RULES)
    both = _ipv6()
    return {rule: ours for rule, ours in (four | six).items() if rule.source != "any" or (rule in four and (rule in six or not both))}


def _halves() -> list[Rule]:
    """Our rules, also those of which one family is left."""
    return [rule for rule, ours in {**_read(_RULES[0]), **_read(_RULES[1])}.items() if ours]


def _read(path: Path) -> dict[Rule, bool]:
    rules: dict[Rule, bool] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        if line.startswith("### tuple ### allow "):
            _add(rules, line.split()[3:])
    return rules


def _ipv6() -> bool:
    defaults = Path("/etc/default/ufw")
    return defaults.exists() and bool(re.search(r"^IPV6=yes", defaults.read_text(encoding="utf-8"), re.MULTILINE))


def _add(rules: dict[Rule, bool], words: list[str]) -> None:
    comment = next((word[8:] for word in words if word.startswith("comment=")), "")
    words = [word for word in words if not word.startswith("comment=")]
    if len(words) != 7:
        return  # a rule for an application profile
    _, protocol, port, destination, source_port, source, direction = words
    if _network(destination) != "any" or source_port != "any" or direction.split("_")[0] != "in":
        return
    rule = Rule(port, protocol, _network(source), direction.partition("_")[2])
    rules[rule] = bytes.fromhex(comment).decode(errors="replace") == COMMENT


def _activity() -> str:
    text = Path("/etc/ufw/ufw.conf").read_text(encoding="utf-8")
    return "active" if re.search(r"^ENABLED=yes", text, re.MULTILINE) else "inactive"


def _problems() -> list[str]:
    if not Path("/etc/ufw/ufw.conf").exists():
        return ["ufw is not installed. Install it ('apt install ufw'), allow ssh, then repeat"]
    return []
