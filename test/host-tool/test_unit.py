from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat import unit
from jtel_chat.document import Section

VENDOR = "[Service]\nUser=chat\nExecStart=/usr/bin/java -Dconnection=jdbc:x?password=<password> Main\n"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    for folder in ("home/bin", "home/systemd", "share/systemd", "Data/Clients"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def section(program: Path, **fields: str) -> Section:
    paths = {"from": f"{program}/home/systemd/x.service", "offered": f"{program}/share/systemd/x.service", "data": f"{program}/Data/Clients/"}
    given = fields or {"argument-file": "/etc/jtel-chat/x.args"}
    return Section("unit", "x.service", {**paths, "argument": "-Dconnection=", "drop-in": "[Service]\nEnvironment=A=b\n", **given})


def installed(program: Path, text: str) -> Path:
    path = program / "home/systemd/x.service"
    path.write_text(text)
    return path


def last_lines(text: str, count: int) -> list[str]:
    return text.splitlines()[-count:]


def test_the_connection_is_a_credential_of_the_services_user(program: Path) -> None:
    assert last_lines(unit._drop_in(section(program), VENDOR.encode()), 4) == [
        "LoadCredential=x.args:/etc/jtel-chat/x.args",
        "ExecStartPre=+/usr/local/sbin/jtel-chatctl attest x.service",
        "ExecStart=",
        "ExecStart=/usr/bin/java @${CREDENTIALS_DIRECTORY}/x.args Main",
    ]


def test_where_the_unit_forbids_variables_the_credential_is_named_by_its_path(program: Path) -> None:
    text = unit._drop_in(section(program), VENDOR.replace("=/usr", "=:/usr").encode())
    assert last_lines(text, 1) == ["ExecStart=:/usr/bin/java @/run/credentials/x.service/x.args Main"]


def test_java_8_gets_the_connection_as_a_variable_and_a_warning_says_who_can_read_it(program: Path) -> None:
    eight = section(program, **{"environment-file": "/etc/jtel-chat/x.env"})
    installed(program, VENDOR)
    text = unit._drop_in(eight, VENDOR.encode())
    assert "EnvironmentFile=/etc/jtel-chat/x.env" in text
    assert last_lines(text, 1) == ["ExecStart=/usr/bin/java ${JTEL_CHAT_CONNECTION} Main"]
    assert "with ps" in unit.observe(eight).warnings[0]
    installed(program, VENDOR.replace("=/usr", "=:/usr"))
    assert "forbids variables" in unit.observe(eight).problems[0]


def test_a_start_script_is_refused_with_its_line_and_without_the_password(program: Path) -> None:
    script = program / "home/bin/start.sh"
    script.write_text("#!/bin/sh\ncd ..\nexec java -Dconnection=jdbc:x?password=s3cret&y Main\n")
    path = installed(program, f"[Service]\nExecStart=-{script}\n")
    [problem] = unit.observe(section(program)).problems
    assert problem == (
        f"{path}: its ExecStart has 0 words '-Dconnection=…', expected is one: -{script}; it stands in {script}, line 3: "
        "exec java -Dconnection=jdbc:x?password=…. Start java in the unit itself, with that argument in ExecStart, as the vendor ships it"
    )


def test_before_the_first_installation_the_shares_unit_is_looked_at(program: Path) -> None:
    (program / "home/bin").rmdir()
    assert unit.observe(section(program)).problems == []
    (program / "share/systemd/x.service").write_text(VENDOR.replace("-Dconnection", "-Dother"))
    assert "0 words" in unit.observe(section(program)).problems[0]


def test_a_release_without_a_unit_is_named(program: Path) -> None:
    assert "the release brings no unit" in unit.observe(section(program)).problems[0]


def test_a_password_that_was_typed_into_the_unit_is_named_until_nobody_can_read_it(program: Path) -> None:
    path = installed(program, VENDOR.replace("<password>", "s3cret"))
    [warning] = unit.observe(section(program)).warnings
    assert warning.endswith(f"chmod 600 {path}")
    path.chmod(0o600)
    assert unit.observe(section(program)).warnings == []


def test_attachments_in_a_folder_of_another_case_are_named(program: Path) -> None:
    installed(program, VENDOR)
    (program / "Data/Clients").rename(program / "Data/clients")
    [warning] = unit.observe(section(program)).warnings
    assert "beside it is 'clients'" in warning
