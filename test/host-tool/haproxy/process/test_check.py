"""What HAProxy's checker says, as far as it may be shown. The checker itself is asked on booted hosts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.errors import Refused
from jtel_chat.haproxy.file import edit
from jtel_chat.haproxy.file.configuration import Configuration
from jtel_chat.haproxy.process import check
from jtel_chat.haproxy.process.invocation import Start
from jtel_chat.programs import confined, process

CONFIG = b"""\
global
    crt-base /etc/ssl/private
userlist people
    user admin insecure-password lab-stats-password
backend web
    server jb1 acd-jb1:8080 cookie ${KEY}
frontend portal
    default_backend nowhere
    bind :443 ssl crt portal.pem
"""
NAMES = ("a.example", "b.example", "inner.example", "of-another-file")
SHADOW = "root:$6$abc'd$ef:19000:0"


@pytest.fixture
def said(state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """What the refusal shows of an alert."""

    def refusal(
        *alerts: str, config: bytes = CONFIG, before: bytes | None = None, said: str = "ALERT", **environment: str
    ) -> str:
        path = tmp_path / "haproxy.cfg"
        path.write_bytes(config)

        def run(argv: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            lines = [f"[{said}]    (12) : config : {alert.format(file=argv[-1])}" for alert in alerts]
            return subprocess.CompletedProcess(
                argv,
                1,
                "",
                "\n".join(
                    [
                        "[NOTICE]   (12) : version",
                        *lines,
                        "[ALERT] (12) : config : Fatal errors found in configuration.",
                    ]
                ),
            )

        monkeypatch.setattr(confined, "run", run)
        monkeypatch.setattr(confined, "lacking", list)
        with pytest.raises(Refused) as refused:
            check.check(
                Configuration(config, path),
                Start(files=(path,), environment=environment),
                None if before is None else Configuration(before, path),
            )
        return str(refused.value).replace(str(tmp_path), "")

    return refusal


@pytest.mark.parametrize(
    "alert",
    [
        "Proxy 'portal': unable to find required default_backend: 'nowhere'.",
        "parsing [{file}:6] : 'server web/jb1' : unexpected 'cookie'.",
        "parsing [{file}:7] : unknown keyword 'portal' in 'frontend' section; did you mean 'balance' maybe ?",
        (
            "parsing [{file}:9] : 'bind :443' : unable to stat SSL certificate from file '/etc/ssl/private/portal.pem'"
            " : No such file."
        ),
        "parsing [{file}:9] : 'bind :443' : unable to load certificate from file '/etc/passwd'.",
        "parsing [{file}:9] : 'bind :443' : Didn't find 'portal.pem'.",
    ],
)
def test_what_is_about_the_file_is_shown_with_its_name(said: Callable[..., str], alert: str) -> None:
    shown = said(alert)
    assert alert.format(file="/haproxy.cfg") in shown
    assert "Fatal errors" not in shown


@pytest.mark.parametrize(
    "alert",
    [
        (
            f"parsing [{{file}}:5] : error detected while parsing ACL 'web' : '{SHADOW}' is not a valid IPv4 or IPv6"
            " address."
        ),
        f"parsing [/etc/shadow:1] : unknown keyword '{SHADOW}'",
        f"parsing [/etc/shadow:1] : {SHADOW} is odd",
        f"unable to stat SSL certificate from file '{SHADOW}' : No such file.",
        f"'$6$' of 'portal' and '{SHADOW}'",
        "'portal'$6$' is not valid",
        "'portal' $6$' is not valid",
    ],
)
def test_what_stands_in_another_file_is_not_shown(said: Callable[..., str], alert: str) -> None:
    shown = said(alert)
    assert "$6$" not in shown
    assert "19000" not in shown


def test_a_password_of_the_file_itself_is_not_shown(said: Callable[..., str]) -> None:
    assert "lab-stats" not in said("parsing [{file}:4] : 'lab-stats-password' is no option.")


def test_a_configuration_with_lua_gives_places_only(said: Callable[..., str]) -> None:
    config = CONFIG.replace(b"global\n", b"global\n    lua-load /etc/x.lua\n")
    shown = said(f"parsing [{{file}}:2] : {SHADOW}", SHADOW, "parsing [/etc/shadow:3] : x", config=config)
    assert shown.endswith("parsing [/haproxy.cfg:2]: see there (its words are not shown, since Lua may have said them)")


def test_values_of_the_environment_are_named_and_short_ones_stay(said: Callable[..., str]) -> None:
    assert "found '$KEY'" in said("found 's3cret-value'", KEY="s3cret-value")
    assert "found '8443'" in said("found '8443'", KEY="8443")
    assert "did not get KEY, whose value holds control characters" in said("x", KEY="a\x01b")


def test_a_value_of_the_environment_that_is_no_utf8_is_named_too(said: Callable[..., str]) -> None:
    config = CONFIG.replace(b"global\n", b"global\n    setenv OTHER s3cr\xfct-value\n").replace(
        b"${KEY}", b"$OTHER$KEY"
    )
    assert "found '$OTHER'" in said("found 's3cr\ufffdt-value'", config=config)
    assert "found '$KEY'" in said("found 'key\ufffd-value'", config=config, KEY="key\udcfc-value")


def test_a_line_is_that_of_the_customers_file_or_our_block(said: Callable[..., str]) -> None:
    ours = Configuration(b"global\n    setenv CFGREV 0\nfrontend chat\n    bind :3003\n")
    earlier = Configuration(b"global\n    setenv CFGREV 0\n")
    rules = ["acl whatsapp_req path /incoming", "use_backend backend_chat_ws if whatsapp_req"]
    file = CONFIG.replace(b"frontend portal\n", b"frontend portal\n    mode http\n    use_backend web\n")
    before = edit.edit(Configuration(file), earlier, portal="portal", rules=rules[1:])
    after = edit.edit(before, ours, portal="portal", rules=rules)
    lines, now = after.text.split(b"\n"), before.text.split(b"\n")
    bind, chat = (lines.index(line) + 1 for line in (b"    bind :443 ssl crt portal.pem", b"    bind :3003"))
    alerts = [f"parsing [{{file}}:{bind}] : odd", f"[{{file}}:{chat}] : taken, declared at {{file}}:{bind}."]
    shown = said(*alerts, config=after.text, before=before.text)
    number = now.index(b"    bind :443 ssl crt portal.pem") + 1
    assert bind != number
    assert shown.endswith(
        f"parsing [/haproxy.cfg:{number}] : odd; config :"
        f" [/haproxy.cfg, in our block] : taken, declared at /haproxy.cfg:{number}."
    )
    assert f"[/haproxy.cfg:{number}] : odd" in said(*alerts, config=after.text, before=before.text + b"# more\n")
    removed = edit.remove(before)
    there = removed.text.split(b"\n").index(b"    bind :443 ssl crt portal.pem") + 1
    assert f"[/haproxy.cfg:{number}] : odd" in said(
        f"parsing [{{file}}:{there}] : odd", config=removed.text, before=before.text
    )


def test_with_lua_a_place_is_the_customers_too(said: Callable[..., str]) -> None:
    before = CONFIG.replace(b"global\n", b"global\n    lua-load /etc/x.lua\n")
    after = edit.edit(Configuration(before), Configuration(b"frontend chat\n"), portal="", rules=[])
    shown = said(f"parsing [{{file}}:{len(after.lines) - 1}] : x", config=after.text, before=before)
    assert "[/haproxy.cfg, in our block]: see there" in shown


def test_where_warnings_are_fatal_they_are_the_reason(said: Callable[..., str]) -> None:
    warning = "parsing [{file}:9] : a 'bind' is odd."
    assert "a 'bind' is odd" in said(warning, "Some warnings were found and 'zero-warning' is set.", said="WARNING")
    assert "a 'bind' is odd" not in said(warning, said="WARNING")


def test_a_file_that_says_quiet_does_not_silence_the_reason(
    state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[list[str]] = []

    def run(argv: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(argv)
        return subprocess.CompletedProcess(argv, 1, "", "")

    monkeypatch.setattr(confined, "run", run)
    monkeypatch.setattr(confined, "lacking", list)
    with pytest.raises(Refused, match=r"it gives no reason that .*\. Run 'haproxy -c -V -f' with it"):
        check.check(Configuration(CONFIG, tmp_path / "haproxy.cfg"), Start())
    assert len(calls) == 2
    assert all("-V" in argv and "-q" not in argv for argv in calls)


def test_control_characters_and_length_are_bounded(said: Callable[..., str]) -> None:
    shown = said(*(f"parsing [{{file}}:{number}] : \x1b[2J\x07 {'x' * 200}" for number in range(100)))
    assert "\x1b" not in shown
    assert len(shown) < 2000


def test_no_verdict_is_no_refusal_of_the_file(state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(confined, "lacking", list)
    monkeypatch.setattr(
        confined, "run", lambda argv, **_: subprocess.CompletedProcess(argv, confined.ENDED, "", "ended (oom-kill)")
    )
    with pytest.raises(Refused, match=r"came to no verdict: ended \(oom-kill\)"):
        check.check(Configuration(CONFIG, tmp_path / "haproxy.cfg"), Start())


def test_only_a_name_that_does_not_resolve_is_asked_for_with_a_network(
    state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    networks: list[object] = []

    def run(argv: list[str], *, network: object, **_: object) -> subprocess.CompletedProcess[str]:
        networks.append(network)
        unresolved = "[ALERT] (1) : config : [x:1] : 'server web/jb1' : could not resolve address 'acd-jb1'."
        return subprocess.CompletedProcess(argv, 0 if network else 1, "", unresolved)

    monkeypatch.setattr(confined, "run", run)
    monkeypatch.setattr(confined, "lacking", list)
    monkeypatch.setattr(confined, "filters_addresses", lambda: True)
    monkeypatch.setattr(confined, "name_servers", lambda: ["10.1.0.2"])
    assert check.check(Configuration(CONFIG, tmp_path / "haproxy.cfg"), Start()) == []
    assert networks == [(), ["10.1.0.2"]]
    monkeypatch.setattr(confined, "filters_addresses", lambda: False)
    assert "cgroup v2" in check.check(Configuration(CONFIG, tmp_path / "haproxy.cfg"), Start())[0]


def test_the_checker_gets_no_rights_and_its_environment_by_no_argument(
    state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[str] = []

    def attempt(*argv: str, **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(" ".join(argv))
        return subprocess.CompletedProcess(argv, 0, "systemd 252 (252.1)" if "--version" in argv else "", "")

    confined._version.cache_clear()
    monkeypatch.setattr(process, "attempt", attempt)
    monkeypatch.setattr(disk, "executable", lambda _: "/usr/sbin/haproxy")
    environment: Mapping[str, str] = {"KEY": "s3cret-value"}
    check.check(Configuration(CONFIG, tmp_path / "haproxy.cfg"), Start(environment=dict(environment)))
    (line,) = [call for call in calls if call.startswith("systemd-run")]
    confined._version.cache_clear()
    assert "s3cret" not in line
    for part in (
        "CapabilityBoundingSet=CAP_DAC_READ_SEARCH",
        "NoExecPaths=/",
        "ReadOnlyPaths=/",
        "PrivateNetwork=yes",
        "EnvironmentFile=/",
    ):
        assert f"--property={part}" in line


def test_a_file_that_the_checker_would_create_is_left_out_and_every_line_keeps_its_number() -> None:
    config = b"ring r\n    size 32764\n    backing-file /var/ring\n    server a 127.0.0.1:514\n"
    given = check._without_ring_files(Configuration(config))
    assert given.split(b"\n") == [
        b"ring r",
        b"    size 32764",
        b"#    backing-file /var/ring",
        b"    server a 127.0.0.1:514",
        b"",
    ]
    assert check._without_ring_files(Configuration(CONFIG)) == CONFIG


def test_names_that_nobody_answers_for_are_a_limit_and_no_refusal(
    state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = [f"[ALERT] (1) : config : [x:5] : 'server web/a' : could not resolve address '{name}'." for name in NAMES]

    def run(argv: list[str], *, network: object, **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(argv, process.HANGS if network else 1, "", "\n".join(lines))

    monkeypatch.setattr(confined, "run", run)
    monkeypatch.setattr(confined, "lacking", list)
    monkeypatch.setattr(confined, "filters_addresses", lambda: True)
    path = tmp_path / "haproxy.cfg"
    servers = "".join(f"    server {name} {name}:80\n" for name in NAMES[:-2])
    config = Configuration(CONFIG + servers.encode() + b"    server hidden $HOST:80\n", path)
    with pytest.raises(Refused) as refused:
        check.check(config, Start(environment={"HOST": "inner.example"}))
    assert str(refused.value) == (
        "haproxy -c did not end within 60 s, since the name servers of this host did not answer in time for"
        " a.example, b.example, $HOST. Repair them (/etc/resolv.conf), or name these servers by their addresses"
    )
