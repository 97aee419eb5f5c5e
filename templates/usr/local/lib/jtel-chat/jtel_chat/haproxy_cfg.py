"""Edits of a haproxy.cfg that belongs to the customer: bytes in, bytes out, nothing outside our marked blocks changes."""

from __future__ import annotations

import re

from . import durable
from .errors import Refused

_BEGIN = b"# BEGIN jtel-chat (written by jtel-chatctl, changes made here are undone)"
# Where the file had no final newline, ours goes with the block when that is taken out.
_BEGIN_JOINED = _BEGIN + b" after a line without a newline"
_END = b"# END jtel-chat"
_REVISION = re.compile(rb"(?m)^([ \t]*setenv CFGREV )[0-9a-f]*(?=\r?$)")
_SECTIONS = (
    rb"(?:global|defaults|frontend|backend|listen|userlist|peers|resolvers|cache|mailers|program|ring|http-errors|fcgi-app|log-forward|crt-store|traces|acme)"
)
_HEADER = re.compile(rb"^[ \t]*" + _SECTIONS + rb"(?:[ \t\r]|$)")
_MARKER = re.compile(rb"(?m)^[ \t]*# (?:BEGIN|END) jtel-chat\b.*$")
_BODY = rb"\r?\n(?:(?![ \t]*# BEGIN jtel-chat).*\n)*?[ \t]*" + re.escape(_END) + rb"\r?\n?"
_BLOCK = re.compile(rb"(?m)\r?\n[ \t]*" + re.escape(_BEGIN_JOINED) + _BODY + rb"|^[ \t]*" + re.escape(_BEGIN) + _BODY)


def edit(config: bytes, *, sections: bytes, portal: str, rules: list[str]) -> bytes:
    """The configuration with our sections at its end and, with a portal frontend, our rules inside it.

    The same input gives the same output, and editing twice is editing once. `CFGREV` in our sections becomes the digest of
    our blocks, so that a running HAProxy can say which version it has loaded. Raises Refused when the frontend is missing.
    """
    customers = remove(config)
    eol = b"\r\n" if b"\r\n" in customers else b"\n"
    if rules:
        customers = _insert_rules(customers, portal, rules, eol)
    result = customers + _block(sections.rstrip(b"\n").split(b"\n"), b"", eol, after=customers)
    revision = durable.digest(b"".join(blocks(result))).encode()
    return _REVISION.sub(lambda match: match[1] + revision, result)


def remove(config: bytes) -> bytes:
    """The configuration without our blocks. Raises Refused when a marker stands there by itself: what is ours cannot be told then."""
    rest = _BLOCK.sub(b"", config)
    if stray := _MARKER.search(rest):
        line = config.split(b"\n").index(next(each for each in config.split(b"\n") if each.strip() == stray[0].strip())) + 1
        raise Refused(f"the marker '{stray[0].strip().decode()}' (line {line} or later) has lost its counterpart. Restore that, or remove what is between")
    return rest


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
    before = b"".join(line + b"\n" for line in lines[:at]) if at < len(lines) else config
    return before + _block([rule.encode() for rule in rules], indent, eol, after=before) + b"\n".join(lines[at:])


def _indent(line: bytes) -> bytes:
    return line[: len(line) - len(line.lstrip(b" \t"))]


def _block(lines: list[bytes], indent: bytes, eol: bytes, after: bytes) -> bytes:
    joined = after != b"" and not after.endswith(b"\n")
    begin = _BEGIN_JOINED if joined else _BEGIN
    return (eol if joined else b"") + b"".join(indent + line + eol if line else eol for line in [begin, *lines, _END])
