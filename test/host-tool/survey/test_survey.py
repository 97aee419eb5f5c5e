"""What a survey says of a host: bounded, without secrets, and as far as the account may read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jtel_chat.access import disk
from jtel_chat.engine import looking
from jtel_chat.firewall import ufw
from jtel_chat.programs import process
from jtel_chat.survey import answer, chat, haproxy, system

UNIT = """[Service]
Environment=DATADIR=/srv/old
Environment="DATADIR=/nowhere/Data"
ExecStart=/usr/bin/java -Dx=y \\
  -Dde.jtel.platform.clientmessenger.connection=jdbc:mysql://acd-dbm/JTELWeb?user=root&password=S%%23cret\
&characterEncoding=utf8&serverTimezone=Europe/Berlin \\
  -jar x.jar
"""

CONFIG = """defaults
\tmode http
userlist stats-auth
\tuser admin insecure-password Geheim
frontend acdportal_https
\tbind *:443 ssl crt {pem}
\tbind :8443 ssl crt {pem}
backend backend_chat_ws
\tserver chatserver1 10.1.0.21:3000 weight 1 check inter 1m
"""

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No program runs, and files are those of the test."""
    inactive = type("Done", (), {"returncode": 3, "stdout": "", "stderr": ""})()
    monkeypatch.setattr(process, "attempt", lambda *_, **__: inactive)
    monkeypatch.setattr(chat, "_UNIT", tmp_path / "unit")
    monkeypatch.setattr(chat, "HOME", str(tmp_path / "ClientMessenger"))
    monkeypatch.setattr(haproxy, "_FILE", tmp_path / "haproxy.cfg")
    return tmp_path


def test_of_a_connection_come_host_database_and_user_but_no_password(quiet: Path) -> None:
    (quiet / "unit").write_text(UNIT)
    found = chat.read()
    assert found.facts == {
        "installed": False,
        "unit": "by hand",
        "active": False,
        "data": "/nowhere/Data",
        "database": {
            **{"host": "acd-dbm", "port": "3306", "name": "JTELWeb", "user": "root"},
            **{"serverTimezone": "Europe/Berlin", "characterEncoding": "utf8"},
        },
    }
    assert "cret" not in json.dumps([found.facts, found.deviations])


@pytest.mark.parametrize(
    "address",
    [
        "mysql://address=(host=acd-dbm)(port=3306)(user=root)(password=s3cret)/JTELWeb",
        "mysql:loadbalance://root:s3cret@acd-dbm/JTELWeb",
        "mysql://root:s3cret@acd-db1:3306,acd-db2:3306/JTELWeb",
        "mysql:replication://acd-db1:3306,acd-db2:3306/JTELWeb?password=s3cret",
        "mysql://[fd00::1/JTELWeb?password=s3cret",
    ],
)
def test_an_address_of_a_database_in_another_form_is_said_to_be_one(address: str, quiet: Path) -> None:
    (quiet / "unit").write_text(f'[Service]\nEnvironment=JAVA_OPTS="-Dclientmessenger.connection=jdbc:{address}"\n')
    found = chat.read()
    assert found.facts["database"] is None
    assert "names its database in a form that a stack file has not" in "\n".join(found.deviations)
    assert "s3cret" not in json.dumps([found.facts, found.deviations])


def test_an_installation_is_compared_with_the_procedure(quiet: Path) -> None:
    (quiet / "unit").write_text(UNIT)
    (quiet / "unit").chmod(0o644)
    (quiet / "ClientMessenger/ClientMessenger/bin").mkdir(parents=True)
    (quiet / "ClientMessenger/ClientMessenger/bin/x.jar").touch()
    said = "\n".join(chat.read().deviations)
    assert "everybody may read it" in said
    assert "second copy inside the first" in said
    assert "DATADIR is /nowhere/Data, which is no folder here" in said
    assert "hazelcast.xml: is missing" in said
    (quiet / "unit").chmod(0o600)
    assert "everybody" not in "\n".join(chat.read().deviations)


def test_a_host_without_chat_deviates_in_nothing_of_it(quiet: Path) -> None:
    assert chat.read().deviations == []
    assert haproxy.read().facts is None


def test_of_haproxy_come_frontends_certificates_and_a_pasted_chat_but_no_login(quiet: Path) -> None:
    pem = quiet / "haproxy.pem"
    pem.write_text(f"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n{PEM}\n")
    (quiet / "haproxy.cfg").write_text(CONFIG.format(pem=pem))
    found = haproxy.read()
    assert found.facts
    assert found.facts["frontends"] == [
        {"name": "acdportal_https", "ports": [443, 8443], "tls": True, "certificates": [str(pem), str(pem)]}
    ]
    assert found.facts["certificates"] == [{"path": str(pem), "pem": PEM}]
    assert found.facts["chatServers"] == ["chatserver1 10.1.0.21:3000"]
    assert found.deviations == [
        "backend backend_chat_ws has no 'timeout tunnel': idle chats end with HAProxy's timeout server"
    ]
    assert "PRIVATE" not in json.dumps(found.facts)
    assert "Geheim" not in json.dumps(found.facts)


def test_a_certificate_that_cannot_be_read_is_named_without_text(quiet: Path) -> None:
    (quiet / "haproxy.cfg").write_text(CONFIG.format(pem=quiet / "missing.pem"))
    found = haproxy.read()
    assert found.facts
    assert found.facts["certificates"] == [{"path": str(quiet / "missing.pem"), "pem": ""}]


def test_hazelcasts_ports_for_everybody_and_a_firewall_that_is_off_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ufw, "is_installed", lambda: False)
    assert system.firewall().deviations == ["ufw is not installed"]
    monkeypatch.setattr(ufw, "is_installed", lambda: True)
    monkeypatch.setattr(ufw, "is_active", lambda: False)
    rules = ["allow 5701:5801/tcp", "allow 5701:5801/tcp from 10.1.0.0/24", "allow 22/tcp"]
    monkeypatch.setattr(ufw, "entries", lambda: rules)
    assert [each.split(":")[0] for each in system.firewall().deviations] == [
        "ufw is switched off",
        "Hazelcast's ports are open to everybody (allow 5701",
    ]


def test_what_cannot_be_read_is_named_and_the_rest_is_said(quiet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> Any:
        raise PermissionError(13, "Permission denied", "/etc/ufw/user.rules")

    monkeypatch.setattr(ufw, "is_installed", lambda: True)
    monkeypatch.setattr(ufw, "entries", refused)
    found = answer.answered()
    assert found["firewall"] is None
    assert any("Permission denied: '/etc/ufw/user.rules'" in each for each in found["unread"])
    assert found["system"]
    assert "ufw is not installed" not in found["deviations"]


def test_texts_and_lists_are_cut_and_printable() -> None:
    cut = answer.bounded({"a": ["\x1b[31m" + "x" * 1000] * 1000, "b\n": 3})
    assert len(cut["a"]) == 200
    assert len(cut["a"][0]) < 400
    assert "\x1b" not in cut["a"][0]
    assert cut["b?"] == 3


def test_a_survey_writes_nothing_and_answers_in_one_line(
    quiet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("write", "append", "make_directory", "rename"):
        monkeypatch.setattr(disk, name, lambda *_, **__: pytest.fail("a survey writes nothing"))
    assert looking.run("survey", []) == 0
    (line,) = capsys.readouterr().out.rstrip().split("\n")
    assert json.loads(line[len(looking.ANSWER) :])["format"] == 1
