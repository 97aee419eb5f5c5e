"""Reads documents: the text that one step wants to be true on this host.

A document is a list of sections. A section is opened by `# kind: NAME`; lines `key: value` and blocks follow:

    # files: /usr/local/bin/updatesc.sh
    mode: 0755
    content:
        #!/bin/sh
        …

Block lines are indented by a tab, so that no content can be taken for a header.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import Refused

_HEADER = re.compile(r"# ([a-z]+): (\S.*)")
_FIELD = re.compile(r"([a-z][a-z0-9-]*):(?: (.*))?")


class Section(NamedTuple):
    """One section of a document: `# files: /etc/x` has the kind `files` and the name `/etc/x`.

    fields: the values by their keys; a block is one text that ends in a newline.
    """

    kind: str
    name: str
    fields: dict[str, str]

    def text(self, key: str) -> str:
        """Gives the value of a field. Raises Refused where the section lacks it."""
        if key not in self.fields:
            raise Refused(f"document: section '{self.kind}: {self.name}' lacks '{key}'")
        return self.fields[key]

    def lines(self, key: str) -> list[str]:
        """Gives the lines of a block; none when the field is absent or empty."""
        text = self.fields.get(key, "").rstrip("\n")
        return text.split("\n") if text else []


def parse(text: str) -> list[Section]:
    """Reads the sections of a document. Raises Refused with the number of the first line that fits nowhere."""
    sections: list[Section] = []
    block = ""
    for number, line in enumerate(text.split("\n"), 1):
        fields = sections[-1].fields if sections else {}
        if block and (line.startswith("\t") or not line):
            fields[block] += line[1:] + "\n"
        elif header := _HEADER.fullmatch(line):
            sections.append(Section(header[1], header[2], {}))
            block = ""
        elif sections and (entry := _FIELD.fullmatch(line)):
            block = entry[1] if entry[2] is None else ""
            fields[entry[1]] = entry[2] or ""
        elif line:
            raise Refused(f"document: line {number} is neither a section, a field nor a block line")
    for section in sections:
        for key, value in section.fields.items():
            section.fields[key] = value.rstrip("\n") + "\n" if "\n" in value else value
    return sections
