"""Edits a haproxy.cfg that belongs to the customer; nothing outside our marked blocks changes.

Chat sections and rules that somebody pasted by hand are adopted: a block of ours stands in their place and carries them
as comments, so that the file itself gives them back when the block goes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ...access import digests
from ...errors import Refused
from . import inheritance, marked_blocks, parse, portal_frontend, takeover
from .configuration import Configuration
from .parse import Line, Section
from .portal_frontend import Place

_REVISION = re.compile(rb"(?m)^([ \t]*setenv CFGREV )[0-9a-f]*(?=\r?$)")


def edit(config: Configuration, ours: Configuration, *, portal: str, rules: list[str]) -> Configuration:
    """Puts our sections at the end of the file and, with rules, those into the frontend or listen section `portal`.

    The same input gives the same output, and editing twice is editing once: a file that has all this is given back as
    the same object. `CFGREV` in our sections becomes the digest of our blocks, so that a running HAProxy can say which
    version it has loaded. Raises Refused, with line numbers, when something else has our names or our port, or when the
    portal is missing or cannot carry the rules.
    """
    file = config.without_blocks
    theirs = parse.sections(file)
    eol = _line_end(file)
    found = takeover.survey(config, theirs, ours.sections)
    clashes, replaced = [*_stray_nuls(file), *found.clashes], set(found.replaced)
    inserted: dict[int, bytes] = {}
    try:
        for place in _places(config, theirs, ours, portal, rules, found.adopted):
            joined = place.before == len(file) and not file[-1].raw.endswith(b"\n")
            inserted[place.before] = marked_blocks.block(
                [rule.raw.rstrip(b"\n") for rule in place.rules], eol=eol, indent=_indent(place.like), joined=joined
            )
            replaced.update(place.replaced)
    except Refused as refusal:
        clashes.append(str(refusal))
    if clashes:
        raise Refused("; ".join(clashes))
    result = b"".join(_woven(file, replaced, inserted, eol))
    own = inheritance.own_defaults([*config.above, *theirs]) + ours.text
    block = marked_blocks.block(
        _restyled(own, _indentation(theirs)), eol=eol, joined=result != b"" and not result.endswith(b"\n")
    )
    number = digests.short(b"".join(blocks(config.changed(result + block)))).encode()
    return config.changed(result + _REVISION.sub(lambda match: match[1] + number, block))


def remove(config: Configuration) -> Configuration:
    """Takes our blocks out and puts back what they have adopted.

    Gives back the same object where there are none. Raises Refused when a marker stands there by itself.
    """
    return config.changed(marked_blocks.without(config.pieces))


def blocks(config: Configuration) -> list[bytes]:
    """Lists our blocks as they stand there, those with adopted lines too; for a person's eyes there is `shown`."""
    return [block.text for block in config.blocks]


def shown(config: Configuration) -> str:
    """Shows our blocks to a person, without the secrets that adopted lines may hold."""
    return "".join(map(marked_blocks.masked, config.blocks))


def has_own_defaults(config: Configuration) -> bool:
    """Tells whether our blocks have a `defaults` section, which the sections of a later file would inherit."""
    return any(
        section.keyword == "defaults" and section.header.number in block.numbers
        for block in config.blocks
        for section in config.sections
    )


def revision(config: Configuration) -> str | None:
    """Reads CFGREV in our blocks, `03a1d6abbed2a5a6`: what HAProxy says of itself when it has loaded them."""
    found = [match for block in blocks(config) for match in _REVISION.finditer(block)]
    return found[0][0].split()[-1].decode() if found else None


def is_intact(config: Configuration) -> bool:
    """Tells whether nobody has edited our blocks: CFGREV is the digest of what they were written with."""
    text = b"".join(blocks(config))
    return revision(config) == (digests.short(_REVISION.sub(rb"\g<1>0", text)) if text else None)


def adopted(config: Configuration) -> list[str]:
    """Names what our blocks carry: `adopted frontend acdportal_chat_ws (lines 120-125)`.

    Then the lines among these that chat has nothing instead of: `…; without effect from now on: line 121 'cookie …'`.
    The numbers are those of the file without our blocks.
    """
    found = []
    for block in config.blocks:
        carried = [line for line in config.without_blocks if line.number in block.numbers]
        if carried:
            first, last = carried[0].at + 1, carried[-1].at + 1
            where = f"line {first}" if first == last else f"lines {first}-{last}"
            lines = [line._replace(number=line.at + 1) for line in carried]
            lost = [parse.shown(line) for section in parse.sections(lines) for line in takeover.without_effect(section)]
            rest = f"; without effect from now on: {', '.join(lost)}" if lost else ""
            found.append(f"adopted {_title(carried)} ({where}){rest}")
    return found


def unheeded(config: Configuration) -> list[str]:
    """Lists the lines that our blocks carry and that decided who reaches chat, each with the remedy.

    Versions before adopted them without a word.
    """
    lines = [line for line in config.without_blocks if line.number in config.numbers_in_blocks]
    return [text for section in parse.sections(lines) for text in takeover.access_rules(section)]


def _stray_nuls(file: Sequence[Line]) -> Iterator[str]:
    """Yields what HAProxy refuses in any line, comments too; other programs end a name there, or do not take it."""
    for line in file:
        if b"\0" in line.raw:
            yield f"{parse.shown(line)} holds a NUL character, and HAProxy refuses the file for it. Remove it there"


def _places(
    config: Configuration,
    theirs: Sequence[Section],
    ours: Configuration,
    portal: str,
    rules: list[str],
    adopted: Sequence[Section],
) -> list[Place]:
    """Finds the places of the rules in the portal, which is none of our sections, nor one that they replace."""
    if not rules:
        return []
    taken = {section.name for section in (*ours.sections, *adopted) if section.keyword in parse.PROXIES}
    lines = Configuration("\n".join(rules).encode()).lines
    found = portal_frontend.find(theirs, portal, above=config.above, taken=taken)
    return [place for section in found for place in portal_frontend.places(section, lines)]


def _title(carried: list[Line]) -> str:
    """Names carried lines: `frontend acdportal_chat_ws`, or rules: `acl whatsapp_req, use_backend backend_chat_ws`."""
    heads = [" ".join(line.words[:2]) for line in carried if line.words]
    proxy = [head for head in heads[:1] if head.split(" ")[0] in parse.PROXIES]
    return ", ".join(proxy or dict.fromkeys(heads))


def _woven(file: Sequence[Line], replaced: set[int], inserted: dict[int, bytes], eol: bytes) -> Iterator[bytes]:
    """Yields the file with blocks inserted before lines, and with blocks that carry the replaced lines."""
    carried: list[bytes] = []
    for line in file:
        if carried and (line.at not in replaced or line.at in inserted or line.keyword in parse.PROXIES):
            yield marked_blocks.adopting(carried, eol)
            carried = []
        yield inserted.get(line.at, b"")
        if line.at in replaced:
            carried.append(line.raw)
        else:
            yield line.raw
    if carried:
        yield marked_blocks.adopting(carried, eol)
    yield inserted.get(len(file), b"")


def _restyled(sections: bytes, indentation: bytes) -> list[bytes]:
    """Indents our sections as the customer's are."""
    return [re.sub(rb"^ +", indentation, line) for line in sections.rstrip(b"\n").split(b"\n")]


def _line_end(file: Sequence[Line]) -> bytes:
    """Finds out what most lines end with."""
    carriage_returns = sum(line.raw.endswith(b"\r\n") for line in file)
    return b"\r\n" if carriage_returns * 2 > len(file) else b"\n"


def _indentation(theirs: list[Section]) -> bytes:
    """Finds out what most settings are indented by; four blanks where nothing is."""
    settings = [line for section in theirs for line in section.content()]
    common = Counter(filter(None, map(_indent, settings))).most_common(1)
    return common[0][0] if common else b"    "


def _indent(line: Line) -> bytes:
    return line.raw[: len(line.raw) - len(line.raw.lstrip(b" \t"))]
