from __future__ import annotations

import json
from typing import Any

import pytest
from jtel_chat.engine import observing, record, steps
from jtel_chat.errors import Failed, Refused
from jtel_chat.kinds import service
from jtel_chat.net import listeners
from jtel_chat.programs import process
from unit_of_machine import UNIT, Machine, applied, apply, runs, section, text


def test_a_process_is_current_until_what_it_loads_changes_and_again_when_that_comes_back(machine: Machine) -> None:
    assert runs() == "stopped"
    assert f"restarted {UNIT}: it was not running" in apply()
    assert service.observe(section()).state == {
        f"active:{UNIT}": "active",
        f"enabled:{UNIT}": "enabled",
        f"runs:{UNIT}": "current",
    }
    machine.file.write_text("two")
    assert runs() == f"changed:content:{machine.file}"
    assert service.why(runs()) == f"{machine.file} changed since its start"
    machine.file.write_text("one")
    assert runs() == "current"
    machine.properties["NeedDaemonReload"] = "yes"
    assert runs() == "reload"


@pytest.mark.parametrize(
    ("document", "more"),
    [
        ("fedcba9876543210", {}),
        ("0123456789abcdef", {"restored": ["restored:2026-12-01T12:00:00Z"]}),
        ("", {"state": {"content:/etc/jtel-chat/clientmessenger.args": "fedcba9876543210"}}),
    ],
    ids=["another run's", "put back", "another run's secret"],
)
def test_health_is_not_told_of_what_another_run_has_brought_or_was_put_back(
    machine: Machine, document: str, more: dict[str, Any]
) -> None:
    applied(document, **more)
    with pytest.raises(Refused, match="something else than this run has applied, of messenger: another run"):
        apply()
    assert machine.properties["ActiveState"] == "inactive"
    assert record.read("messenger-running") is None


def test_a_secret_is_known_by_its_fingerprint(machine: Machine) -> None:
    applied("", state={"content:/etc/jtel-chat/clientmessenger.args": "0123456789abcdef"})
    assert f"{UNIT} is healthy" in apply()


def test_what_changes_between_a_stop_and_the_start_is_what_the_process_has_loaded(machine: Machine) -> None:
    apply()
    machine.stop()
    machine.file.write_text("two")
    machine.start()
    assert runs() == "current"


def test_a_start_that_nothing_attested_owes_a_restart_and_says_what_to_look_at(machine: Machine) -> None:
    apply()
    machine.stop()
    machine.attests = False
    machine.start()
    assert runs() == "unattested"
    assert "systemctl status jtel-chat-attest.service" in service.why(runs())
    with pytest.raises(Failed, match="was restarted, but still: nothing noted"):
        apply()


@pytest.mark.parametrize("change", [{"boot": "another"}, {"begun": 0}, {"ended": 1 << 60}])
def test_an_attestation_holds_for_this_boot_and_between_the_last_stop_and_the_start_only(
    machine: Machine, change: dict[str, Any]
) -> None:
    apply()
    machine.stop()
    machine.start()
    assert runs() == "current"
    path = service._attested() / UNIT
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert runs() == "unattested"


def test_asking_for_a_start_of_what_is_started_attests_nothing(machine: Machine) -> None:
    apply()
    machine.file.write_text("two")
    service.attest(UNIT)
    assert runs() == f"changed:content:{machine.file}"


def test_a_service_that_ran_before_us_is_unmanaged(machine: Machine) -> None:
    machine.attests = False
    machine.start()
    assert service.why(runs()) == "it was started before it was managed"


def test_a_start_that_an_earlier_versions_drop_in_has_attested_stays_current(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply()
    machine.stop()
    machine.attests = False
    machine.start()
    earlier = {"invocation": machine.properties["InvocationID"], "loads": {str(machine.file): "one"}}
    (service._attested() / UNIT).write_text(json.dumps(earlier))
    assert runs() == "current"
    machine.file.write_text("two")
    assert service.why(runs()) == f"{machine.file} changed since its start"
    # That drop-in is still there when the new tool comes, and calls it within the next start.
    machine.stop()
    machine.start()
    machine.properties["ActiveState"] = "activating"
    monkeypatch.setenv("INVOCATION_ID", machine.properties["InvocationID"])
    service.attest(UNIT)
    machine.properties["ActiveState"] = "active"
    assert runs() == "current"


def test_a_restart_of_systemds_own_is_attested_whether_or_not_the_unit_is_inactive_in_between(machine: Machine) -> None:
    apply()
    machine.file.write_text("two")
    machine.stop()
    machine.properties |= {"ActiveState": "activating", "SubState": "auto-restart-queued"}  # systemd 257
    machine.start()
    assert runs() == "current"
    machine.properties |= {"ActiveState": "activating", "SubState": "start"}
    machine.file.write_text("three")
    service.attest(UNIT)  # by hand, when the process may have read the file already
    machine.properties |= {"ActiveState": "active", "SubState": "running"}
    assert runs() == f"changed:content:{machine.file}"


@pytest.mark.parametrize(
    ("runs", "updated"),
    [
        ("changed:package:openjdk-17-jdk", True),
        ("changed:java,package:openjdk-17-jdk", True),
        ("changed:content:/etc/x,package:openjdk-17-jdk", False),
        ("changed:content:/etc/x", False),
        ("reload", False),
        ("stopped", False),
    ],
)
def test_an_update_of_the_system_owes_a_restart_and_is_no_drift(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, runs: str, updated: bool
) -> None:
    apply()
    applied = service.observe(section()).state
    monkeypatch.setattr(service, "what_runs", lambda *_: runs)
    seen = service.observe(section())
    assert (seen.state == applied) == updated
    assert seen.owed == ([f"{UNIT}: {service.why(runs)}"] if updated else [])
    assert seen.facts[f"owed:{UNIT}"] == runs
    answer = steps.observe("messenger-running", text())
    assert (answer["drifted"], answer["generation"]) == (not updated, 2)
    assert any("The next up restarts it" in line for line in answer["warnings"]) == updated


def test_units_that_were_edited_by_hand_are_read_before_the_one_restart_that_they_owe(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply()
    machine.properties["NeedDaemonReload"] = "yes"
    attempt, calls = machine.attempt, []

    def reloading(*argv: str, **more: Any) -> Any:
        calls.append(argv[1])
        if argv[1] == "daemon-reload":
            machine.properties["NeedDaemonReload"] = "no"
        return attempt(*argv, **more)

    monkeypatch.setattr(process, "attempt", reloading)
    assert f"restarted {UNIT}: systemd has not read its unit again" in apply()
    assert calls == ["daemon-reload", "reset-failed", "restart"]
    assert apply() == [f"{UNIT} is healthy"]


@pytest.mark.parametrize("runs", ["stopped", "current"])
def test_another_program_on_its_port_is_seen_before_anything_is_installed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, runs: str
) -> None:
    holder = listeners.Holder(4711, "node", "portal.service")
    monkeypatch.setattr(service, "what_runs", lambda *_: runs)
    monkeypatch.setattr(listeners, "listening", lambda ports: [ports])
    monkeypatch.setattr(listeners, "holder", lambda *_: holder)
    assert service.observe(section()).problems == []
    with observing.looking():
        seen = service.observe(section())
    said = [
        f"port 3000 of {UNIT} is held by node (process 4711 of portal.service). Free it: end that program, then repeat"
    ]
    assert (seen.problems, seen.warnings) == ((said, []) if runs == "stopped" else ([], said))
    holder = listeners.Holder(1, "java", UNIT)
    with observing.looking():
        assert service.observe(section()).problems == []


def test_a_look_names_the_chat_servers_to_which_chats_do_not_cross(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jtel_chat.hazelcast import cluster

    apply()
    clustered = section(cluster="/x/hazelcast.xml")
    monkeypatch.setattr(cluster, "others", lambda *_: {"chatserver2": False, "chatserver3": True})
    assert service.observe(clustered).warnings == []  # a starting service asks nobody
    with observing.looking():
        seen = service.observe(clustered)
        assert seen.facts[f"members:{UNIT}"] == "2/3"
        [warning] = seen.warnings
        assert warning.startswith(f"{UNIT} is not connected to Hazelcast's member on chatserver2: chats do not cross")
    machine.stop()
    with observing.looking():
        assert service.observe(clustered).warnings == []
