from __future__ import annotations

import subprocess
from typing import Any

import pytest
from jtel_chat.programs import process
from jtel_chat.systemd import unit_journal

HAPROXY = """\
[NOTICE]   (7) : New worker (8) forked
[ALERT]    (8) : Starting frontend late: cannot bind socket (Cannot assign requested address) [192.0.2.9:8443]
[ALERT]    (7) : [haproxy.main()] Some protocols failed to start their listeners! Exiting.
""" + "\n".join(f"[WARNING]  (7) : Server web/jb{number} is UP" for number in range(20))

JAVA = """\
Started jtel-clientmessenger.service - jtel ClientMessenger.
INFO com.hazelcast.instance.AddressPicker: [LOCAL] [a] [3.12.13] Interfaces is enabled
Nov 26, 2026 7:21:02 AM de.jtel.platform.clientmessenger.Main main
SEVERE: it does not start
Exception in thread "main" java.lang.IllegalStateException: no connection
\tat de.jtel.platform.clientmessenger.Main.main(Main.java:40)
Caused by: java.sql.SQLException: cannot connect
\tat com.mysql.cj.jdbc.Driver.connect(Driver.java:12)
\t... 3 more
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.connect0(Native Method)
jtel-clientmessenger.service: Main process exited, code=exited, status=1/FAILURE
jtel-clientmessenger.service: Failed with result 'exit-code'.
"""

OLD_JAVA = """\
Started jtel ClientMessenger.
Unrecognized option: --add-modules
Error: Could not create the Java Virtual Machine.
Error: A fatal exception has occurred. Program will exit.
jtel-clientmessenger.service: Main process exited, code=exited, status=1/FAILURE
jtel-clientmessenger.service: Failed with result 'exit-code'.
jtel-clientmessenger.service: Scheduled restart job, restart counter is at 1.
"""


@pytest.mark.parametrize(
    ("journal", "shown"),
    [
        (HAPROXY, HAPROXY.splitlines()[1:2]),
        (
            JAVA,
            [
                "Caused by: java.net.ConnectException: Connection refused",
                "Caused by: java.sql.SQLException: cannot connect",
                'Exception in thread "main" java.lang.IllegalStateException: no connection',
                "SEVERE: it does not start",
                "jtel-clientmessenger.service: Failed with result 'exit-code'.",
            ],
        ),
        (OLD_JAVA, [*OLD_JAVA.splitlines()[1:4], *OLD_JAVA.splitlines()[-2:]]),
        ("\n".join(map(str, range(50))), ["45", "46", "47", "48", "49"]),
        ("org.acme.TooLateException: x\n" * 9 + "end\n", ["org.acme.TooLateException: x", "end"]),
        ("1\n2\n", ["1", "2"]),
    ],
)
def test_the_lines_that_say_why_come_first_and_few(journal: str, shown: list[str]) -> None:
    assert unit_journal.telling(journal).splitlines() == shown


def test_the_rest_is_shown_by_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def attempt(*argv: str, **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(argv, 0, "ERROR jdbc:mysql://x?password=hunter2\n", "")

    monkeypatch.setattr(process, "attempt", attempt)
    said = unit_journal.why(*unit_journal.of_start("ab12"))
    assert "ERROR jdbc:mysql://x?password=…\n" in said
    assert said.endswith("(all of it: journalctl _SYSTEMD_INVOCATION_ID=ab12 + INVOCATION_ID=ab12)")
