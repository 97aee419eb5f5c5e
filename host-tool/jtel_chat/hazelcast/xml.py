"""Reads a hazelcast.xml with bounds, and without document types and entities, by which a small file becomes large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import Refused

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_LIMIT = 512 << 10  # bytes; Hazelcast's own full example has 300 KB
_DEEPEST = 60  # elements inside each other


def root(data: bytes) -> Element:
    """Reads the root element. Raises Refused with what is wrong, and the remedy.

    The parser finds declarations; a search in the bytes would miss `<!ENTITY` in UTF-16.
    """
    import xml.etree.ElementTree as xml
    from xml.parsers import expat

    if len(data) > _LIMIT:
        raise Refused(f"it has {len(data)} bytes, and at most {_LIMIT} are read. Is it the right file?")
    builder, parser = xml.TreeBuilder(), expat.ParserCreate(namespace_separator="}")
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise Refused(
                f"its elements lie in each other more than {_DEEPEST} deep, which no Hazelcast configuration does. Is"
                " it the right file?"
            )
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, builder.data
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        parser.Parse(data, True)
        return builder.close()
    except expat.ExpatError as error:
        raise Refused(f"it is not well-formed XML ({error}). Repair it on the share") from None
    except (ValueError, LookupError):  # an encoding that expat does not know, and Java perhaps does
        raise Refused("its encoding is not read here. Save it as UTF-8") from None


def local(tag: str) -> str:
    """Gives an element's name without its namespace."""
    return tag.rpartition("}")[2]


def _refuse_document_type(*_: Any) -> None:
    raise Refused(
        "it declares XML entities or a document type (<!DOCTYPE), which no Hazelcast configuration needs. Remove them"
    )
