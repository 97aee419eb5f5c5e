from __future__ import annotations

import pytest
from jtel_chat.errors import Refused
from jtel_chat.systemd import unit_file, unit_list


def judged(text: str | bytes) -> dict[str, str]:
    """What is said about each assignment that counts; nothing about those that are taken over."""
    found = unit_file.assignments(text if isinstance(text, bytes) else text.encode())
    return {each.text: unit_list.problem(each) for each in unit_list.counting(found)}


def refused(section: str, line: str) -> str:
    return next(iter(judged(f"[{section}]\n{line}\n").values()), "")


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("Unit", "Description=jtel ClientMessenger – Gespräche 😀"),
        ("Unit", "Documentation=https://jtel.example/a man:java(1)"),
        ("Unit", "After=network.target \t network-online.target remote-fs.target nss-lookup.target time-sync.target"),
        ("Unit", "Wants=network-online.target"),
        ("Unit", "StartLimitIntervalSec=1min 30s"),
        ("Unit", "StartLimitBurst=5"),
        ("Service", "StartLimitBurst=5"),
        *(("Service", f"Type={value}") for value in ("simple", "exec", "notify")),
        ("Service", "User=jtel"),
        ("Service", "Group=jtel"),
        *(
            ("Service", f"Exec{name}=/bin/sh -c 'a; b' \\; + - @")
            for name in ("Start", "StartPre", "StartPost", "Stop", "StopPost", "Reload")
        ),
        ("Service", 'ExecStartPre="/opt/jtel/prepare" x'),
        ("Service", "ExecStop=/bin/kill -TERM $MAINPID"),
        ("Service", "WorkingDirectory=/home/jtel/ClientMessenger"),
        ("Service", "WorkingDirectory=-~"),
        ("Service", "Restart=on-failure"),
        ("Service", "RestartSec=5"),
        ("Service", "TimeoutStopSec=infinity"),
        ("Service", "SuccessExitStatus=143 SIGTERM"),
        ("Service", "KillMode=mixed"),
        ("Service", "KillSignal=SIGTERM"),
        ("Service", "LimitNOFILE=65536:1M"),
        ("Service", "LimitCORE=infinity"),
        ("Service", "Nice=-5"),
        ("Service", "OOMScoreAdjust=-1000"),
        ("Service", "UMask=0027"),
        ("Service", "StandardOutput=syslog"),
        ("Service", "StandardError=inherit"),
        ("Service", "SyslogIdentifier=chat"),
        ("Service", """Environment=A=b "C=d e" 'LANG=de_DE.UTF-8' MY_LD_PRELOAD=x"""),
        ("Install", "WantedBy=multi-user.target"),
    ],
)
def test_what_is_on_the_list_is_taken_over(section: str, line: str) -> None:
    assert judged(f"[{section}]\n{line}\n") == {line: ""}


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("Unit", "After=network.target ssh.service"),
        ("Unit", "Wants=debug-shell.service"),
        ("Unit", "Requires=x.service"),
        ("Unit", "OnFailure=x.service"),
        ("Unit", "StartLimitAction=reboot-force"),
        ("Unit", "JoinsNamespaceOf=x.service"),
        ("Service", "Type=forking"),
        ("Service", "PIDFile=/etc/x"),
        *(("Service", f"User={value}") for value in ("root", "0", "jtel2", "%u", "jtel root")),
        ("Service", "Group=shadow"),
        ("Service", "SupplementaryGroups=shadow"),
        ("Service", "PermissionsStartOnly=yes"),
        ("Service", "DynamicUser=yes"),
        ("Service", "AmbientCapabilities=CAP_SYS_ADMIN"),
        *(
            ("Service", f"ExecStartPre={prefix}/bin/true")
            for prefix in ("+", "!", "!!", "-", "@", ":", "|", "-+", '"+', "'!", "\\x2b", '"\\x2b', "\\053", "\\+")
        ),
        *(
            ("Service", f"Exec{name}=+/bin/true")
            for name in ("Start", "StartPost", "Stop", "StopPost", "Reload", "Condition")
        ),
        ("Service", "ExecStartPre=/bin/true ; +/bin/evil"),
        ("Service", "ExecStartPre=/bin/true\t;\t+/bin/evil"),
        ("Service", "ExecStartPre=/bin/true '"),
        ("Service", "ExecCondition=/bin/true"),
        ("Service", "WorkingDirectory=%h"),
        ("Service", "RuntimeDirectory=x"),
        ("Service", "StateDirectory=x"),
        ("Service", "StandardOutput=append:/etc/cron.d/x"),
        ("Service", "StandardOutput=file:/etc/cron.d/x"),
        ("Service", "StandardError=journal+console"),
        ("Service", "StandardInput=file:/etc/shadow"),
        ("Service", "EnvironmentFile=/home/jtel/x"),
        ("Service", "PassEnvironment=LD_PRELOAD"),
        *(
            ("Service", f"Environment={name}=x")
            for name in (
                "LD_PRELOAD",
                "LD_AUDIT",
                "PYTHONPATH",
                "JAVA_TOOL_OPTIONS",
                "JDK_JAVA_OPTIONS",
                "_JAVA_OPTIONS",
            )
        ),
        ("Service", "Environment=A=b 'LD_PRELOAD=x y'"),
        ("Service", "Environment=L'D'_PRELOAD=x"),
        ("Service", "Environment=\\x4cD_PRELOAD=x"),
        ("Service", "Environment=%iD_PRELOAD=x"),
        ("Service", "Environment=A"),
        ("Service", "Environment='A=b"),
        ("Service", "LoadCredential=x:/etc/shadow"),
        ("Service", "BindPaths=/x"),
        ("Service", "RootDirectory=/x"),
        ("Service", "LogExtraFields=x"),
        ("Service", "Nice=5 5"),
        ("Service", "Description=x"),
        ("Unit", "User=jtel"),
        ("Install", "WantedBy=sysinit.target"),
        ("Install", "Alias=ssh.service"),
        ("Install", "Also=debug-shell.service"),
        ("Service", "exec"),
        ("", "Nice=5"),
        ("X", "Nice=5"),
        ("Service", "SyslogIdentifier=a\u00a0b"),
        ("Unit", "Description=a\x1bb"),
        ("Unit", "Description=a\u2028b"),
    ],
)
def test_anything_else_is_refused_with_a_reason(section: str, line: str) -> None:
    assert refused(section, line)


def test_a_line_that_is_not_utf_8_is_refused_but_a_comment_may_be_anything() -> None:
    assert list(judged(b"[Unit]\n# \xe4\nDescription=\xe4\n").values()) == [
        "is not UTF-8, or has control characters or blanks of another kind"
    ]


def test_a_file_that_is_no_unit_is_refused_before_it_is_read() -> None:
    with pytest.raises(Refused, match="bytes long"):
        judged("#" * (1 << 20))
    with pytest.raises(Refused, match="more than 1000 lines"):
        judged("[Service]\n" + "a=\n" * 10_000 + "Nice=\n" * 5_000)


@pytest.mark.parametrize(
    ("text", "counting"),
    [
        ("User=root\nUser=jtel", ["User=jtel"]),
        ("User=root\nUser=", []),
        (
            "Environment=LD_PRELOAD=x\nEnvironment=\nEnvironment=A=b\nEnvironment=C=d",
            ["Environment=A=b", "Environment=C=d"],
        ),
        ("ExecStartPre=+/bin/evil\nExecStartPre =\nExecStartPre= /bin/true", ["ExecStartPre=/bin/true"]),
        ("EnvironmentFile=/x\nEnvironmentFile=", ["EnvironmentFile=/x", "EnvironmentFile="]),
        ("X-Vendor=1\n[X-Vendor]\nNice=1", []),
        ("ExecStart=/bin/a \\\n# why\n ; not\n  b", ["ExecStart=/bin/a    b"]),
        ("Nice=1\\\nUser=root", ["Nice=1 User=root"]),
        ("# a \\\nUser=root", ["User=root"]),
        ("\ufeffNice=1", ["\ufeffNice=1"]),
        ("Nice=1\rUser=root\0Group=root", ["Nice=1", "User=root", "Group=root"]),
    ],
)
def test_what_counts_is_what_systemd_heeds(text: str, counting: list[str]) -> None:
    assert list(judged(f"[Service]\n{text}\n")) == counting


def test_the_old_targets_of_a_unit_cannot_be_forgotten() -> None:
    assert refused("Unit", "After=ssh.service\nAfter=")


def test_lines_are_numbered_where_they_begin() -> None:
    found = unit_file.assignments(b"\xef\xbb\xbf# x\r\n[Service]\r\nExecStart=/a \\\r\n  b\r\n\r\nNice=1\r\n")
    assert [(each.number, each.text) for each in found] == [(3, "ExecStart=/a    b"), (6, "Nice=1")]


def test_syslog_means_the_journal() -> None:
    [found] = unit_file.assignments(b"[Service]\nStandardOutput=syslog\n")
    assert unit_list.taken(found).text == "StandardOutput=journal"
