from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.documents.declaration import PATH, Field
from jtel_chat.documents.document import Section
from jtel_chat.engine import steps, transaction
from jtel_chat.errors import Refused
from jtel_chat.kinds import unit
from jtel_chat.programs import process
from jtel_chat.systemd import unit_state

VENDOR = """\
[Unit]
Description=chat
After=network-online.target

[Service]
User=jtel
Environment=DATADIR=/elsewhere
ExecStart=/usr/bin/java -Dconnection=jdbc:x?password=<password> Main
StandardError=syslog

[Install]
WantedBy=multi-user.target
"""
OURS = """\
# Written by jtel-chatctl from the vendor's unit; it would undo changes made here.
[Unit]
Description=chat
After=network-online.target
Wants=jtel-chat-attest.service
After=jtel-chat-attest.service
After=remote-fs.target

[Service]
User=jtel
Group=jtel
NoNewPrivileges=yes
CapabilityBoundingSet=
RestrictSUIDSGID=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectClock=yes
RuntimeDirectory=jtel-clientmessenger
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
ExecStartPre=/usr/local/sbin/jtel-chatctl mounted /home/jtel/shared
Restart=on-failure
RestartSec=5
Environment=DATADIR=/elsewhere
StandardError=journal
Environment=DATADIR={data}
LoadCredential=x.args:/etc/jtel-chat/x.args
ExecStart=/usr/bin/java -XX:-UsePerfData -XX:ErrorFile=/run/jtel-clientmessenger/hs_err.log @${{CREDENTIALS_DIRECTORY}}/x.args Main

[Install]
WantedBy=multi-user.target
"""  # noqa: E501


@pytest.fixture
def program(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    anywhere = {
        **unit.DECLARATION.fields,
        "from": Field(PATH),
        "offered": Field(PATH),
        "argument": Field("-D.*="),
        "argument-file": Field(PATH),
    }
    monkeypatch.setattr(unit, "DECLARATION", unit.DECLARATION._replace(fields=anywhere))
    monkeypatch.setattr(unit_state, "properties", lambda _: {"ActiveState": "inactive", "DropInPaths": ""})
    for folder in ("home/bin", "home/systemd", "share/systemd", "Data/Clients"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def section(program: Path, **fields: str) -> Section:
    paths = {
        "from": f"{program}/home/systemd/x.service",
        "offered": f"{program}/share/systemd/x.service",
        "data": f"{program}/Data/Clients/",
    }
    handover = {} if "environment-file" in fields else {"argument-file": "/etc/jtel-chat/x.args"}
    return Section("unit", "x.service", {**paths, "argument": "-Dconnection=", **handover, **fields})


def installed(program: Path, text: str) -> Path:
    path = program / "home/systemd/x.service"
    path.write_text(text)
    return path


def command(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("ExecStart="))


def test_our_unit_is_the_vendors_lines_and_ours_with_the_connection_as_a_credential(program: Path) -> None:
    given = section(program, mount="/home/jtel/shared")
    assert unit._ours(given, VENDOR.encode()) == OURS.format(data=f"{program}/Data/Clients/")


def test_what_of_a_unit_by_hand_would_be_written_is_said(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = program / "system"
    monkeypatch.setattr(unit, "SYSTEM", system)
    monkeypatch.setattr(unit.itself, "brought", lambda _: "attest\n")
    system.mkdir()
    (system / "x.service").write_text(VENDOR)
    installed(program, VENDOR)
    given = section(program, mount="/home/jtel/shared")
    paths = (system / "x.service", system / unit.ATTEST)
    assert unit.due(given) == dict.fromkeys(map(str, paths), "written")
    for path, text in zip(paths, (unit._ours(given, VENDOR.encode()), unit._attestation(given)), strict=True):
        path.write_text(text)
    assert unit.due(given) == {}


def test_a_start_is_tried_again_where_a_share_is_mounted_and_as_the_vendor_says_where_he_does(program: Path) -> None:
    vendor = VENDOR.replace("User=jtel\n", "User=jtel\nRestart=always\n").encode()
    hosted, mounted = unit._ours(section(program), vendor), unit._ours(section(program, mount="/srv/shared"), vendor)
    assert [line for line in hosted.splitlines() if line.startswith("Restart")] == ["Restart=always"]
    assert "ExecStartPre" not in hosted
    assert [line for line in mounted.splitlines() if line.startswith("Restart")] == ["RestartSec=5", "Restart=always"]
    assert unit._attestation(section(program, mount="/srv/shared")).count("RequiresMountsFor=/srv/shared\n") == 1
    assert "RequiresMountsFor" not in unit._attestation(section(program))


def test_a_unit_without_user_and_target_runs_as_the_services_user_at_boot(program: Path) -> None:
    text = unit._ours(section(program), VENDOR.replace("User=jtel\n", "").partition("\n[Install]")[0].encode())
    assert "User=jtel\nGroup=jtel\n" in text
    assert text.endswith("[Install]\nWantedBy=multi-user.target\n")


@pytest.mark.usefixtures("state")
def test_every_line_beside_the_list_is_named_with_its_reason_and_what_to_do(program: Path) -> None:
    added = "User=root\nExecStartPre=+/bin/sh \\\n  -c 'id > /etc/x'\nStandardOutput=append:/etc/cron.d/x\n"
    path = installed(program, VENDOR.replace("User=jtel\n", added).replace("[Install]", "[Servce]\nNice=1\n[Install]"))
    assert unit.observe(section(program)).problems == [
        (
            f"{path}, line 6: 'User=root' has another value than jtel. Ask the vendor, or take the line as it is:"
            ' clientMessenger.unit.accept: ["User=root"]'
        ),
        (
            f"{path}, line 7: 'ExecStartPre=+/bin/sh    -c 'id > /etc/x'' does not begin with the plain path of a"
            " program: a prefix (@ - : + ! |) changes whose rights it has, or what its failure means. Ask the vendor,"
            " or take the line as it is: clientMessenger.unit.accept: [\"ExecStartPre=+/bin/sh    -c 'id > /etc/x'\"]"
        ),
        (
            f"{path}, line 9: 'StandardOutput=append:/etc/cron.d/x' has another value than journal, null, inherit or"
            " syslog. Ask the vendor, or take the line as it is: clientMessenger.unit.accept:"
            ' ["StandardOutput=append:/etc/cron.d/x"]'
        ),
        (
            f"{path}, line 15: 'Nice=1' stands in [Servce], which is no section of a service's unit. Correct it in that"
            " file"
        ),
    ]
    with (
        pytest.raises(Refused, match=r"line 6.*\n.*line 7.*\n.*line 9.*\n.*line 15"),
        transaction.Transaction("messenger") as nothing,
    ):
        unit.apply(section(program), nothing)


def test_a_line_that_a_person_has_accepted_word_for_word_is_taken_behind_our_limits(program: Path) -> None:
    lines = ["User=chat", "NoNewPrivileges=no", "ExecStartPre=+/bin/true"]
    installed(program, VENDOR.replace("User=jtel", "\n".join(lines)))
    accepted = section(program, accept="\n".join([*lines, "Nice=3"]) + "\n")
    assert unit.observe(accepted).problems == []
    text = unit._ours(accepted, (program / "home/systemd/x.service").read_bytes())
    assert (
        text.index("User=jtel")
        < text.index("NoNewPrivileges=yes")
        < text.index("User=chat")
        < text.index("NoNewPrivileges=no")
    )
    assert "Nice=3" not in text
    [problem] = unit.observe(section(program, accept="\n".join(lines[1:]) + "\n")).problems
    assert "'User=chat'" in problem


def test_a_line_with_a_password_is_shown_without_it(program: Path) -> None:
    installed(program, VENDOR.replace("User=jtel", "EnvironmentFile=/x?password=s3cret"))
    [problem] = unit.observe(section(program)).problems
    assert "s3cret" not in problem
    assert problem.endswith('["EnvironmentFile=/x?password=…"] (with what is left out here)')


def test_where_the_unit_forbids_variables_the_credential_is_named_by_its_path(program: Path) -> None:
    assert command(unit._ours(section(program), VENDOR.replace("=/usr", "=:/usr").encode())).endswith(
        "@/run/credentials/x.service/x.args Main"
    )


def test_java_8_gets_the_connection_as_a_variable_and_a_warning_says_who_can_read_it(program: Path) -> None:
    eight = section(program, **{"environment-file": "/etc/jtel-chat/x.env"})
    installed(program, VENDOR)
    text = unit._ours(eight, VENDOR.encode())
    assert "EnvironmentFile=/etc/jtel-chat/x.env" in text
    assert command(text).endswith("${JTEL_CHAT_CONNECTION} Main")
    assert "with ps" in unit.observe(eight).warnings[0]
    unexpanded = VENDOR.replace("=/usr", "=:/usr")
    line = next(line for line in unexpanded.splitlines() if line.startswith("ExecStart"))
    installed(program, unexpanded)
    eight.fields["accept"] = f"{line}\n"
    assert "forbids variables" in unit.observe(eight).problems[0]


def test_a_start_script_is_refused_with_its_line_and_without_the_password(program: Path) -> None:
    script = program / "home/bin/start.sh"
    script.write_text("#!/bin/sh\ncd ..\nexec java -Dconnection=jdbc:x?password=s3cret&y Main\n")
    path = installed(program, f"[Service]\nExecStart={script}\n")
    [problem] = unit.observe(section(program)).problems
    assert (
        problem
        == f"{path}: its ExecStart has 0 words '-Dconnection=…', expected is one: {script}; it stands in {script}, line"
        " 3: exec java -Dconnection=jdbc:x?password=…. Start java in the unit itself, with that argument in"
        " ExecStart, as the vendor ships it"
    )


def test_a_program_outside_the_release_is_not_looked_into(program: Path) -> None:
    elsewhere = program / "elsewhere"
    elsewhere.write_text("-Dconnection=something of root's\n")
    installed(program, f"[Service]\nExecStart={elsewhere}\n")
    [problem] = unit.observe(section(program)).problems
    assert "something" not in problem


def test_before_the_first_installation_the_shares_unit_is_looked_at(program: Path) -> None:
    (program / "home/bin").rmdir()
    assert unit.observe(section(program)).problems == []
    offered = program / "share/systemd/x.service"
    offered.write_text(VENDOR.replace("-Dconnection", "-Dother"))
    assert f"{offered}: its ExecStart has 0 words" in unit.observe(section(program)).problems[0]


def test_the_shares_unit_is_looked_at_where_it_is_what_an_up_installs(program: Path) -> None:
    installed(program, VENDOR)
    (program / "share/systemd/x.service").write_text(VENDOR.replace("User=jtel", "User=root"))
    assert unit.observe(section(program, release="hold")).problems == []
    assert "User=root" in unit.observe(section(program, release="follow")).problems[0]


def test_a_release_without_a_unit_is_named(program: Path) -> None:
    assert "the release brings no unit" in unit.observe(section(program)).problems[0]


def test_limits_that_a_program_may_notice_are_there_only_on_request(program: Path) -> None:
    wanted = [
        "PrivateTmp=yes",
        "ProtectSystem=strict",
        f"ReadWritePaths=/home/jtel -{program}/Data/Clients/",
        "RestrictAddressFamilies=",
    ]
    text = unit._ours(section(program, limits="tmp\nfiles\nnetwork\n"), VENDOR.encode())
    assert all(line in text for line in wanted)
    assert not any(line in unit._ours(section(program), VENDOR.encode()) for line in wanted)


def test_a_password_that_was_typed_into_the_unit_is_named_until_nobody_can_read_it(program: Path) -> None:
    path = installed(program, VENDOR.replace("<password>", "s3cret"))
    [warning] = unit.observe(section(program)).warnings
    assert warning.endswith(f"chmod 600 {path}")
    assert "s3cret" not in unit._ours(section(program), path.read_bytes())
    path.chmod(0o600)
    assert unit.observe(section(program)).warnings == []


def test_attachments_in_a_folder_of_another_case_are_named(program: Path) -> None:
    installed(program, VENDOR)
    (program / "Data/Clients").rename(program / "Data/clients")
    [warning] = unit.observe(section(program)).warnings
    assert "beside it is 'clients'" in warning


@pytest.fixture
def system(state: Path, program: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of units of its own, on a host whose systemd has loaded whatever is asked about."""
    monkeypatch.setattr(unit, "SYSTEM", state / "system")
    monkeypatch.setattr(unit.itself, "brought", lambda _: "attest\n")
    monkeypatch.setattr(process, "run", lambda *_: "LoadState=loaded\n")
    monkeypatch.setattr(process, "attempt", lambda *_, **__: subprocess.CompletedProcess((), 0, "", ""))
    (state / "system/x.service.d").mkdir(parents=True)
    return state / "system"


def test_a_unit_that_cannot_be_written_is_named_while_it_is_due(
    program: Path, system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "is_read_only", lambda path: path.name == "x.service")
    installed(program, VENDOR)
    [problem] = unit.observe(section(program)).problems
    assert "x.service is on a file system that is mounted read-only" in problem
    (system / "x.service").write_text(unit._ours(section(program), VENDOR.encode()))
    assert unit.observe(section(program)).problems == []


def document(program: Path) -> str:
    return "".join(f"{key}: {value}\n" for key, value in {"# unit": "x.service", **section(program).fields}.items())


@pytest.mark.parametrize("was", ["a person's", None])
def test_the_drop_in_of_an_earlier_version_goes_and_what_was_there_before_us_comes_back(
    program: Path, system: Path, was: str | None
) -> None:
    installed(program, VENDOR)
    drop_in = system / "x.service.d/50-jtel-chat.conf"
    if was:
        drop_in.write_text(was)
    with transaction.Transaction("messenger") as earlier:
        earlier.write(drop_in, b"[Service]\nExecStartPre=+/usr/local/sbin/jtel-chatctl attest x.service\n", 0o644)
    steps.apply("messenger", 1, "first", document(program))
    assert not drop_in.exists()
    assert (system / "jtel-chat-attest.service").read_text() == "attest\n"
    assert (system / "x.service").stat().st_mode & 0o777 == 0o644
    assert steps.drifted("messenger") == []
    steps.undo("messenger")
    assert (drop_in.read_text() if drop_in.exists() else None) == was
    assert not (system / "x.service").exists()
    assert not (system / "jtel-chat-attest.service").exists()


def test_a_drop_in_that_no_version_of_ours_has_written_comes_back_too(program: Path, system: Path) -> None:
    installed(program, VENDOR)
    drop_in = system / "x.service.d/50-jtel-chat.conf"
    drop_in.write_text("a person's")
    steps.apply("messenger", 1, "first", document(program))
    assert not drop_in.exists()
    steps.undo("messenger")
    assert drop_in.read_text() == "a person's"


def test_a_host_of_an_earlier_version_shows_no_drift_before_its_next_apply(program: Path, system: Path) -> None:
    (system / "x.service.d/50-jtel-chat.conf").write_text("[Service]\n")
    (system / "x.service").write_text(VENDOR)
    earlier = section(program, **{"drop-in": "[Service]\n"})
    assert list(unit.observe(earlier).state) == [
        f"content:{system}/x.service",
        f"content:{system}/x.service.d/50-jtel-chat.conf",
    ]
    assert f"content:{system}/{unit.ATTEST}" in unit.observe(section(program)).state
