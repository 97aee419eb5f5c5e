"""What else decides about ufw's rules: its default policy, IPv6, and what programs listen for beside TCP."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.documents.document import Section
from jtel_chat.engine import logbook
from jtel_chat.engine.transaction import Transaction
from jtel_chat.firewall import check, ufw
from jtel_chat.firewall.rules import Connection
from jtel_chat.kinds import firewall
from jtel_chat.net import origin, sockets
from jtel_chat.net.sockets import Socket

OURS = f"comment={b'jtel-chat'.hex()}"
SOCKET = "   0: {}:{:04X} 00000000:0000 {} 00000000:00000000 00:00000000 00000000     0        0 {} 2 0\n"
RULES = "allow 3000/tcp from 10.1.0.11\n"


class Host:
    """ufw's files, and the kernel's tables of sockets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.called: list[str] = []
        for name in ("proc/net", "proc/sys/net/ipv4"):
            (folder / name).mkdir(parents=True)
        (folder / "proc/sys/net/ipv4/ip_local_port_range").write_text("32768\t60999\n")
        self.write("conf", "ENABLED=no\n")
        self.write("defaults", 'IPV6=no\nDEFAULT_INPUT_POLICY="DROP"\n')
        self.rules()
        self.rules("user6")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def rules(self, name: str = "user", *tuples: str) -> None:
        self.write(name, "".join(f"### tuple ### {each}\n" for each in tuples) + "COMMIT\n")

    def sockets(self, **tables: list[tuple[str, int, str]]) -> None:
        for name, rows in tables.items():
            lines = [SOCKET.format(*row, number) for number, row in enumerate(rows)]
            self.write(f"proc/net/{name}", "header\n" + "".join(lines))

    def look(self, *, enable: bool = False) -> check.Findings:
        fields = {"rules": RULES} | ({"enable": "30min"} if enable else {})
        seen = firewall.observe(Section("firewall", "ufw", fields))
        return check.Findings(seen.problems, seen.warnings)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    found = Host(tmp_path)
    monkeypatch.setattr(ufw, "_RULES", (tmp_path / "user", tmp_path / "user6"))
    for name in ("CONFIGURATION", "DEFAULTS", "BEFORE"):
        monkeypatch.setattr(ufw, f"_{name}", tmp_path / {"CONFIGURATION": "conf"}.get(name, name.lower()))
    monkeypatch.setattr(ufw, "is_installed", lambda: True)
    monkeypatch.setattr(ufw, "filters", lambda: True)
    monkeypatch.setattr(ufw, "run", lambda *arguments: found.called.append(" ".join(arguments)))
    monkeypatch.setattr(ufw, "at_rest", at_rest)
    monkeypatch.setattr(origin, "PROC", tmp_path / "proc")
    monkeypatch.setattr(disk, "KERNEL", (*disk.KERNEL, str(tmp_path)))
    monkeypatch.setattr(logbook, "connection", lambda: "")
    monkeypatch.setattr(sockets, "ports_of", lambda _: [])
    return found


@contextlib.contextmanager
def at_rest() -> Iterator[bool]:
    yield True


def test_a_policy_that_lets_everything_in_is_told_where_ufw_is_on_or_will_be(host: Host) -> None:
    assert host.look(enable=True).warnings == []
    host.write("defaults", 'IPV6=no\nDEFAULT_INPUT_POLICY="ACCEPT"\n')
    assert host.look().warnings == []
    [warning] = host.look(enable=True).warnings
    assert "the rules of this stack limit nothing" in warning
    assert warning.endswith("ufw default deny incoming")
    host.write("conf", "ENABLED=yes\n")
    assert host.look().warnings == [warning]


def test_a_policy_that_lets_everything_in_locks_nobody_out_and_closes_nothing(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.rules("user", "allow tcp 2222 0.0.0.0/0 any 10.0.0.5 in")
    host.sockets(tcp=[("00000000", 8080, "0A")])
    monkeypatch.setattr(logbook, "connection", lambda: "10.9.9.9 50000 10.1.0.21 2222")
    monkeypatch.setattr(sockets, "ports_of", lambda _: [2222])
    [problem], [closed] = host.look(enable=True)
    assert "lock ssh out: no rule allows 10.9.9.9" in problem
    assert "8080/tcp" in closed
    host.write("defaults", 'IPV6=no\nDEFAULT_INPUT_POLICY="ACCEPT"\n')
    problems, [warning] = host.look(enable=True)
    assert problems == []
    assert "limit nothing" in warning
    host.rules("user", "deny tcp 2222 0.0.0.0/0 any 10.9.9.9 in", "allow tcp 2222 0.0.0.0/0 any 10.0.0.5 in")
    assert "your rule 'deny 2222/tcp from 10.9.9.9' refuses" in host.look(enable=True).problems[0]


def test_a_member_that_the_policy_lets_in_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    member = Connection(ip_address("10.1.0.9"), ip_address("10.1.0.21"), 5701, "eth0")
    monkeypatch.setattr(check, "_connected", lambda _: [member])
    wanted = firewall._parse("allow 5701:5801/tcp from 10.1.0.21")
    found = check.Plan([], wanted, active=False, enable="30min", members="5701:5801", lets_in=True)
    problems, warnings = check._members(found, [member])
    assert problems == []
    assert "ufw's default policy lets it in" in warnings[0]


def test_what_listens_for_udp_is_among_what_would_be_closed(host: Host) -> None:
    host.rules("user", "allow udp 123 0.0.0.0/0 any 0.0.0.0/0 in", "allow tcp 161 0.0.0.0/0 any 0.0.0.0/0 in")
    host.sockets(
        tcp=[("00000000", 5062, "0A")],
        udp=[
            ("00000000", 5060, "07"),
            ("00000000", 123, "07"),  # a rule lets it in
            ("00000000", 161, "07"),  # a rule of TCP does not
            ("0100007F", 514, "07"),  # loopback
            ("00000000", 68, "07"),  # ufw itself lets it in
            ("00000000", 5353, "07"),
            ("00000000", 40000, "07"),  # a question's own port
            ("1500010A", 5070, "01"),  # connected
        ],
        udp6=[("00000000000000000000000000000000", 5060, "07")],
    )
    [warning] = host.look(enable=True).warnings
    assert "listen on: 161/udp, 5060/udp, 5062/tcp. Allow first what must stay open: ufw allow PORT/PROTOCOL" in warning


@pytest.mark.parametrize(
    ("rule", "before", "told"),
    [
        ("", "", True),
        ("", "# -A ufw-before-input -p 112 -j ACCEPT\n", True),
        ("", "-A ufw-before-input -d 224.0.0.18 -p vrrp -j ACCEPT\n", False),
        ("", "-A ufw-before-input -p 112 -j ACCEPT\n", False),
        ("allow vrrp any 224.0.0.18 any 10.1.0.12 in", "", False),
        ("allow any any 0.0.0.0/0 any 10.1.0.12 in", "", False),
        ("allow tcp any 0.0.0.0/0 any 10.1.0.12 in", "", True),
    ],
)
def test_keepalived_that_no_rule_lets_hear_the_others_is_told(host: Host, rule: str, before: str, told: bool) -> None:
    host.rules("user", *([rule] if rule else []))
    host.write("before", before)
    host.sockets(raw=[("00000000", 1, "07")])
    assert host.look(enable=True).warnings == []
    host.sockets(raw=[("00000000", 112, "07")])
    assert ["VRRP" in each for each in host.look(enable=True).warnings] == [True] * told
    assert host.look().warnings == []


def test_rules_that_ufw_does_not_touch_without_ipv6_are_named_by_the_undo(host: Host, state: Path) -> None:
    host.rules(
        "user6",
        f"allow tcp 5701:5801 ::/0 any 2001:db8::/32 in {OURS}",
        "allow tcp 22 ::/0 any ::/0 in",
    )
    section = Section("firewall", "ufw", {"rules": RULES})
    with Transaction("firewall", keep=False) as transaction:
        firewall.undo(section, transaction)
    assert (host.called, transaction.said) == (
        [],
        [
            "'allow 5701:5801/tcp from 2001:db8::/32' stays in /etc/ufw/user6.rules: ufw filters no IPv6, and changes"
            " no such rule. With IPV6=yes in /etc/default/ufw it counts again; then remove it: ufw delete allow proto"
            " tcp from 2001:db8::/32 to any port 5701:5801"
        ],
    )


def test_this_hosts_own_tables_are_read() -> None:
    assert sockets.ephemeral()[0] > 1023
    assert all(isinstance(each, Socket) for each in sockets.datagrams())
    assert all(0 <= each < 256 for each in sockets.raw())
