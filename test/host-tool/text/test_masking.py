from __future__ import annotations

import pytest
from jtel_chat.text import masking

#: As people choose them; each is long enough to be told from what stands around it.
SECRETS = [
    "hunter2-hunter2",
    "p@ss/w0rd?x",
    "Über$geheim#1",
    "a;b,c:d|e",
    "x(y)[z]{q}*",
    "S3cr3t=with=signs",
    "ÿþ~^`<less>",
]
SPACED = ["first2 second3", "tab4\tblank5"]

#: Everything that a host's files, units and programs say secrets in. `{}` is the secret.
PLACES = [
    "<password>{}</password>",
    "<hz:password type='x'>{}</hz:password>",
    "<group><name>a</name><PASSWORD>\n{}\n</PASSWORD></group>",
    "<secret-key>{}</secret-key>",
    "<license-key>{}</license-key>",
    "<security-token>{}</security-token>",
    "<keystore-password>{}</keystore-password>",
    '<property name="javax.net.ssl.keyStorePassword">{}</property>',
    "<property  enabled='true' name='db.password' >{}</property>",
    '<property name="x.secret" value="{}"/>',
    '<property value="{}" name="access-token"/>',
    '<ssl enabled="true" password="{}"/>',
    '<aws secretKey="{}" region="eu"/>',
    '{{"password": "{}"}}',
    "\"--password='{}'\"",
    "jdbc:mysql://acd-dbm/JTELWeb?user=root&password={}&characterEncoding=utf8",
    "jdbc:mysql://root:{}@acd-dbm:3306/JTELWeb",
    "https://root:{}@portal.example/",
    "-Dde.jtel.password={} -Xmx1g",
    "    stats auth admin:{}",
    "user monitor insecure-password {}",
    "#~     user monitor password {} groups a",
    "apiKey: {}",
    "spring.datasource.password = {}",
    "mysql --password {} -u root",
    "<password>{}",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
]
QUOTED = [place for place in PLACES if '"{}"' in place or "'{}'" in place or ">{}<" in place or "\n{}\n" in place]


def cannot_hold(place: str, secret: str) -> bool:
    """What the format itself gives another meaning."""
    if place.startswith("https:"):
        return any(character in secret for character in "/<")
    if "<" in place and "<" in secret and "jdbc" not in place:
        return True
    return "JTELWeb" in place and "@acd" in place and "?" in secret


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_survives(place: str, secret: str) -> None:
    if not cannot_hold(place, secret):
        for text in (place.format(secret), f"before\n{place.format(secret)}\nafter"):
            assert secret not in masking.masked(text)
            assert secret[3:] not in masking.masked(text)


@pytest.mark.parametrize("place", QUOTED)
@pytest.mark.parametrize("secret", SPACED)
def test_a_quoted_secret_may_have_blanks(place: str, secret: str) -> None:
    masked = masking.masked(place.format(secret))
    assert not any(word in masked for word in secret.split())


@pytest.mark.parametrize(
    "text",
    [
        '<ringbuffer name="CHAT"><capacity>500</capacity></ringbuffer>',
        (
            "ExecStart=java"
            " -Dconnection=jdbc:mysql://acd-dbm/JTELWeb?user=root&password=<password>&characterEncoding=utf8 -jar"
            " x.jar\nRestart=always"
        ),
        "http-request deny if { path /password/forgotten }",
        "acl whatsapp_req path /incoming\nuse_backend backend_chat_ws if whatsapp_req",
        "server chatserver1 10.1.0.21:3000 weight 1 check inter 1m",
        "bind unix@/run/portal.sock",
        "LoadCredential=connection:/etc/jtel-chat/clientmessenger.args",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masking.masked(text) == text


def test_only_the_secret_goes() -> None:
    assert (
        masking.masked("?user=root&password=x&characterEncoding=utf8") == "?user=root&password=…&characterEncoding=utf8"
    )
    assert masking.masked("    user a insecure-password b groups c") == "    user a insecure-password … groups c"
    assert masking.masked('<property name="a.password" value="b"/><x/>') == '<property name="a.password" value=…/><x/>'


@pytest.mark.parametrize(
    "line",
    [
        'http-request set-header Authorization "Basic {}"',
        "http-request deny unless {{ req.hdr(X-API-Key) -m str {} }}",
        "http-request deny unless {{ req.hdr(token) {} }}",
        "acl a http_auth_bearer {}",
        "setenv DB_PASSWORD {}",
    ],
)
def test_a_line_of_haproxy_ends_where_a_key_may_begin(line: str) -> None:
    assert "hunter2" not in masking.masked_line(line.format("hunter2"))


def test_a_unit_is_cut_where_a_password_begins_and_the_placeholder_stays() -> None:
    assert masking.without_secrets("ExecStart=x password=a b c\nRestart=no") == "ExecStart=x password=…\nRestart=no"
    assert masking.without_secrets("jdbc:mysql://root:pw@acd-dbm/x") == "jdbc:mysql://…@acd-dbm/x"
    assert masking.without_secrets("x?password=<password>&y") == "x?password=<password>&y"


@pytest.mark.parametrize(
    "part",
    [
        "<a name='",
        "<a name='password' ",
        "<a name='password'",
        "password",
        "a.b-c_",
        "<password>",
        "://",
        "jdbc:a//",
        "user a password ",
        "stats auth a:",
        "\\",
        "\n",
        " \n",
    ],
)
def test_a_long_text_is_masked_in_time(part: str) -> None:
    import time

    begin = time.process_time()  # of this process only: a busy machine is no slow pattern
    masking.masked((part * 65536)[:65536])
    masking.masked_line((part * 65536)[:65536])
    assert time.process_time() - begin < 3
