"""Edits a haproxy.cfg with the host tool's own functions: a line of JSON in is a request, a line out its answer.

A request is `{"function", "config", …}`, bytes in base64; the answer `{"value"}` or `{"refused"}`.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "host-tool"))

from jtel_chat.documents import kind
from jtel_chat.documents.document import Section
from jtel_chat.errors import Refused
from jtel_chat.haproxy.file import edit, sections, shadowing
from jtel_chat.haproxy.file.configuration import Configuration


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What the function says."""
    text = b64decode(request["config"])
    if request["function"] == "parsed":
        return {"value": refusals(text.decode())}
    config = Configuration(text)
    functions = {
        "edit": lambda: (
            edit.edit(
                config,
                Configuration(request["sections"].encode()),
                portal=request["portal"],
                rules=request["rules"],
            ).text
        ),
        "remove": lambda: edit.remove(config).text,
        "adopted": lambda: edit.adopted(config),
        "shadowing": lambda: shadowing.shadowing(config, request["portal"]),
        "document": lambda: sections.problems(
            Section("haproxy", "/etc/haproxy/haproxy.cfg", {"sections": text.decode(), "rules": request["rules"]})
        ),
    }
    try:
        value = functions[request["function"]]()
    except Refused as refusal:
        return {"refused": str(refusal)}
    return {"value": b64encode(value).decode() if isinstance(value, bytes) else value}


def refusals(document: str) -> list[str]:
    """Lists why the host tool would refuse a whole document."""
    try:
        kind.parsed(document)
    except Refused as refusal:
        return [str(refusal)]
    return []


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
