from __future__ import annotations

import pytest
from jtel_chat.documents import document
from jtel_chat.errors import Refused


def test_sections_fields_and_blocks() -> None:
    parsed = document.parse("# files: /x\nmode: 0755\ncontent:\n\t# files: /y\n\n\tend\n\n# packages: a b\n")
    assert [(section.kind, section.name) for section in parsed] == [("files", "/x"), ("packages", "a b")]
    assert parsed[0].fields == {"mode": "0755", "content": "# files: /y\n\nend\n"}


def test_unusual_line_separators_in_a_block_are_content() -> None:
    content = "form feed \x0c, next line \x85, separator \u2028, carriage return \r\n"
    assert document.parse("# files: /x\ncontent:\n\t" + content)[0].text("content") == content


def test_a_line_that_fits_nowhere_is_refused_with_its_number() -> None:
    with pytest.raises(Refused, match="line 2"):
        document.parse("# files: /x\n??\n")


def test_a_missing_field_names_its_section() -> None:
    with pytest.raises(Refused, match=r"files: /x.*lacks 'content'"):
        document.parse("# files: /x\n")[0].text("content")
