"""Judges a certificate as HAProxy loads it: `crt PATH`, one PEM file, a bundle of them by key type, or a directory.

OpenSSL says whether it is good, by TLS handshakes in memory: no process is started. Source: configuration.txt 3.1
(`ssl-load-extra-files`, `ssl-load-extra-del-ext`, `issuers-chain-path`), 5.1 (`crt`).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import ssl
import time
from pathlib import Path
from typing import NamedTuple

from ...access import disk
from ...access.account import ROOT
from ...access.place import resolved
from ..file import settings
from ..file.configuration import Configuration
from .instance import Running

_BLOCK = re.compile(r"-----BEGIN (?:X509 )?CERTIFICATE-----.*?-----END (?:X509 )?CERTIFICATE-----", re.DOTALL)
_BESIDE = (".key", ".issuer", ".ocsp", ".sctl")  # what belongs to a certificate beside it
_PARTIAL_CHAIN = (
    0x80000  # ssl.VERIFY_X509_PARTIAL_CHAIN, which Python has from 3.10: what is trusted need not be a root
)
_DAY, _HOUR = 86400, 3600
_WARN_DAYS, _WARN_SHARE = 14, 0.15  # before its end: the shorter of the two, of 90 days 13, of 160 hours 24 hours
_BUNDLE = ("rsa", "dsa", "ecdsa")  # of `crt haproxy.pem`: `haproxy.pem.rsa` beside `haproxy.pem.ecdsa`
_LARGEST = 1 << 20  # bytes
_NAMED = 3  # of a directory full of unusable ones
_RENEW = "Renew it there; the next up reloads HAProxy"


class Verdict(NamedTuple):
    """What is to be said of a certificate; nothing of a good one.

    problem: why it does not serve. warning: what will become a problem, or is one for some visitors. days: until it
    ends, where it can be read.
    """

    problem: str | None = None
    warning: str | None = None
    days: int | None = None


class _Span(NamedTuple):
    """When a certificate begins and ends, in seconds since 1970."""

    begin: float
    end: float


class Lookup(NamedTuple):
    """Where HAProxy looks for what belongs to a certificate, by its global settings.

    bundle: `haproxy.pem.rsa` and the like where there is no `haproxy.pem`. key: `haproxy.pem.key` where the file has no
    key. without_extension: that is `haproxy.key` for `haproxy.crt`. issuers: the directory of the issuers that complete
    a chain.
    """

    bundle: bool = True
    key: bool = True
    without_extension: bool = False
    issuers: str | None = None


_USUAL = Lookup()


def lookup(config: Configuration) -> Lookup:
    """Reads the settings of a configuration."""
    extra = settings.words(config.all_sections, "ssl-load-extra-files") or ("all",)
    return Lookup(
        bundle=not {"all", "bundle"}.isdisjoint(extra),
        key=not {"all", "key"}.isdisjoint(extra),
        without_extension=settings.words(config.all_sections, "ssl-load-extra-del-ext") is not None,
        issuers=settings.value(config.all_sections, "issuers-chain-path"),
    )


def files(path: Path, where: Lookup) -> list[Path]:
    """Lists the PEM files that HAProxy loads for `crt PATH`; none when nothing is there."""
    if not disk.is_directory(path, follow=True):
        return [path] if disk.is_file(path, follow=True) else _bundle(path, where)
    found = [
        path / name
        for name in disk.names(resolved(path, ROOT))
        if not name.startswith(".") and not name.endswith(_BESIDE)
    ]
    return [file for file in found if disk.is_file(file, follow=True)]


def _bundle(path: Path, where: Lookup) -> list[Path]:
    found = [path.with_name(f"{path.name}.{key_type}") for key_type in _BUNDLE if where.bundle]
    return [file for file in found if disk.is_file(file, follow=True)]


def look(path: Path, name: str | None, where: Lookup = _USUAL) -> Verdict:
    """Judges whether one of the certificates at `path` serves `name`, `chat.acme.example`; without a name, any.

    Of a bundle each has to: the visitor's browser chooses. Every text of the verdict names the file and a remedy.
    """
    found = files(path, where)
    if not found:
        return Verdict(
            f"the certificate {path} is missing. Put key, certificate and chain there as one PEM file"
            " (public.certificate names the path)"
        )
    verdicts = [_of_size(file) or _of_file(file, name, where) for file in found]
    if not disk.is_directory(path, follow=True):
        return min(verdicts, key=_severity)
    usable = sorted((verdict for verdict in verdicts if not verdict.problem), key=lambda verdict: bool(verdict.warning))
    return usable[0] if usable else Verdict("; ".join(verdict.problem or "" for verdict in verdicts[:_NAMED]))


def _severity(verdict: Verdict) -> tuple[bool, bool]:
    """Sorts the worst first."""
    return (not verdict.problem, not verdict.warning)


def changed_since_loaded(path: Path, running: Running) -> bool | None:
    """Tells whether HAProxy serves something else than what is on disk; None when it cannot be asked."""
    found = files(path, lookup(running.configuration))
    return any(not _is_loaded(file, running) for file in found) if running.answers else None


def _is_loaded(file: Path, running: Running) -> bool:
    """Tells whether HAProxy has loaded the file as it is: its first certificate, and a chain as long as the file's.

    Where the file has no chain, any will do: HAProxy may have found the issuers elsewhere (`issuers-chain-path`).
    """
    try:
        certificate, *chain = [base64.b64decode("".join(block.split("\n")[1:-1])) for block in _blocks(file)]
    except ValueError:  # none, or torn
        return False
    said = running.ask(f"show ssl cert {file}")
    return f"SHA1 FingerPrint: {hashlib.sha1(certificate).hexdigest().upper()}" in said and len(chain) in (
        0,
        said.count("Chain Subject:"),
    )


def _blocks(file: Path) -> list[str]:
    return _BLOCK.findall(_text(file))


def _text(file: Path) -> str:
    """Reads a PEM file. PEM is ASCII: what else stands there is comment, or no PEM at all."""
    return disk.read(file, _LARGEST).decode("ascii", "ignore")


def _of_size(file: Path) -> Verdict | None:
    found = disk.stat(file, follow=True)
    size = found.st_size if found else 0
    return (
        Verdict(
            f"the certificate {file} has {size} bytes, and no PEM file has more than {_LARGEST}. Is it the right file?"
        )
        if size > _LARGEST
        else None
    )


def _of_file(file: Path, name: str | None, where: Lookup) -> Verdict:
    try:
        server = _server(file, where)
        certificate, *chain = _blocks(file)
        span = _handshake(server, _client([certificate]), None)
    except ssl.SSLError as error:
        return Verdict(f"the certificate {file} {_reason(file, error, where)}")
    if problem := _wrong_name(file, name, server, certificate):
        return Verdict(problem)
    warnings = [
        _subject_only(file, name, server, certificate),
        _ends_soon(file, span),
        _untrusted(file, server, [*chain, *_issuers(chain, where)]),
    ]
    return Verdict(warning="; ".join(filter(None, warnings)) or None, days=int((span.end - time.time()) / _DAY))


def _wrong_name(file: Path, name: str | None, server: ssl.SSLContext, certificate: str) -> str | None:
    refusal = _refusal(server, _client([certificate]), name) if name else None
    return refusal and (
        f"the certificate {file} does not serve {name}: {refusal}. Put one there that does (public.certificate,"
        " public.host)"
    )


def _subject_only(file: Path, name: str | None, server: ssl.SSLContext, certificate: str) -> str | None:
    """OpenSSL takes a certificate's subject for its name where it has no other; no browser does."""
    client = _client([certificate])
    client.hostname_checks_common_name = False
    if not name or not _refusal(server, client, name):
        return None
    return (
        f"the certificate {file} names {name} in its subject only (CN), which no browser takes. Renew it with a"
        " subjectAltName"
    )


def _ends_soon(file: Path, span: _Span) -> str | None:
    """Soon is a share of a certificate's own lifetime, which may be years or hours."""
    left = span.end - time.time()
    if left >= min(_WARN_DAYS * _DAY, _WARN_SHARE * (span.end - span.begin)):
        return None
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(span.end))
    how_long = f"{left / _DAY:.0f} days" if left >= 2 * _DAY else f"{left / _HOUR:.0f} hours"
    return f"the certificate {file} ends in {how_long} ({when}). {_RENEW}"


def _untrusted(file: Path, server: ssl.SSLContext, chain: list[str]) -> str | None:
    # Its own issuers first: those of the host take longer to load than all the rest.
    refusal = _refusal(server, _client(chain), None) and _refusal(server, _client(chain, system=True), None)
    return refusal and (
        f"the certificate {file} is trusted by few clients as it is served ({refusal}). Append its issuers'"
        " certificates, its chain"
    )


def _issuers(chain: list[str], where: Lookup) -> list[str]:
    """Lists the certificates with which HAProxy completes a chain (`issuers-chain-path`) where the file has none."""
    directory = Path(where.issuers or "")
    if chain or not where.issuers or not disk.is_directory(directory, follow=True):
        return []
    found = [directory / name for name in disk.names(resolved(directory, ROOT))]
    return [
        block for file in found if disk.is_file(file, follow=True) and not _of_size(file) for block in _blocks(file)
    ]


def _server(file: Path, where: Lookup) -> ssl.SSLContext:
    """Makes a context that serves the file. Raises SSLError when certificate and key do not make a pair."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with disk.scratch(
        "certificate"
    ) as directory:  # OpenSSL opens files by their names, whoever may lead those elsewhere
        certificate, beside = directory / "certificate", _key_beside(file, where)
        key = directory / "key" if beside else None
        disk.write(certificate, disk.read(file, _LARGEST))
        if beside and key:
            disk.write(key, disk.read(beside, _LARGEST))
        context.load_cert_chain(certificate, key, password="")  # an encrypted key must not be asked for on a terminal
    return context


def _key_beside(file: Path, where: Lookup) -> Path | None:
    """Finds the file of the key where HAProxy looks for one: it does not where the certificate's own file has it."""
    if not where.key or "PRIVATE KEY" in _text(file):
        return None
    cut = where.without_extension and file.suffix == ".crt"
    beside = file.with_suffix(".key") if cut else file.with_name(f"{file.name}.key")
    return beside if disk.is_file(beside, follow=True) else None


def _client(trusted: list[str], *, system: bool = False) -> ssl.SSLContext:
    """Makes a context that trusts these certificates, and with `system` those of the host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VerifyFlags(_PARTIAL_CHAIN)
    if trusted:
        context.load_verify_locations(cadata="\n".join(trusted))
    if system:
        context.set_default_verify_paths()
    return context


def _refusal(server: ssl.SSLContext, client: ssl.SSLContext, name: str | None) -> str | None:
    try:
        _handshake(server, client, name)
    except ssl.SSLCertVerificationError as error:
        return error.verify_message.rstrip(".")
    return None


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str | None) -> _Span:
    """Lets both talk in memory, and tells when the certificate begins and ends.

    name: whom the client wants to reach; without a name, anybody. Raises SSLError when they do not agree.
    """
    client.check_hostname = name is not None
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    visitor, host = client.wrap_bio(back, there, server_hostname=name), server.wrap_bio(there, back, server_side=True)
    for end in (visitor, host, visitor, host):  # TLS 1.3: hello, certificate, finished
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
    said = visitor.getpeercert() or {}
    return _Span(*(ssl.cert_time_to_seconds(str(said[key])) for key in ("notBefore", "notAfter")))


def _reason(file: Path, error: ssl.SSLError, where: Lookup) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"is not usable: {error.verify_message}. {_RENEW}"
    if error.reason == "KEY_VALUES_MISMATCH":
        return "stands with a private key that is not its own. Put the key there that it was requested with"
    lacks = (
        "certificate"
        if not _blocks(file)
        else "private key"
        if not _key_beside(file, where) and "PRIVATE KEY" not in _text(file)
        else None
    )
    what = f"holds no {lacks}" if lacks else f"cannot be loaded ({error.reason or error})"
    return f"{what}. Put certificate, chain and unencrypted key there as one PEM file"
