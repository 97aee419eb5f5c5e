"""Judges a certificate as HAProxy loads it: `crt PATH`, one PEM file or a directory of them.

OpenSSL says whether it is good, by TLS handshakes in memory: no process is started. Source: configuration.txt 5.1,
`crt`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path

from ...access import disk
from ...access.account import ROOT
from ...access.place import resolved
from .instance import Running

_BLOCK = re.compile(r"-----BEGIN (?:X509 )?CERTIFICATE-----.*?-----END (?:X509 )?CERTIFICATE-----", re.DOTALL)
_BESIDE = (".key", ".issuer", ".ocsp", ".sctl")  # what belongs to a certificate beside it
_PARTIAL_CHAIN = (
    0x80000  # ssl.VERIFY_X509_PARTIAL_CHAIN, which Python has from 3.10: what is trusted need not be a root
)
_DAY = 86400
_WARN, _REFUSE = 14, 2  # days before its end
_LARGEST = 1 << 20  # bytes
_NAMED = 3  # of a directory full of unusable ones
_RENEW = "Renew it there; the next up reloads HAProxy"


@dataclass
class Verdict:
    """What is to be said of a certificate; nothing of a good one.

    problem: why it does not serve. warning: what will become a problem, or is one for some visitors. days: until it
    ends, where it can be read.
    """

    problem: str | None = None
    warning: str | None = None
    days: int | None = field(default=None, compare=False)


def files(path: Path) -> list[Path]:
    """Lists the PEM files that HAProxy loads for `crt PATH`; none when nothing is there."""
    if not disk.is_directory(path, follow=True):
        return [path] if disk.is_file(path, follow=True) else []
    found = [
        path / name
        for name in disk.names(resolved(path, ROOT))
        if not name.startswith(".") and not name.endswith(_BESIDE)
    ]
    return [file for file in found if disk.is_file(file, follow=True)]


def look(path: Path, name: str | None) -> Verdict:
    """Judges whether one of the certificates at `path` serves `name`, `chat.acme.example`; without a name, any.

    Every text of the verdict names the file and a remedy.
    """
    found = files(path)
    if not found:
        return Verdict(
            f"the certificate {path} is missing. Put key, certificate and chain there as one PEM file"
            " (public.certificate names the path)"
        )
    verdicts = [_of_size(file) or _of_file(file, name) for file in found]
    usable = sorted((verdict for verdict in verdicts if not verdict.problem), key=lambda verdict: bool(verdict.warning))
    return usable[0] if usable else Verdict("; ".join(verdict.problem or "" for verdict in verdicts[:_NAMED]))


def changed_since_loaded(path: Path, running: Running) -> bool | None:
    """Tells whether HAProxy serves something else than what is on disk; None when it cannot be asked."""
    return any(not _is_loaded(file, running) for file in files(path)) if running.answers else None


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


def _of_file(file: Path, name: str | None) -> Verdict:
    try:
        server = _server(file)
        certificate, *chain = _blocks(file)
        end = _handshake(server, _client([certificate]), None)
    except ssl.SSLError as error:
        return Verdict(f"the certificate {file} {_reason(file, error)}")
    verdict = _of_time(file, name, server, [certificate, *chain], end)
    verdict.days = int((end - time.time()) / _DAY)
    return verdict


def _of_time(file: Path, name: str | None, server: ssl.SSLContext, blocks: list[str], end: float) -> Verdict:
    """Judges a certificate that can be served: when it ends, whom it names, and who trusts it."""
    certificate, *chain = blocks
    days = (end - time.time()) / _DAY
    until = f"ends in {days:.0f} days ({time.strftime('%Y-%m-%d', time.gmtime(end))}). {_RENEW}"
    if days < _REFUSE:
        return Verdict(f"the certificate {file} {until}")
    if name and (refusal := _refusal(server, _client([certificate]), name)):
        return Verdict(
            f"the certificate {file} does not serve {name}: {refusal}. Put one there that does (public.certificate,"
            " public.host)"
        )
    if days < _WARN:
        return Verdict(warning=f"the certificate {file} {until}")
    # Its own issuers first: those of the host take longer to load than all the rest.
    if _refusal(server, _client(chain), None) and (refusal := _refusal(server, _client(chain, system=True), None)):
        return Verdict(
            warning=(
                f"the certificate {file} is trusted by few clients as it is served ({refusal}). Append its issuers'"
                " certificates, its chain"
            )
        )
    return Verdict()


def _server(file: Path) -> ssl.SSLContext:
    """Makes a context that serves the file. Raises SSLError when certificate and key do not make a pair."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with disk.scratch(
        "certificate"
    ) as directory:  # OpenSSL opens files by their names, whoever may lead those elsewhere
        certificate, beside = directory / "certificate", _key_beside(file)
        key = directory / "key" if beside else None
        disk.write(certificate, disk.read(file, _LARGEST))
        if beside and key:
            disk.write(key, disk.read(beside, _LARGEST))
        context.load_cert_chain(certificate, key, password="")  # an encrypted key must not be asked for on a terminal
    return context


def _key_beside(file: Path) -> Path | None:
    beside = file.with_name(f"{file.name}.key")
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


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str | None) -> float:
    """Lets both talk in memory, and tells when the certificate ends, in seconds since 1970.

    name: whom the client wants to reach; without a name, anybody. Raises SSLError when they do not agree.
    """
    client.check_hostname = name is not None
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    visitor, host = client.wrap_bio(back, there, server_hostname=name), server.wrap_bio(there, back, server_side=True)
    for end in (visitor, host, visitor, host):  # TLS 1.3: hello, certificate, finished
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
    return ssl.cert_time_to_seconds(str((visitor.getpeercert() or {})["notAfter"]))


def _reason(file: Path, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"is not usable: {error.verify_message}. {_RENEW}"
    if error.reason == "KEY_VALUES_MISMATCH":
        return "stands with a private key that is not its own. Put the key there that it was requested with"
    lacks = (
        "certificate"
        if not _blocks(file)
        else "private key"
        if not _key_beside(file) and "PRIVATE KEY" not in _text(file)
        else None
    )
    what = f"holds no {lacks}" if lacks else f"cannot be loaded ({error.reason or error})"
    return f"{what}. Put certificate, chain and unencrypted key there as one PEM file"
