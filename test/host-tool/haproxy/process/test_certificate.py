"""Certificates are made by openssl, as everybody does it."""

from __future__ import annotations

import os
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from jtel_chat.haproxy.file.configuration import Configuration
from jtel_chat.haproxy.process import certificate
from jtel_chat.haproxy.process.instance import Running
from jtel_chat.haproxy.process.invocation import Start
from jtel_chat.text import words

pytestmark = pytest.mark.usefixtures("state")  # keys are looked at in a folder that only root may make in /run

NAME = "chat.acme.example"


def openssl(*argv: object) -> str:
    return subprocess.run(["openssl", *map(str, argv)], check=True, capture_output=True, text=True).stdout


def make(directory: Path, name: str, *extensions: str, issuer: str = "", days: int = 90) -> str:
    """A certificate `name`, signed by `issuer` or by itself; its text. `name.key` is its key."""
    signed = ["-CA", directory / f"{issuer}.crt", "-CAkey", directory / f"{issuer}.key"] if issuer else []
    added = [word for extension in extensions for word in ("-addext", extension)]
    subject = [
        "-subj",
        f"/CN={name}",
        "-days",
        days,
        *added,
        "-keyout",
        directory / f"{name}.key",
        "-out",
        directory / f"{name}.crt",
    ]
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *signed, *subject)
    return (directory / f"{name}.crt").read_text()


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """root → issuer → leaf; `key` is the leaf's."""
    directory = tmp_path_factory.mktemp("ca")
    authority = "basicConstraints=critical,CA:TRUE"
    texts = {"root": make(directory, "root", authority), "issuer": make(directory, "issuer", authority, issuer="root")}
    texts["leaf"] = make(
        directory, "leaf", f"subjectAltName=DNS:{NAME},DNS:*.wild.example", "basicConstraints=CA:FALSE", issuer="issuer"
    )
    return texts | {"key": (directory / "leaf.key").read_text(), "other key": (directory / "issuer.key").read_text()}


def looked(directory: Path, name: str | None, *texts: str) -> certificate.Verdict:
    pem = directory / "haproxy.pem"
    pem.write_text("".join(texts))
    return certificate.look(pem, name)


def is_good(verdict: certificate.Verdict) -> bool:
    return not verdict.problem and not verdict.warning


def test_how_long_it_lasts_is_a_fact_of_every_one(tmp_path: Path, issued: dict[str, str]) -> None:
    days = looked(tmp_path, NAME, issued["key"], issued["leaf"], issued["issuer"]).days
    assert days is not None
    assert days > 20
    assert words.fact(f"days:{tmp_path}", str(days)) == f"certificate {tmp_path} ends in {days} days"


@pytest.mark.parametrize("name", [NAME, "any.wild.example", None])
def test_key_chain_and_name_in_any_order_are_good(tmp_path: Path, issued: dict[str, str], name: str | None) -> None:
    assert is_good(looked(tmp_path, name, issued["key"], issued["leaf"], issued["issuer"]))


@pytest.mark.parametrize("name", ["acme.example", "a.b.wild.example", "wild.example"])
def test_another_name_is_a_problem(tmp_path: Path, issued: dict[str, str], name: str) -> None:
    assert f"does not serve {name}: Hostname mismatch" in (
        looked(tmp_path, name, issued["leaf"], issued["key"]).problem or ""
    )


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        (["leaf", "other key"], "stands with a private key that is not its own"),
        (["leaf"], "holds no private key"),
        (["key"], "holds no certificate"),
        ([], "holds no certificate"),
    ],
)
def test_what_haproxy_could_not_load_is_a_problem(
    tmp_path: Path, issued: dict[str, str], parts: list[str], problem: str
) -> None:
    assert problem in (looked(tmp_path, NAME, *(issued[part] for part in parts)).problem or "")


def test_a_chain_without_its_issuer_is_a_warning(tmp_path: Path, issued: dict[str, str]) -> None:
    seen = looked(tmp_path, NAME, issued["leaf"], issued["key"])
    assert seen.problem is None
    assert "unable to get local issuer certificate" in (seen.warning or "")


def test_the_key_may_stand_beside(tmp_path: Path, issued: dict[str, str]) -> None:
    (tmp_path / "haproxy.pem.key").write_text(issued["key"])
    assert is_good(looked(tmp_path, NAME, issued["leaf"], issued["issuer"]))


DAY, HOUR = 86400, 3600


@pytest.mark.parametrize(
    ("lifetime", "left", "said"),
    [
        (24 * HOUR, 23 * HOUR, None),
        (24 * HOUR, 3 * HOUR, "ends in 3 hours"),
        (160 * HOUR, 40 * HOUR, None),
        (160 * HOUR, 20 * HOUR, "ends in 20 hours"),
        (90 * DAY, 15 * DAY, None),
        (90 * DAY, 13 * DAY, "ends in 13 days"),
        (398 * DAY, 30 * DAY, None),
        (398 * DAY, 10 * DAY, "ends in 10 days"),
    ],
)
def test_how_soon_an_end_is_depends_on_the_lifetime(lifetime: float, left: float, said: str | None) -> None:
    end = time.time() + left
    warning = certificate._ends_soon(Path("a.pem"), certificate._Span(end - lifetime, end))
    assert said in warning if said and warning else warning is said


def test_one_that_ends_soon_still_serves(
    tmp_path: Path, issued: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate, "_WARN_SHARE", 2)
    text = make(tmp_path, "soon", f"subjectAltName=DNS:{NAME}", days=1)
    seen = looked(tmp_path, NAME, text, (tmp_path / "soon.key").read_text())
    assert seen.problem is None
    assert "ends in 24 hours" in (seen.warning or "")


def test_a_name_in_the_subject_alone_is_a_warning_since_no_browser_takes_it(tmp_path: Path) -> None:
    text = make(tmp_path, NAME, "basicConstraints=critical,CA:TRUE")
    key = (tmp_path / f"{NAME}.key").read_text()
    seen = looked(tmp_path, NAME, text, key)
    assert seen.problem is None
    assert f"names {NAME} in its subject only (CN), which no browser takes" in (seen.warning or "")
    assert "subject only" not in (looked(tmp_path, None, text, key).warning or "")


def test_a_certificate_that_is_over_is_a_problem(tmp_path: Path, issued: dict[str, str]) -> None:
    (tmp_path / "key").write_text(issued["key"])
    request = openssl("req", "-new", "-key", tmp_path / "key", "-subj", f"/CN={NAME}")
    (tmp_path / "request").write_text(request)
    # OpenSSL 3.5 takes no negative number of days, and 3.0 no date.
    past = (
        ["-days", "-1"]
        if ssl.OPENSSL_VERSION_INFO < (3, 4)
        else ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"]
    )
    over = openssl("x509", "-req", "-in", tmp_path / "request", "-signkey", tmp_path / "key", *past)
    assert "is not usable: certificate has expired" in (looked(tmp_path, NAME, over, issued["key"]).problem or "")


def test_a_torn_certificate_is_a_problem_and_no_crash(tmp_path: Path, issued: dict[str, str]) -> None:
    torn = issued["leaf"].replace("\n", "\n\u00fc!", 2)
    assert "cannot be loaded" in (looked(tmp_path, NAME, torn, issued["key"]).problem or "")
    silent = Running(1, Start(), Configuration(b""), frozenset(), None, None, None, None)
    assert not certificate._is_loaded(tmp_path / "haproxy.pem", silent)


def test_an_encrypted_key_asks_nobody(tmp_path: Path, issued: dict[str, str]) -> None:
    (tmp_path / "plain.key").write_text(issued["key"])
    key = openssl("pkcs8", "-topk8", "-in", tmp_path / "plain.key", "-passout", "pass:x")
    assert "unencrypted key" in (looked(tmp_path, NAME, issued["leaf"], key).problem or "")


def test_in_a_directory_one_that_serves_the_name_is_enough(tmp_path: Path, issued: dict[str, str]) -> None:
    other = make(tmp_path, "other", "subjectAltName=DNS:other.example")
    served = tmp_path / "served"
    served.mkdir()
    (served / "a.pem").write_text(other + (tmp_path / "other.key").read_text())
    assert "a.pem does not serve" in (certificate.look(served, NAME).problem or "")
    (served / "b.pem").write_text(issued["leaf"] + issued["issuer"] + issued["key"])
    (served / "b.pem.ocsp").write_text("no certificate")
    assert is_good(certificate.look(served, NAME))


def bundled(directory: Path, issued: dict[str, str]) -> Path:
    """`haproxy.pem.rsa` and `haproxy.pem.ecdsa`; there is no `haproxy.pem`."""
    for key_type in ("rsa", "ecdsa"):
        (directory / f"haproxy.pem.{key_type}").write_text(issued["leaf"] + issued["issuer"] + issued["key"])
    return directory / "haproxy.pem"


def settings(*lines: str) -> certificate.Lookup:
    return certificate.lookup(Configuration("\n    ".join(["global", *lines, "maxconn 9\n"]).encode()))


@pytest.mark.parametrize(
    ("line", "loads"),
    [
        ("", True),
        ("ssl-load-extra-files all", True),
        ("ssl-load-extra-files key bundle", True),
        ("ssl-load-extra-files key issuer", False),
        ("ssl-load-extra-files none", False),
    ],
)
def test_a_certificate_for_each_key_type_is_read_where_haproxy_reads_it(
    tmp_path: Path, issued: dict[str, str], line: str, loads: bool
) -> None:
    seen = certificate.look(bundled(tmp_path, issued), NAME, settings(line))
    assert is_good(seen) == loads
    assert ("is missing" in (seen.problem or "")) != loads


def test_of_a_bundle_each_has_to_serve_the_name(tmp_path: Path, issued: dict[str, str]) -> None:
    path = bundled(tmp_path, issued)
    other = make(tmp_path, "other", "subjectAltName=DNS:other.example")
    (tmp_path / "haproxy.pem.ecdsa").write_text(other + (tmp_path / "other.key").read_text())
    assert "haproxy.pem.ecdsa does not serve" in (certificate.look(path, NAME).problem or "")


def test_a_key_is_looked_for_where_the_global_settings_say(tmp_path: Path, issued: dict[str, str]) -> None:
    file = tmp_path / "haproxy.crt"
    file.write_text(issued["leaf"] + issued["issuer"])
    (tmp_path / "haproxy.key").write_text(issued["key"])
    assert "holds no private key" in (certificate.look(file, NAME).problem or "")
    assert is_good(certificate.look(file, NAME, settings("ssl-load-extra-del-ext")))
    off = settings("ssl-load-extra-del-ext", "ssl-load-extra-files none")
    assert "holds no private key" in (certificate.look(file, NAME, off).problem or "")


def test_a_key_in_the_file_itself_is_the_one_that_haproxy_takes(tmp_path: Path, issued: dict[str, str]) -> None:
    (tmp_path / "haproxy.pem.key").write_text(issued["other key"])
    assert is_good(looked(tmp_path, NAME, issued["leaf"], issued["issuer"], issued["key"]))


def test_a_chain_may_come_from_the_directory_of_issuers(tmp_path: Path, issued: dict[str, str]) -> None:
    issuers = tmp_path / "issuers"
    issuers.mkdir()
    (issuers / "a.pem").write_text(issued["issuer"])
    pem = tmp_path / "haproxy.pem"
    pem.write_text(issued["leaf"] + issued["key"])
    assert is_good(certificate.look(pem, NAME, settings(f"issuers-chain-path {issuers}")))


def test_nothing_there_names_the_key_of_the_stack_file(tmp_path: Path) -> None:
    assert "public.certificate" in (certificate.look(tmp_path / "none", NAME).problem or "")


def test_a_file_without_end_is_named_and_not_read(tmp_path: Path) -> None:
    pem = tmp_path / "haproxy.pem"
    pem.touch()
    os.truncate(pem, 64 << 30)
    begin = time.monotonic()
    assert "no PEM file has more than" in (certificate.look(pem, NAME).problem or "")
    assert time.monotonic() - begin < 1


def test_a_fifo_or_device_is_no_certificate(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "haproxy.pem")
    assert "is missing" in (certificate.look(tmp_path / "haproxy.pem", NAME).problem or "")
    assert "is missing" in (certificate.look(Path("/dev/zero"), NAME).problem or "")


def test_no_text_quotes_what_the_file_holds(tmp_path: Path) -> None:
    pem = tmp_path / "shadow"
    pem.write_text("root:$6$secret:19000\n-----BEGIN CERTIFICATE-----\nsecret\n-----END CERTIFICATE-----\n")
    seen = certificate.look(pem, NAME)
    assert seen.problem
    assert "secret" not in seen.problem
