from __future__ import annotations

import pytest
from jtel_chat.errors import Refused
from jtel_chat.systemd import exec_start

CONNECTION = "-Dconnection=jdbc:mysql://acd-dbm/JTELWeb?user=root&password=<password>&x=%%y"
UNIT = f"""\
[Unit]
Description=chat
[Service]
ExecStart=/usr/bin/java -Xmx96m \\
  {CONNECTION} \\
  -cp "/a b/*" Main
[Install]
WantedBy=multi-user.target
"""
REPLACED = '/usr/bin/java -Xmx96m @file -cp "/a b/*" Main'


def replaced(unit: str | bytes) -> str:
    return exec_start.replace_argument(unit if isinstance(unit, bytes) else unit.encode(), "-Dconnection=", "@file")


def service(line: str) -> str:
    return f"[Service]\n{line}\n"


@pytest.mark.parametrize(
    "unit",
    [
        UNIT,
        UNIT.replace("\n", "\r\n"),
        "\ufeff" + UNIT,
        UNIT.replace(" \\\n ", " "),
        UNIT.replace("  -cp", "# why\n  ; and why not \\\n  -cp"),
        UNIT.replace("ExecStart=", "ExecStart = "),
        UNIT.replace("ExecStart=/", "ExecStart=/bin/false\nExecStart=\nExecStart=/"),
        UNIT.replace(
            "[Service]\n", "[Service]\nExecStartPre=/bin/true a \\\n  b\nExecStartPre=-/bin/false\nUser=chat\n"
        ),
        UNIT.replace("[Unit]\n", f"[Unit]\n# ExecStart=/x {CONNECTION}\n").replace(
            "[Install]\n", f"[Install]\nExecStart={CONNECTION}\n"
        ),
        UNIT.rpartition("\n[Install]")[0],
        UNIT.replace("Description=chat", "Description=Gespr\udce4che").encode("utf-8", "surrogateescape"),
        UNIT.replace(CONNECTION, f'"{CONNECTION} and a blank"'),
        UNIT.replace(CONNECTION, f"'{CONNECTION}'"),
        UNIT.replace(CONNECTION, '-Dconnection="jdbc:a b"'),
        UNIT.replace(CONNECTION, "-Dconnection=${JDBC_URL}"),
    ],
    ids=[
        *(
            "vendor",
            "CRLF",
            "byte order mark",
            "one line",
            "comments between",
            "blanks",
            "reset",
            "others",
            "other sections",
            "ends there",
            "Latin-1 elsewhere",
        ),
        *("double quotes", "single quotes", "quotes inside", "a variable"),
    ],
)
def test_only_the_connection_argument_is_replaced_whatever_the_shape(unit: str | bytes) -> None:
    assert replaced(unit) == REPLACED


@pytest.mark.parametrize("prefix", ["-", "@", "+", "!!", "-@:"])
def test_prefixes_of_the_path_stay(prefix: str) -> None:
    unit = service(f"ExecStart={prefix}/usr/bin/java chat {CONNECTION} ${{MORE}} $EVEN '%%' Main")
    assert replaced(unit) == f"{prefix}/usr/bin/java chat @file ${{MORE}} $EVEN '%%' Main"
    given = exec_start.command(unit.encode())
    assert exec_start.program(given) == "/usr/bin/java"
    assert exec_start.expands_variables(given) == (":" not in prefix)


@pytest.mark.parametrize(
    ("unit", "why"),
    [
        ("", "0 ExecStart lines"),
        (UNIT.replace("[Service]", "[Servce]"), "0 ExecStart lines"),
        (UNIT + "[Service]\nExecStart=/bin/true\n", "2 ExecStart lines.* | /bin/true"),
        (UNIT.replace("-Dconnection", "-Dother"), "0 words '-Dconnection=…'.*/usr/bin/java -Xmx96m"),
        (UNIT.replace("Main", "-Dconnection=2 Main"), "2 words '-Dconnection=…'"),
        (UNIT.replace("-Xmx96m", "'-Xmx96m"), "nothing closes"),
        (UNIT.replace("Main", "Main ; /bin/true"), "more than one command"),
        (UNIT.replace("-Xmx96m", "-Dname=\udce4").encode("utf-8", "surrogateescape"), "not UTF-8"),
        (UNIT + "#" * (1 << 20), "bytes long"),
        (
            service(f"Environment=OPTS={CONNECTION}\nExecStart=/usr/bin/java $OPTS"),
            r"0 words.* \| Environment=OPTS=-Dconnection",
        ),
    ],
)
def test_an_unknown_shape_is_refused_with_its_line_and_without_a_password(unit: str | bytes, why: str) -> None:
    data = (unit if isinstance(unit, bytes) else unit.encode()).replace(b"<password>", b"s3cret&s3 cret#")
    with pytest.raises(Refused, match=why) as refusal:
        replaced(data)
    assert "s3" not in str(refusal.value)
    assert "cret" not in str(refusal.value)


def test_a_password_is_told_from_the_vendors_placeholder() -> None:
    assert not exec_start.holds_password(UNIT.encode())
    assert exec_start.holds_password(UNIT.replace("<password>", "x").encode())
    assert exec_start.holds_password(service("ExecStart=/x -Dconnection=jdbc:mysql://root:pw@acd-dbm/x").encode())
