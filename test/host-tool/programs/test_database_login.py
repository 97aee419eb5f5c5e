"""What the login says, as far as it can be told without a database. The login itself is tried on booted hosts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from jtel_chat.documents.document import Section
from jtel_chat.errors import Refused
from jtel_chat.kinds import database
from jtel_chat.programs import confined, database_login, java, process


class Java:
    """Stands for the program: what it is called with, and what it answers."""

    stdout = "login: ok\n"
    code = 0

    def run(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        self.arguments, self.options = arguments, options
        return subprocess.CompletedProcess(arguments, self.code, self.stdout, "")


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Java:
    program = Java()
    monkeypatch.setattr(java, "run", program.run)
    monkeypatch.setattr(java, "is_there", lambda: True)
    monkeypatch.setattr(database, "answer_problem", lambda *_: None)
    monkeypatch.setattr(database, "addresses", lambda *_: ["10.1.0.31"])
    monkeypatch.setattr(confined, "name_servers", lambda: ["10.1.0.2"])
    return program


def section(directory: Path, *content: str) -> Section:
    (directory / "driver.jar").touch()
    lines = content or ('"-Dde.jtel.platform.clientmessenger.connection=jdbc:mysql://acd-dbm/x?password=s3cret"',)
    fields = {
        "host": "acd-dbm",
        "port": "3306",
        "user": "root",
        "database": "JTELWeb",
        "drivers": f"{directory}\n",
        "content": "".join(f"{line}\n" for line in lines),
    }
    return Section("secret", "/etc/jtel-chat/clientmessenger.args", fields)


def test_the_driver_reaches_the_database_and_name_servers_only(program: Java, tmp_path: Path) -> None:
    assert database_login.check(section(tmp_path)) == []
    assert program.options["network"] == ["10.1.0.31", "10.1.0.2"]
    assert "s3cret" not in " ".join(program.arguments)


def test_only_the_connection_is_handed_on(program: Java, tmp_path: Path) -> None:
    connection = '"-Dde.jtel.platform.clientmessenger.connection=jdbc:x"'
    database_login.check(
        section(tmp_path, connection, '"-Djtel.hazelcast.password=y"', '"-javaagent:/tmp/x.jar"', "-XX:OnError=/tmp/x")
    )
    assert program.options["given"] == {"arguments": f"{connection}\n".encode()}


@pytest.mark.parametrize(
    ("stdout", "code", "why"),
    [
        ("login: 28000 1045 SQLException\n", 0, "wrong user or password"),
        ("login: null 0 UnknownHostException\n", 0, "does not resolve for Java"),
        ("", process.HANGS, "no answer within 60 s"),
        ("login: ok\nlogin: 42000 1049 SQLSyntaxErrorException\n", 0, "it has no database JTELWeb"),
    ],
)
def test_a_refusal_names_the_remedy(program: Java, tmp_path: Path, stdout: str, code: int, why: str) -> None:
    program.stdout, program.code = stdout, code
    with pytest.raises(Refused, match=why):
        database_login.check(section(tmp_path))


@pytest.mark.parametrize(
    "stdout", ["", "login: s3cret\n", "login: x y z w\n", "login: 1 2 \x1b[2J\n", f"login: 1 2 {'x' * 500}\n"]
)
def test_what_a_driver_prints_by_itself_is_neither_believed_nor_shown(
    program: Java, tmp_path: Path, stdout: str
) -> None:
    program.stdout = stdout
    assert database_login.check(section(tmp_path)) == [
        "the login was not tried: this host's Java cannot compile (older than 11, or a JRE without a compiler). A JDK,"
        " openjdk-17-jdk, can"
    ]
