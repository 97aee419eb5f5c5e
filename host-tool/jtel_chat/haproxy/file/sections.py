"""Says what a document may put into the customer's haproxy.cfg: the lines that the template can write, and no other.

HAProxy's language can load code, read and write files and run programs; a document carries values. The table is the
template (templates/etc/haproxy/haproxy.cfg) and render/haproxy.ts once more, seen from the host: a test compares them.
"""

from __future__ import annotations

import re

from ...documents.document import Section
from ...errors import Refused

_TIME = r"[1-9][0-9]{0,8}(?:ms|s|m|h|d)"
_NUMBER = r"[0-9]{1,16}"
_PORT = r"[0-9]{1,5}"
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_HOST = rf"(?:{_NAME}|\[[0-9A-Fa-f:]+\])"
_PATH = r"/[A-Za-z0-9._/@+=,-]*"
_ADDRESS = r"(?:\*|[0-9.]+|\[[0-9A-Fa-f:]+\])?"
_PROXY = r"(?: accept-proxy)?"
_TLS = rf"(?: ssl crt {_PATH}(?: alpn (?:h2|http/1\.1)(?:,(?:h2|http/1\.1))?)?)?"
_MARKED = r'hdr jtel-chatctl "\$\{CFGREV\}" if \{ req\.hdr\(jtel-chatctl\) -m str "\$\{CFGREV\}" \}'

_MODE = "mode http"
_BIND = rf"bind {_ADDRESS}:{_PORT}(?: (?:v6only|interface [A-Za-z0-9_.@-]{{1,15}}))*{_TLS}{_PROXY}"
_FRONTEND = (
    _MODE,
    _BIND,
    rf"maxconn {_NUMBER}",
    rf"timeout client {_TIME}",
    rf"timeout client-fin {_TIME}",
    "default_backend backend_chat_ws",
)

#: Each section by its header, with the patterns of its lines.
SECTIONS: dict[str, tuple[str, ...]] = {
    "global": (r"setenv CFGREV [0-9a-f]{1,16}",),
    "frontend acdportal_chat_wss": _FRONTEND,
    "frontend acdportal_chat_ws": _FRONTEND,
    "frontend acdportal_chat_redirect": (
        _MODE,
        rf"bind :{_PORT}{_PROXY}",
        rf"http-request redirect prefix https://{_HOST}:{_PORT} code 308",
    ),
    "backend backend_chat_ws": (
        _MODE,
        r"balance (?:leastconn|roundrobin|static-rr|first|source|random)",
        "option redispatch 1",
        rf"timeout (?:connect|check|tunnel) {_TIME}",
        rf"http-request return status 204 {_MARKED}",
        (
            rf"server [a-z][a-z0-9-]{{0,30}} {_HOST}:{_PORT} weight {_NUMBER} check inter {_TIME} fastinter {_TIME}"
            rf" downinter {_TIME}(?: agent-check agent-port {_PORT} agent-inter 1s pool-max-conn 0)?"
            r"(?: on-marked-down shutdown-sessions)?"
        ),
    ),
}

#: The lines inside the portal's frontend, with WhatsApp.
RULES = (r"acl whatsapp_req path /(?:incoming|delivery)", "use_backend backend_chat_ws if whatsapp_req")


def problems(section: Section) -> list[str]:
    """Lists every line that chat does not write, by its number in the block."""
    return [*_section_problems(section.fields.get("sections", "")), *_rule_problems(section.lines("rules"))]


def check(section: Section) -> None:
    """Raises Refused with all problems of a document."""
    if found := problems(section):
        raise Refused("; ".join(found))


def _section_problems(text: str) -> list[str]:
    found: list[str] = []
    allowed: tuple[str, ...] | None = None
    # Every character that ends a line for anybody: HAProxy itself ends one at LF, and words at CR.
    for number, line in enumerate(text.split("\n"), 1):
        setting = line.strip(" ")
        if not setting or re.fullmatch(r"#[^\r\0]*", setting):
            continue
        if setting in SECTIONS:
            allowed = SECTIONS[setting]
        elif re.match(r"[a-z]", line):  # a header that is none of ours: what follows is not judged by another's table
            allowed = ()
            found.append(_refusal("sections", number))
        elif not any(re.fullmatch(pattern, setting) for pattern in allowed or ()):
            found.append(_refusal("sections", number))
    return found


def _rule_problems(rules: list[str]) -> list[str]:
    return [
        _refusal("rules", number)
        for number, rule in enumerate(rules, 1)
        if not any(re.fullmatch(pattern, rule) for pattern in RULES)
    ]


def _refusal(block: str, number: int) -> str:
    return (
        f"document: line {number} of '{block}' is none that chat needs in HAProxy, and nothing else is written there."
        " Is it this version's document?"
    )
