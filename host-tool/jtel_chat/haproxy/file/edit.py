"""Edits a haproxy.cfg that belongs to the customer; nothing outside our marked blocks changes.

Chat sections and rules that somebody pasted by hand are adopted: a block of ours stands in their place and carries them
as comments, so that the file itself gives them back when the block goes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ...access import digests
from ...errors import Refused
from . import marked_blocks, parse, portal_frontend, takeover
from .parse import Line, Section

_REVISION = re.compile(rb"(?m)^([ \t]*setenv CFGREV )[0-9a-f]*(?=\r?$)")


def edit(config: bytes, *, sections: bytes, portal: str, rules: list[str], above: bytes = b"") -> bytes:
    """The configuration with our sections at its end and, with rules, those inside the frontend or listen section
    `portal`.

    The same input gives the same output, and editing twice is editing once. `CFGREV` in our sections becomes the digest
    of our blocks, so that a running HAProxy can say which version it has loaded. Raises Refused, with line numbers,
    when something else has our names or our port, or when the portal is missing or cannot carry the rules.
    above: what HAProxy reads before this file, where it reads more than one.
    """
    earlier = parse.above(above)
    file = parse.lines(remove(config), marked_blocks.numbers(config))
    eol = _line_end(file)
    replaced, clashes = takeover.survey(file, parse.lines(sections))
    inserted: dict[int, bytes] = {}
    try:
        for place in _places(file, portal, rules, earlier):
            joined = place.before == len(file) and not file[-1].raw.endswith(b"\n")
            inserted[place.before] = marked_blocks.block(
                [rule.encode() for rule in rules], eol=eol, indent=_indent(place.like), joined=joined
            )
            replaced += place.replaced
    except Refused as refusal:
        clashes.append(str(refusal))
    if clashes:
        raise Refused("; ".join(clashes))
    result = b"".join(_woven(file, set(replaced), inserted, eol))
    own = takeover.own_defaults([*earlier, *parse.sections(file)]) + sections
    block = marked_blocks.block(
        _restyled(own, _indentation(file)), eol=eol, joined=result != b"" and not result.endswith(b"\n")
    )
    revision = digests.short(b"".join(blocks(result + block))).encode()
    return result + _REVISION.sub(lambda match: match[1] + revision, block)


def remove(config: bytes) -> bytes:
    """The configuration without our blocks, with what they have adopted.

    Raises Refused when a marker stands there by itself.
    """
    return marked_blocks.without(config)


def blocks(config: bytes) -> list[bytes]:
    """Our blocks as they stand there, those with adopted lines too; for a person's eyes there is `shown`."""
    return [piece.text for piece in marked_blocks.pieces(config) if piece.opening]


def shown(config: bytes) -> str:
    """Our blocks as text, without the secrets that adopted lines may hold."""
    return "".join(marked_blocks.masked(piece) for piece in marked_blocks.pieces(config) if piece.opening)


def has_own_defaults(config: bytes) -> bool:
    """Whether a section of `defaults` is in our blocks: the sections of a file that HAProxy reads after this one would
    inherit it.
    """
    return any(
        section.keyword == "defaults" for block in blocks(config) for section in parse.sections(parse.lines(block))
    )


def revision(config: bytes) -> str | None:
    """The value of CFGREV in our blocks: what HAProxy says of itself when it has loaded them."""
    found = [match for block in blocks(config) for match in _REVISION.finditer(block)]
    return found[0][0].split()[-1].decode() if found else None


def adopted(config: bytes) -> list[str]:
    """What our blocks carry:

    `adopted frontend acdportal_chat_ws (lines 120-125)`, the lines as counted without our blocks.
    """
    found, line = [], 1
    for piece in marked_blocks.pieces(config):
        carried = marked_blocks.given_back(piece) if piece.adopts else []
        if carried:
            where = f"line {line}" if len(carried) == 1 else f"lines {line}-{line + len(carried) - 1}"
            found.append(f"adopted {_title(carried)} ({where})")
        line += len(carried) if piece.opening else len(piece.lines)
    return found


def _places(file: list[Line], portal: str, rules: list[str], above: list[Section]) -> list[portal_frontend.Place]:
    ours = parse.lines("\n".join(rules).encode())
    return (
        [portal_frontend.place(section, ours) for section in portal_frontend.find(file, portal, above)] if rules else []
    )


def _title(carried: list[bytes]) -> str:
    """`frontend acdportal_chat_ws`, or what the rules are: `acl whatsapp_req, use_backend backend_chat_ws`."""
    heads = [" ".join(line.words[:2]) for line in parse.lines(b"".join(carried)) if line.words]
    proxy = [head for head in heads[:1] if head.split(" ")[0] in parse.PROXIES]
    return ", ".join(proxy or dict.fromkeys(heads))


def _woven(file: list[Line], replaced: set[int], inserted: dict[int, bytes], eol: bytes) -> Iterator[bytes]:
    """The file with blocks inserted before lines, and each run of replaced lines in a block that carries them."""
    carried: list[bytes] = []
    for line in file:
        if carried and (line.index not in replaced or line.index in inserted or line.keyword in parse.PROXIES):
            yield marked_blocks.adopting(carried, eol)
            carried = []
        yield inserted.get(line.index, b"")
        if line.index in replaced:
            carried.append(line.raw)
        else:
            yield line.raw
    if carried:
        yield marked_blocks.adopting(carried, eol)
    yield inserted.get(len(file), b"")


def _restyled(sections: bytes, indentation: bytes) -> list[bytes]:
    """Indents our sections as the customer's are."""
    return [re.sub(rb"^ +", indentation, line) for line in sections.rstrip(b"\n").split(b"\n")]


def _line_end(file: list[Line]) -> bytes:
    """What most lines end with."""
    carriage_returns = sum(line.raw.endswith(b"\r\n") for line in file)
    return b"\r\n" if carriage_returns * 2 > len(file) else b"\n"


def _indentation(file: list[Line]) -> bytes:
    """What most settings are indented by; four blanks where nothing is."""
    settings = [line for section in parse.sections(file) for line in section.content()]
    common = Counter(filter(None, map(_indent, settings))).most_common(1)
    return common[0][0] if common else b"    "


def _indent(line: Line) -> bytes:
    return line.raw[: len(line.raw) - len(line.raw.lstrip(b" \t"))]
