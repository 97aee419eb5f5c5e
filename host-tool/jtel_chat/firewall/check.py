"""Finds what stands in the way of firewall rules, and what they would do to those who are connected now; looks only."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import NamedTuple

from ..access import disk
from ..engine import logbook
from ..net import addresses, sockets
from . import ufw
from .rules import Connection, Entry, Rule, admitted, allowed, broader, deciding, shadowing

#: Ports of udp that ufw's own before.rules let in: DHCP of both families, mDNS, UPnP.
_IN_ANY_CASE = {68, 546, 1900, 5353}
_VRRP = 112  # the protocol's number
_VRRP_LINE = re.compile(r"^-A ufw-before-input .*(?:-p|--protocol) (?:vrrp|112)\b.*-j ACCEPT", re.MULTILINE)

NOT_INSTALLED = "ufw is not installed. Install it ('apt install ufw'), allow ssh, then repeat"


class Plan(NamedTuple):
    """What ufw holds now, and what is wanted.

    enable: how long the trial lasts, `30min`; empty where ufw is not to be switched on.
    members: the cluster's ports, `5701:5801`; empty where none are checked.
    lets_in: whether ufw lets in what no rule forbids.
    """

    entries: list[Entry]
    rules: list[Rule]
    active: bool
    enable: str
    members: str
    lets_in: bool = False

    @property
    def after(self) -> list[Entry]:
        """Lists the entries that there will be: ours that are new come last."""
        kept = [entry for entry in self.entries if not entry.ours or entry.rule in self.rules]
        return kept + [allowed(rule) for rule in self.rules if not any(entry.same_packets(rule) for entry in kept)]


class Findings(NamedTuple):
    """Problems and warnings as `kind.Observed` has them, each with its remedy."""

    problems: list[str]
    warnings: list[str]


def findings(plan: Plan) -> Findings:
    """Finds what a person should know before the plan is carried out, or when it has been."""
    parts = [
        Findings(
            _unknown_interfaces(plan.rules) + _contradicted(plan),
            _open_to_all(plan) + _open_cluster(plan) + _others(plan),
        )
    ]
    if plan.members:
        parts.append(_members(plan, _connected(plan.members)))
    if plan.enable and not plan.active:
        parts.append(_switching_on(plan))
    return Findings(
        [each for part in parts for each in part.problems], [each for part in parts for each in part.warnings]
    )


def _open_to_all(plan: Plan) -> list[str]:
    """Warns where ufw's policy makes rules that allow something pointless."""
    if not plan.lets_in or not (plan.active or plan.enable):
        return []
    return [
        'ufw lets in whatever no rule forbids (DEFAULT_INPUT_POLICY="ACCEPT" in /etc/default/ufw), so the rules of'
        " this stack limit nothing. Allow what has to get in, ssh first, then: ufw default deny incoming"
    ]


def _unknown_interfaces(rules: list[Rule]) -> list[str]:
    names = sorted({rule.interface for rule in rules if rule.interface and rule.interface not in _interfaces()})
    known = ", ".join(sorted(name for name in _interfaces() if name != "lo")) if names else ""
    return [
        f"there is no interface '{name}', so nothing would get in through its rules. Correct 'interface' in the stack"
        f" file: {known}"
        for name in names
    ]


def _interfaces() -> list[str]:
    return disk.kernel_names("/sys/class/net")


def _contradicted(plan: Plan) -> list[str]:
    """Finds rules of the customer's for the same packets as ours: ufw holds one, and would silently replace his."""
    pairs = [
        (entry, rule) for rule in plan.rules for entry in plan.entries if entry.same_packets(rule) and not entry.admits
    ]
    return [
        f"your rule '{entry}' forbids just what 'allow {rule}' is to allow. Remove yours: ufw delete"
        f" {_arguments(entry)}"
        for entry, rule in pairs
    ]


def _arguments(entry: Entry) -> str:
    """Writes the entry as `ufw delete` takes it."""
    return " ".join([entry.action, *entry.rule.arguments()[1:]])


def _open_cluster(plan: Plan) -> list[str]:
    """Warns of cluster ports that the wanted rules open to everybody."""
    everybody = [rule for rule in plan.rules if plan.members == rule.port and not rule.source.prefixlen]
    names = sorted(
        {f"{rule.port}/{rule.protocol}" + (f" on {rule.interface}" if rule.interface else "") for rule in everybody}
    )
    remedy = (
        "the cluster has no authentication, so whoever reaches it reads and writes every chat. Name its networks in"
        " firewall.sources"
    )
    return [f"{name} is open to everybody, as firewall.sources says: {remedy}" for name in names]


def _others(plan: Plan) -> list[str]:
    """Warns of rules of the customer's that close what ours open, or open it wider; they are not changed."""
    wider = [
        f"your rule '{entry}' opens more than 'allow {rule}', so that limits nothing. If nothing else needs yours,"
        " remove it (ufw status numbered)"
        for entry, rule in broader(plan.entries, plan.rules)
    ]
    # Each entry is named once, with the first rule of ours: a cluster has many rules.
    shadows = {
        entry: rule
        for rule in reversed(plan.rules)
        for entry in shadowing(plan.entries, rule)
        if not entry.same_packets(rule)
    }
    before = [
        f"your rule '{entry}' comes before 'allow {rule}' and keeps out what that lets in. Narrow it, or move it behind"
        " (ufw status numbered)"
        for entry, rule in shadows.items()
    ]
    limited = [
        f"your rule '{entry}' serves instead of 'allow {rule}', but lets an address open only six connections in 30 s."
        " Many visitors may share one"
        for rule in plan.rules
        for entry in plan.entries
        if entry.same_packets(rule) and entry.action == "limit"
    ]
    return wider + before + limited


def _members(plan: Plan, connections: list[Connection]) -> Findings:
    """Finds connected cluster members that no wanted rule lets in; it is a problem where they would be cut off."""
    wanted = [allowed(rule) for rule in plan.rules]
    outside = [each for each in connections if not admitted(wanted, each)]
    remedy = "Name it in firewall.sources, with the cluster's own addresses, or end its connection"
    found = Findings([], [])
    for each in outside:
        who = f"{each.source} is connected to the cluster's port {each.port}"
        by = deciding(plan.entries, each) if plan.active else None
        if admitted(plan.after, each, plan.lets_in):
            lets_in = deciding(plan.after, each)
            what = f"'{lets_in}'" if lets_in else "ufw's default policy"
            found.warnings.append(f"{who}, though no rule of this stack says so: {what} lets it in. {remedy}")
        elif by and by.admits:
            found.problems.append(f"{who}, and only '{by}' lets it in, which would be removed. {remedy}")
        elif plan.enable and not plan.active:
            found.problems.append(f"{who}, and no rule would let it in once ufw is switched on. {remedy}")
        else:
            found.warnings.append(
                f"{who}, but no rule lets it in: once disconnected it cannot come"
                f" back{'' if plan.active else ' when ufw is on'}. {remedy}"
            )
    return found


def _switching_on(plan: Plan) -> Findings:
    """Finds out whether ssh stays open for the caller when ufw is switched on, and names what else would be closed."""
    warnings = [] if plan.lets_in else _closed(plan)
    caller = _caller()
    if not caller or admitted(plan.after, caller, plan.lets_in):
        return Findings([], warnings)
    by = deciding(plan.after, caller)
    why = f"your rule '{by}' refuses" if by else "no rule allows"
    return Findings(
        [
            f"switching ufw on would lock ssh out: {why} {caller.source}. Allow it first: ufw insert 1"
            f" {_for_ssh(caller)}"
        ],
        warnings,
    )


def _closed(plan: Plan) -> list[str]:
    """Warns of what programs take from outside now, and no rule lets in."""
    taken = [("tcp", each) for each in sockets.listening()]
    replies = sockets.ephemeral()
    taken += [
        ("udp", each) for each in sockets.datagrams() if each.port not in replies and each.port not in _IN_ANY_CASE
    ]
    closed = sorted(
        {
            (each.port, protocol)
            for protocol, each in taken
            if not each.address.is_loopback and not _named(plan.after, protocol, str(each.port))
        }
    )
    ports = ", ".join(f"{port}/{protocol}" for port, protocol in closed)
    warnings = [
        f"switching ufw on closes ports that programs listen on: {ports}. Allow first what must stay open: ufw"
        " allow PORT/PROTOCOL"
    ]
    return [*(warnings if closed else []), *_vrrp(plan)]


def _vrrp(plan: Plan) -> list[str]:
    if _VRRP not in sockets.raw() or _named(plan.after, "vrrp", "any") or _VRRP_LINE.search(ufw.text_before()):
        return []
    return [
        "switching ufw on keeps VRRP out, by which keepalived hears the other load balancers: each would take the"
        " shared address. Allow it first, in /etc/ufw/before.rules, before COMMIT: -A ufw-before-input -p 112 -j ACCEPT"
    ]


def _named(entries: Iterable[Entry], protocol: str, port: str) -> bool:
    """Tells whether some rule lets somebody in at a port."""
    everybody = [Rule(protocol, port, ipaddress.ip_network(source), "") for source in ("0.0.0.0/0", "::/0")]
    return any(entry.admits and entry.rule.overlaps(rule) for entry in entries for rule in everybody)


def _for_ssh(caller: Connection) -> str:
    return f"allow proto tcp from {caller.source} to any port {caller.port}"


def _caller() -> Connection | None:
    """Finds the ssh connection of this call; its interface is the one that holds its address."""
    words = [word.partition("%")[0] for word in logbook.connection().split()]
    if len(words) != 4:
        return None
    source, destination = ipaddress.ip_address(words[0]), ipaddress.ip_address(words[2])
    return Connection(source, destination, int(words[3]), addresses.interfaces().get(destination, ""))


def _connected(ports: str) -> list[Connection]:
    """Lists who is connected to one of the ports from another host, each source once."""
    first, last = (int(port) for port in ports.split(":"))
    arrived = [
        each
        for each in sockets.established()
        if first <= each.port <= last and each.remote != each.address and not each.remote.is_loopback
    ]
    own = addresses.interfaces() if arrived else {}
    connections = {
        each.remote: Connection(each.remote, each.address, each.port, own.get(each.address, ""))
        for each in arrived
        if each.remote not in own
    }
    return [connections[source] for source in sorted(connections, key=lambda address: (address.version, int(address)))]
