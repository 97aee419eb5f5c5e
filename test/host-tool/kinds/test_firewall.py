from __future__ import annotations

import signal
import subprocess
import sys
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from jtel_chat import __main__
from jtel_chat.access import disk
from jtel_chat.documents.document import Section
from jtel_chat.engine import steps
from jtel_chat.errors import Failed, Refused
from jtel_chat.firewall import check, trial, ufw
from jtel_chat.firewall.check import Plan, findings
from jtel_chat.firewall.rules import Connection, Entry, Rule, admitted, allowed, broader, deciding, parse, shadowing
from jtel_chat.kinds import firewall
from jtel_chat.net import sockets
from jtel_chat.programs import process

OURS = "comment=6a74656c2d63686174"


def entries(*tuples: str) -> list[Entry]:
    return parse("".join(f"\n### tuple ### {words}\n-A whatever\n" for words in tuples))


def rules(*lines: str) -> list[Rule]:
    return [rule for line in lines for rule in firewall._parse(line)]


def connection(source: str, port: int = 5701, interface: str = "eth0") -> Connection:
    return Connection(ip_address(source), ip_address("fd00::21" if ":" in source else "10.1.0.21"), port, interface)


def plan(present: list[Entry], wanted: list[Rule], active: bool = True, enable: str = "", members: str = "") -> Plan:
    return Plan(present, wanted, active, enable, members)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "allow 3003/tcp",
            ["allow proto tcp from 0.0.0.0/0 to any port 3003", "allow proto tcp from ::/0 to any port 3003"],
        ),
        ("allow 5701:5801/tcp from 10.1.0.21", ["allow proto tcp from 10.1.0.21 to any port 5701:5801"]),
        ("allow 3000/tcp from 10.1.0.9/24 on eth0", ["allow in on eth0 proto tcp from 10.1.0.0/24 to any port 3000"]),
        ("allow 3000/tcp from FD00:0::9/64", ["allow proto tcp from fd00::/64 to any port 3000"]),
    ],
)
def test_rules_in_ufws_words_one_for_each_family(line: str, words: list[str]) -> None:
    assert [" ".join(rule.arguments()) for rule in rules(line)] == words


def test_ufws_tuples_are_read_with_action_owner_and_profile() -> None:
    found = entries(
        f"allow tcp 3000 0.0.0.0/0 any 10.1.0.11 in {OURS}",
        "allow_log tcp 22 0.0.0.0/0 any 0.0.0.0/0 in_eth0 comment=e282ac27",
        "allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 WWW%20Full - in",
        "limit any 5060 10.1.0.21 any fd00::/64 in",
        "deny udp any 0.0.0.0/0 any 10.9.0.0/16",
    )
    assert [(str(entry), entry.ours) for entry in found] == [
        ("allow 3000/tcp from 10.1.0.11", True),
        ("allow 22/tcp on eth0", False),
        ("allow WWW Full", False),
        ("limit 5060/any from fd00::/64 to 10.1.0.21/32", False),
        ("deny any/udp from 10.9.0.0/16", False),
    ]


def test_what_would_be_added_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    there = entries("allow tcp 3000 0.0.0.0/0 any 10.1.0.11 in")
    for name, found in {"is_installed": True, "is_active": False, "has_ipv6": True, "entries": there}.items():
        monkeypatch.setattr(ufw, name, lambda found=found: found)
    monkeypatch.setattr(sockets, "ports_of", lambda _: [22])
    lines = "allow 3000/tcp from 10.1.0.11\nallow 3003/tcp\n"
    assert firewall.due(Section("firewall", "ufw", {"rules": lines})) == {"rule 'allow 3003/tcp'": "added"}
    assert firewall.due(Section("firewall", "ufw", {"rules": lines, "enable": "30min"})) == {
        **{"rule 'allow 3003/tcp'": "added", "rule 'allow 22/tcp'": "added"},
        "ufw": "switched on",
    }
    monkeypatch.setattr(ufw, "is_active", lambda: True)
    assert "ufw" not in firewall.due(Section("firewall", "ufw", {"rules": lines, "enable": "30min"}))


@pytest.mark.parametrize(
    "words",
    ["route:allow tcp 3000 0.0.0.0/0 any 0.0.0.0/0 in_eth0!out_eth1", "deny tcp 3000 0.0.0.0/0 any 0.0.0.0/0 out"],
)
def test_what_routes_or_goes_out_is_not_ours_to_judge(words: str) -> None:
    assert entries(words) == []


@pytest.mark.parametrize(
    "words", [f"limit tcp 3000 0.0.0.0/0 any 10.1.0.11 in {OURS}", f"allow tcp 3000 10.1.0.21 any 10.1.0.11 in {OURS}"]
)
def test_our_comment_on_a_rule_that_we_never_make_does_not_make_it_ours(words: str) -> None:
    assert not entries(words)[0].ours


def test_the_first_matching_entry_decides() -> None:
    found = entries(
        "deny tcp any 0.0.0.0/0 any 10.1.0.0/24 in_eth1", "allow tcp 5701:5801 0.0.0.0/0 any 10.1.0.0/16 in"
    )
    assert admitted(found, connection("10.1.0.9"))
    assert str(deciding(found, connection("10.1.0.9", interface="eth1"))) == "deny any/tcp from 10.1.0.0/24 on eth1"
    assert deciding(found, connection("10.1.0.9", port=5802)) is None
    assert not admitted(found, connection("fd00::9"))


def test_a_deny_counts_as_shadow_only_before_ours() -> None:
    before, after = "deny any any 0.0.0.0/0 any 10.1.0.0/24 in", "deny tcp 3000 0.0.0.0/0 any 10.0.0.0/8 in"
    found = entries(before, f"allow tcp 3000 0.0.0.0/0 any 10.1.0.11 in {OURS}", after)
    (wanted,) = rules("allow 3000/tcp from 10.1.0.11")
    assert [str(entry) for entry in shadowing(found, wanted)] == ["deny any/any from 10.1.0.0/24"]
    assert len(shadowing([found[0], found[2]], wanted)) == 2  # ours would come last


@pytest.mark.parametrize(
    ("words", "wide"),
    [
        ("allow tcp 3000 0.0.0.0/0 any 0.0.0.0/0 in", True),
        ("limit any 3000:3010 0.0.0.0/0 any 10.0.0.0/8 in", True),
        ("allow any any 0.0.0.0/0 any 10.1.0.0/24 in_eth0", True),
        ("allow tcp 3000 0.0.0.0/0 any 10.1.0.11 in_eth0", False),  # the same
        ("allow tcp 3000 0.0.0.0/0 any 10.1.0.99 in", False),  # somebody else, on purpose
        ("allow tcp 3000 0.0.0.0/0 any 0.0.0.0/0 in_eth1", False),  # not through ours
        ("deny tcp 3000 0.0.0.0/0 any 0.0.0.0/0 in", False),
        (f"allow tcp 3000 0.0.0.0/0 any 0.0.0.0/0 in {OURS}", False),
    ],
)
def test_a_customers_rule_is_broader_when_it_lets_in_all_of_ours_and_more(words: str, wide: bool) -> None:
    assert bool(broader(entries(words), rules("allow 3000/tcp from 10.1.0.11 on eth0"))) == wide


def test_nothing_is_broader_than_everybody() -> None:
    assert (
        broader(
            entries("allow tcp 3003 0.0.0.0/0 any 0.0.0.0/0 in", "allow any any 0.0.0.0/0 any 10.0.0.0/8 in"),
            rules("allow 3003/tcp"),
        )
        == []
    )


def test_sockets_are_read_in_both_families_and_mapped_peers_by_their_ipv4_address() -> None:
    four = "   0: 1500010A:1645 0900010A:C350 01 00000000:00000000 00:00000000 00000000     0        0 1 1\n"
    six = (
        "   1: 0000000000000000FFFF00001500010A:1645 0000000000000000FFFF00000900010A:C351 01 00000000:00000000"
        " 00:00000000 00000000     0        0 3 1\n"
    )
    listening = "   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1\n"
    found = sockets.parse("header\n" + four + six + listening, "01")
    assert [(str(each.remote), each.remote_port, each.port) for each in found] == [
        ("10.1.0.9", 50000, 5701),
        ("10.1.0.9", 50001, 5701),
    ]
    assert [each.port for each in sockets.parse(four + listening, "0A")] == [22]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """10.1.0.9 is connected to the cluster's port, over eth0."""
    monkeypatch.setattr(check, "_connected", lambda _: [connection("10.1.0.9")])


@pytest.mark.usefixtures("connected")
class TestAMemberOutside:
    inside = ("allow 5701:5801/tcp from 10.1.0.21",)
    broad = f"allow tcp 5701:5801 0.0.0.0/0 any 10.1.0.0/24 in {OURS}"

    def look(
        self, *present: str, wanted: tuple[str, ...] = inside, active: bool = True, enable: str = ""
    ) -> check.Findings:
        found = plan(entries(*present), rules(*wanted), active, enable, "5701:5801")
        return check._members(found, check._connected(found.members))

    def test_that_a_wanted_rule_lets_in_is_not_outside(self) -> None:
        assert self.look(wanted=("allow 5701:5801/tcp from 10.1.0.0/24",)) == ([], [])

    def test_that_no_rule_lets_in_is_told_with_the_key_to_change(self) -> None:
        problems, (warning,) = self.look()
        assert problems == []
        assert "10.1.0.9 is connected to the cluster's port 5701" in warning
        assert "firewall.sources" in warning

    def test_that_a_rule_of_ours_lets_in_is_not_cut_off(self) -> None:
        (problem,), warnings = self.look(self.broad)
        assert warnings == []
        assert "10.1.0.9" in problem
        assert "'allow 5701:5801/tcp from 10.1.0.0/24'" in problem
        assert "firewall.sources" in problem

    def test_that_a_customers_rule_lets_in_may_lose_ours(self) -> None:
        problems, (warning,) = self.look(self.broad, "allow any any 0.0.0.0/0 any 10.0.0.0/8 in")
        assert problems == []
        assert "'allow any/any from 10.0.0.0/8' lets it in" in warning

    def test_is_only_told_while_ufw_is_off_but_not_shut_out_by_switching_it_on(self) -> None:
        assert self.look(self.broad, active=False).problems == []
        assert "switched on" in self.look(active=False, enable="30min").problems[0]

    def test_on_another_interface_is_outside(self) -> None:
        assert self.look(wanted=("allow 5701:5801/tcp from 10.1.0.0/24 on eth1",)).warnings


def test_a_customers_opposite_rule_is_a_problem_since_ufw_holds_one_of_them_only() -> None:
    found = findings(plan(entries("deny tcp 3000 0.0.0.0/0 any 10.1.0.11 in"), rules("allow 3000/tcp from 10.1.0.11")))
    assert found.problems == [
        "your rule 'deny 3000/tcp from 10.1.0.11' forbids just what 'allow 3000/tcp from 10.1.0.11' is to allow. "
        "Remove yours: ufw delete deny proto tcp from 10.1.0.11 to any port 3000"
    ]


def test_a_customers_same_rule_serves_and_a_limiting_one_is_told() -> None:
    wanted = rules("allow 3000/tcp from 10.1.0.11")
    assert findings(plan(entries("allow_log tcp 3000 0.0.0.0/0 any 10.1.0.11 in"), wanted)) == ([], [])
    assert "six connections" in findings(plan(entries("limit tcp 3000 0.0.0.0/0 any 10.1.0.11 in"), wanted)).warnings[0]
    assert firewall._missing(entries("limit tcp 3000 0.0.0.0/0 any 10.1.0.11 in"), wanted) == []


def test_a_cluster_that_is_open_to_everybody_is_told() -> None:
    (warning,) = findings(plan([], rules("allow 5701:5801/tcp"), members="5701:5801")).warnings
    assert "5701:5801/tcp is open to everybody" in warning
    assert "no authentication" in warning


def test_an_interface_that_is_not_there_is_named() -> None:
    (problem,) = findings(plan([], rules("allow 3000/tcp from 10.1.0.11 on nic7"))).problems
    assert "no interface 'nic7'" in problem


def test_the_plan_keeps_the_customers_entries_and_puts_new_ones_last() -> None:
    present = entries("deny tcp 25 0.0.0.0/0 any 0.0.0.0/0 in", f"allow tcp 3000 0.0.0.0/0 any 0.0.0.0/0 in {OURS}")
    (wanted,) = rules("allow 3000/tcp from 10.1.0.11")
    assert plan(present, [wanted]).after == [present[0], allowed(wanted)]


def test_a_rules_file_without_its_end_is_still_being_written(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = iter(
        ["", "### tuple ### allow tcp 30", "### tuple ### allow tcp 3000 0.0.0.0/0 any 0.0.0.0/0 in\nCOMMIT\n"]
    )

    monkeypatch.setattr(disk, "text_or", lambda *_: next(texts))
    assert len(parse(ufw._whole(Path("/etc/ufw/user.rules")))) == 1


def test_who_keeps_ufw_waiting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ufw, "LOCK", tmp_path / "ufw.lock")
    holding = (
        f"import fcntl, time; lock = open('{ufw.LOCK}', 'w'); fcntl.lockf(lock, fcntl.LOCK_EX); print('held',"
        " flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", holding, "delete", "3"], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(Failed, match=rf"delete 3 \(process {holder.pid}\)', which may be asking"), ufw.at_rest(0.2):
            pass
        holder.kill()
    with ufw.at_rest(0.2):
        pass


def test_everywhere_of_one_family_is_not_the_other() -> None:
    four, six = rules("allow 3003/tcp")
    assert (four.source, six.source) == (ip_network("0.0.0.0/0"), ip_network("::/0"))
    assert not four.overlaps(six)
    assert firewall._missing(entries("allow tcp 3003 0.0.0.0/0 any 0.0.0.0/0 in"), [four, six]) == [six]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), Refused("its folder is gone"), None])
def test_a_boot_ends_a_trial_also_where_nothing_can_be_put_back(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    def recover_all(booting: bool) -> list[str]:
        if error:
            raise error
        signal.raise_signal(signal.SIGTERM)  # systemd's, after TimeoutStartSec
        return []

    ended: list[str] = []
    monkeypatch.setattr(steps, "recover_all", recover_all)
    monkeypatch.setattr(trial, "end", ended.append)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert __main__.main(["recover", "--at-boot"]) in (1, 3)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended == ["the host was started anew"]


@pytest.mark.parametrize(
    ("line", "kernel", "filtered"),
    [
        ("IPV6=yes", True, True),
        ("IPV6=Yes", True, True),
        ('IPV6="yes"', True, True),
        ("IPV6=yes", False, False),
        ("IPV6=no", True, False),
        ("IPV6=yes   # since 2023", True, False),
        ("IPV6=no\nIPV6=yes", True, True),
        ("#IPV6=yes", True, False),
    ],
)
def test_ipv6_is_read_as_ufw_reads_it_and_the_kernel_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, kernel: bool, filtered: bool
) -> None:
    (tmp_path / "ufw").write_text(f"# comment\n{line}\n")
    if kernel:
        (tmp_path / "ipv6").mkdir()
    monkeypatch.setattr(ufw, "_DEFAULTS", tmp_path / "ufw")
    monkeypatch.setattr(ufw, "_KERNEL_IPV6", tmp_path / "ipv6")
    assert ufw.has_ipv6() == filtered


def test_a_ufw_that_was_removed_and_not_purged_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ufw.conf").write_text("ENABLED=yes\n")
    monkeypatch.setattr(ufw, "_CONFIGURATION", tmp_path / "ufw.conf")
    monkeypatch.setattr(disk, "executable", lambda _: None)
    assert not ufw.is_installed()
    assert firewall.observe(Section("firewall", "ufw", {"rules": "allow 3000/tcp\n"})).problems == [
        "ufw is not installed. Install it ('apt install ufw'), allow ssh, then repeat"
    ]
    monkeypatch.setattr(disk, "executable", lambda _: "/usr/sbin/ufw")
    assert ufw.is_installed()


@pytest.mark.parametrize(
    ("code", "rules", "filters"),
    [
        (0, "-P INPUT DROP\n-A INPUT -j ufw-before-logging-input\n-A INPUT -j ufw-before-input\n", True),
        (0, "-P INPUT ACCEPT\n", False),
        (127, "", True),
    ],
)
def test_whether_ufw_filters_is_asked_of_the_kernel(
    monkeypatch: pytest.MonkeyPatch, code: int, rules: str, filters: bool
) -> None:
    done = subprocess.CompletedProcess((), code, rules, "")
    monkeypatch.setattr(process, "attempt", lambda *_, **__: done)
    assert ufw.filters() == filters


def test_a_ufw_that_somebody_has_stopped_is_drift_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"is_installed": True, "is_active": True, "has_ipv6": True, "entries": []}.items():
        monkeypatch.setattr(ufw, name, lambda value=value: value)
    section = Section("firewall", "ufw", {"rules": "allow 3000/tcp\n"})
    monkeypatch.setattr(ufw, "filters", lambda: True)
    before = firewall.observe(section)
    monkeypatch.setattr(ufw, "filters", lambda: False)
    after = firewall.observe(section)
    assert (before.state["ufw"], after.state["ufw"]) == ("active", "stopped")
    assert "systemctl restart ufw" in after.warnings[0]
    assert before.warnings == []
