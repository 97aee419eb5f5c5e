"""Where chat inherits the customer's `defaults`, and where it has its own."""

from __future__ import annotations

import pytest
from jtel_chat.haproxy.file import inheritance
from jtel_chat.haproxy.file.configuration import Configuration

TIMEOUTS = " timeout connect 5s\n timeout client 5s\n timeout server 5s\n"
USUAL = f"defaults\n log global\n mode http\n option httplog\n option dontlognull\n{TIMEOUTS}"


def own(defaults: str) -> bool:
    return bool(inheritance.own_defaults(Configuration(defaults.encode()).sections))


@pytest.mark.parametrize(
    "defaults",
    [
        USUAL,
        f"{USUAL} errorfile 503 /etc/haproxy/errors/503.http\n retries 3\n option redispatch\n",
        f"{USUAL} option forwardfor except 127.0.0.0/8\n option http-server-close\n no option httpclose\n",
        f"{USUAL} balance roundrobin\n compression algo gzip\n timeout tunnel 1h\n default_backend web\n acl x src\n",
        f"{USUAL} default-server inter 5s rise 2 fall 3 check init-addr none resolvers dns\n source 10.1.0.9\n",
        f"defaults a\n mode http\n{TIMEOUTS}frontend b from c\n mode http\n",
        f"defaults a\n{TIMEOUTS}defaults b from a\n mode http\n",
        f"defaults\n disabled\n{USUAL}",
        f"defaults\n timeout connect 0\n{TIMEOUTS} .if defined(A)\n log global\n .endif\n",
    ],
    ids=[
        "debian",
        "errors",
        "headers",
        "what ours set",
        "servers",
        "others named",
        "inherited",
        "not the last",
        "last",
    ],
)
def test_chat_inherits_what_leaves_it_as_it_is(defaults: str) -> None:
    assert not own(defaults)


@pytest.mark.parametrize(
    "line",
    [
        "http-request deny if { src 192.0.2.1 }",
        "option httpchk GET /login",
        "option tcp-check",
        "option mysql-check",
        "http-check expect status 200",
        "external-check command /x",
        "option transparent",
        "no option httplog\n option transparent",
        "source 0.0.0.0 usesrc clientip",
        "disabled",
        "maxconn 10",
        "rate-limit sessions 5",
        "stats uri /",
        "stats enable",
        "monitor-uri /",
        "cookie SRV insert",
        "errorloc 503 https://www.acme.example/",
        "retry-on all-retryable-errors",
        "option http_proxy",
        "option checkcache",
        "http-send-name-header X-Server",
        "persist rdp-cookie",
        "keyword-of-4.0 x",
        "option of-4.0",
        *(
            f"default-server {setting}"
            for setting in (
                "check ssl verify none",
                "inter 5s port 8080",
                "addr 10.1.0.1",
                "proto h2",
                "send-proxy",
                "disabled",
                "backup",
                "maxconn 1",
                "socks4 10.1.0.1:1080",
                "redir https://www.acme.example",
                "agent-check agent-port 9",
                "on-marked-down shutdown-sessions",
                "on-marked-up shutdown-backup-sessions",
                "inter 5s fall 1",
                "fall 3 rise 20",
                "fall 30",
                "setting-of-4.0",
            )
        ),
    ],
)
def test_chat_has_defaults_of_its_own_where_the_last_ones_would_change_it(line: str) -> None:
    assert own(f"{USUAL} {line}\n")
    assert own(f"defaults a\n {line}\n{TIMEOUTS}defaults b from a\n mode http\n")
    assert own(f"{USUAL} .if defined(A)\n {line}\n .endif\n")


@pytest.mark.parametrize("name", ["connect", "client", "server"])
@pytest.mark.parametrize(
    "instead",
    ["", " timeout {name} 0\n", " timeout {name} 0s\n", " timeout {name} 00ms\n", " .if defined(A)\n{line} .endif\n"],
)
def test_chat_has_defaults_of_its_own_where_a_timeout_is_missing(name: str, instead: str) -> None:
    line = f" timeout {name} 5s\n"
    assert own(USUAL.replace(line, instead.format(name=name, line=line)))
    assert not own(USUAL.replace(line, f" timeout {name} 10\n"))
    assert not own(USUAL.replace(line, f" timeout {name} $TIMEOUT\n"))


@pytest.mark.parametrize(
    "file",
    [
        "",
        f"defaults a\n mode http\n{TIMEOUTS}frontend b from a\n",
        f"{USUAL}.if defined(A)\n{USUAL}.endif\nbackend web\n",
        f"{USUAL}.if defined(A)\nbackend a\n.else\n{USUAL}backend b\n.if defined(B)\n.endif\n.endif\n",
    ],
    ids=["none", "named by a section", "inside .if", "inside .else"],
)
def test_chat_has_defaults_of_its_own_where_it_cannot_tell_which_are_the_last(file: str) -> None:
    assert own(file)
