"""Edits of a haproxy.cfg that belongs to the customer: bytes in, bytes out, nothing outside our marked blocks changes."""

from __future__ import annotations

import hashlib
import re

from .errors import Refused

_BEGIN = b"# BEGIN jtel-chat (written by jtel-chatctl, changes made here are undone)"
_END = b"# END jtel-chat"
_REVISION = re.compile(rb"(?m)^([ \t]*setenv CFGREV )[0-9a-f]*(?=\r?$)")
_SECTIONS = (
    rb"(?:global|defaults|frontend|backend|listen|userlist|peers|resolvers|cache|mailers|program|ring|http-errors|fcgi-app|log-forward|crt-store|traces|acme)"
)
_HEADER = re.compile(rb"^[ \t]*" + _SECTIONS + rb"(?:[ \t\r]|$)")
_BLOCK = re.compile(rb"(?m)^[ \t]*" + re.escape(_BEGIN) + rb"\r?\n(?:.*\n)*?[ \t]*" + re.escape(_END) + rb"\r?\n?")


def edit(config: bytes, *, sections: bytes, portal: str, rules: list[str]) -> bytes:
    """The configuration with our sections at its end and, with a portal frontend, our rules inside it.

    The same input gives the same output, and editing twice is editing once. `CFGREV` in our sections becomes the digest of
    our blocks, so that a running HAProxy can say which version it has loaded. Raises Refused when the frontend is missing.
    """
    customers = remove(config)
    eol = b"\r\n" if b"\r\n" in customers else b"\n"
    if rules:
        customers = _insert_rules(customers, portal, rules, eol)
    gap = b"" if not customers or customers.endswith(b"\n") else eol
    result = customers + gap + _block(sections.rstrip(b"\n").split(b"\n"), b"", eol)
    revision = hashlib.sha256(b"".join(blocks(result))).hexdigest()[:16].encode()
    return _REVISION.sub(lambda match: match[1] + revision, result)


def remove(config: bytes) -> bytes:
    """The configuration without our blocks."""
    return _BLOCK.sub(b"", config)


def blocks(config: bytes) -> list[bytes]:
    """Our blocks as they stand there."""
    return _BLOCK.findall(config)


def revision(config: bytes) -> str | None:
    """The value of CFGREV in our blocks: what HAProxy says of itself when it has loaded them."""
    found = [match for block in blocks(config) for match in _REVISION.finditer(block)]
    return found[0][0].split()[-1].decode() if found else None


def section_lines(config: bytes, keyword: str, name: str) -> range | None:
    """Line indexes of the section `keyword name`, header excluded."""
    lines = config.split(b"\n")
    header = re.compile(rb"^[ \t]*" + keyword.encode() + rb"[ \t]+" + re.escape(name.encode()) + rb"(?:[ \t\r#]|$)")
    start = next((index for index, line in enumerate(lines) if header.match(line)), None)
    if start is None:
        return None
    end = next((index for index in range(start + 1, len(lines)) if _HEADER.match(lines[index])), len(lines))
    return range(start + 1, end)


def _insert_rules(config: bytes, portal: str, rules: list[str], eol: bytes) -> bytes:
    section = section_lines(config, "frontend", portal)
    if section is None:
        raise Refused(f"there is no 'frontend {portal}', which has to carry /incoming and /delivery. Name yours in whatsapp.frontend")
    lines = config.split(b"\n")
    content = [index for index in section if lines[index].strip() and not lines[index].lstrip().startswith(b"#")]
    # The first matching use_backend wins: ours, for two exact paths, stands before the customer's catch-all.
    first = next((index for index in content if lines[index].split()[0] in (b"use_backend", b"default_backend")), None)
    at = first if first is not None else (content[-1] + 1 if content else section.start)
    indent = _indent(lines[content[0]]) if content else b"    "
    block = _block([rule.encode() for rule in rules], indent, eol)
    before = b"".join(line + b"\n" for line in lines[:at])
    if at >= len(lines):  # the section is the file's last and has no final newline
        before = config + eol
    return before + block + b"\n".join(lines[at:])


def _indent(line: bytes) -> bytes:
    return line[: len(line) - len(line.lstrip(b" \t"))]


def _block(lines: list[bytes], indent: bytes, eol: bytes) -> bytes:
    return b"".join(indent + line + eol if line else eol for line in [_BEGIN, *lines, _END])
