"""Writes render/kinds.ts: the fields of a document's sections as types, from the declarations of the host tool's kinds.

python3 toolchain/kinds.py        (npm run kinds)
python3 toolchain/kinds.py check  exit code 1 when the file is not what the declarations give
"""

from __future__ import annotations

import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
TARGET = CHECKOUT / "render/kinds.ts"
sys.path.insert(0, str(CHECKOUT / "host-tool"))

from jtel_chat.documents import kind  # noqa: E402
from jtel_chat.documents.declaration import Field  # noqa: E402
from jtel_chat.documents.document import Section  # noqa: E402

HEAD = """\
/**
 * The fields of a document's sections, by kind. Made from what the host tool declares: \\`npm run kinds\\`.
 *
 * A one-line field is a string, a block a list of lines or a text that ends with a newline. The tool refuses anything
 * else.
 */
export interface Kinds {
"""


def text() -> str:
    """The whole file."""
    return HEAD.replace("\\`", "`") + "".join(_kind(name) for name in kind.KINDS) + "}\n"


def _kind(name: str) -> str:
    fields = kind.declared(Section(name, "", {})).fields
    return f"  {name}: {{\n{''.join(_field(key, each) for key, each in fields.items())}  }};\n"


def _field(key: str, field: Field) -> str:
    shown = key if key.isidentifier() else f'"{key}"'
    types = {"line": "string", "lines": "string[]", "text": "string"}[field.form]
    return f"    {shown}{'' if field.required else '?'}: {types}{'' if field.required else ' | undefined'};\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        if TARGET.read_text(encoding="utf-8") != text():
            sys.exit("render/kinds.ts is not what the host tool's kinds declare. Run: npm run kinds")
    else:
        TARGET.write_text(text(), encoding="utf-8")
