"""The host tool's own edits of a haproxy.cfg for another program: one JSON request per line in, one JSON answer per line out.

A request is `{"function", "config", …}`, bytes in base64; the answer `{"value"}` or `{"refused"}`.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "templates/usr/local/lib/jtel-chat"))

from jtel_chat import haproxy_cfg, haproxy_document, haproxy_shadowing
from jtel_chat.document import Section
from jtel_chat.errors import Refused


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What the function says."""
    config = b64decode(request["config"])
    functions = {
        "edit": lambda: haproxy_cfg.edit(config, sections=request["sections"].encode(), portal=request["portal"], rules=request["rules"]),
        "remove": lambda: haproxy_cfg.remove(config),
        "adopted": lambda: haproxy_cfg.adopted(config),
        "shadowing": lambda: haproxy_shadowing.shadowing(config, request["portal"]),
        "document": lambda: haproxy_document.problems(Section("haproxy", "/etc/haproxy/haproxy.cfg", {"sections": config.decode(), "rules": request["rules"]})),
    }
    try:
        value = functions[request["function"]]()
    except Refused as refusal:
        return {"refused": str(refusal)}
    return {"value": b64encode(value).decode() if isinstance(value, bytes) else value}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
