"""Masks passwords, tokens and keys in what others wrote, before a person sees it.

`printable` takes out what a terminal would obey.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Union

# Names whose value is a secret: password, dbPassword, keystore-pass, secret_key, license-key, security.token, apiKey,
# passwordHash.
_WORDS = r"password|passwd|passphrase|secret|token|api[_.-]?key|license[_.-]?key|private[_.-]?key"
_SECRET = rf"(?:[\w.-]*(?:{_WORDS})|(?:[\w.-]*[_.-])?(?:pass|pwd))(?:[_.-]?(?:key|hash))?"
_QUOTED = r""""(?:\\.|[^"\\])*"?|'[^']*'?"""
_HAPROXY_WORD = r"(?:\\.|\"(?:\\.|[^\"\\])*\"?|'[^']*'?|[^\s\"'\\])+"

_VALUE = r"""(?is)(\bvalue\s*=\s*)("[^"]*"?|'[^']*'?)"""

_Replacement = Union[str, Callable[[re.Match[str]], str]]
# Texts, which re compiles, and keeps, when something is masked: that takes as long as starting Python, and most looks
# show nothing.
_RULES: list[tuple[str, _Replacement]] = [
    (r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", r"\1…\2"),
    # <password>x</password>, <ns:secret-key a="b">x</ns:secret-key>; one that nothing closes ends with the text.
    # `=<password>` is a placeholder.
    (rf"(?is)((?<!=)<(?:[\w-]+:)?({_SECRET})(?:\s[^<>]*)?(?<!/)>).*?(</(?:[\w-]+:)?\2\s*>|\Z)", r"\1…\3"),
    # <property name="x.password">y</property>
    (
        rf"""(?is)(<([\w:-]+)\s[^<>]{{0,2000}}?\bname\s*=\s*(["']){_SECRET}\3[^<>]{{0,2000}}(?<!/)>).*?(</\2\s*>|\Z)""",
        r"\1…\4",
    ),
    # <property name="x.password" value="y"/>, in either order
    (
        rf"""(?is)<[^<>]{{0,2000}}?\bname\s*=\s*(["']){_SECRET}\1[^<>]{{0,2000}}>""",
        lambda tag: re.sub(_VALUE, r"\1…", tag[0]),
    ),
    # password="x y", secretKey = 'x', ?password=x&…, -Dpassword=x
    (rf"""(?i)((?<![\w.-]){_SECRET}["']?\s*=[ \t]*)(?!<password>)({_QUOTED}|[^&\s"']+)""", r"\1…"),
    # "password": "x", and a line `password: x`
    (rf"""(?i)(["']{_SECRET}["']\s*:\s*)({_QUOTED}|[^,\s}}]+)""", r"\1…"),
    # Its indentation ends with the line: `\s*` would begin anew at each of thousands of empty lines, and take minutes.
    (rf"(?im)^([^\S\n]*{_SECRET}[ \t]*:[ \t]*)\S[^\n]*", r"\1…"),
    # --password x
    (rf"""(?i)((?<!\S)--?{_SECRET}[ \t]+)({_QUOTED}|\S+)""", r"\1…"),
    # What a URL has before its @: up to the last one before its path, for a password may hold one.
    (r"(?i)(\b[a-z][a-z0-9+.:-]{0,40}://)[^\s/\"'<>]*@", r"\1…@"),
    (r"(?i)(\bjdbc:[^\s/]{0,40}//)[^\s\"']{0,2000}@(?=[^\s/@]{0,300}/)", r"\1…@"),
    # HAProxy: `stats auth user:password`, `user x password y`, `user x insecure-password y`
    (rf"(?im)^(.*\bstats\s+auth\s+[^\s:]+:){_HAPROXY_WORD}", r"\1…"),
    (rf"(?im)^(.*\buser\s+\S+\s+(?:insecure-)?password\s+){_HAPROXY_WORD}", r"\1…"),
]

# HAProxy has headers, maps and conditions where a key may stand anywhere behind a word that says so.
_REST_OF_LINE = (
    r"(?i)(\bauthorization\b\W*|\bbasic\s+|\bbearer\s+|\bhttp_auth_bearer\S*\s+"
    r"|(?:password|secret|token|api[_-]?key)\S{0,200}\s+)\S.*"
)


def masked(text: str) -> str:
    """Masks the secrets of others in XML, URLs, options, HAProxy's `stats auth` and `userlist`; the rest stays."""
    for pattern, masks in _RULES:
        text = re.sub(pattern, masks, text)
    return text


def masked_line(text: str) -> str:
    """Cuts one line of a haproxy.cfg where a secret may begin: headers and conditions may hold keys."""
    return re.sub(_REST_OF_LINE, r"\1…", masked(text))


def without_secrets(text: str) -> str:
    """Cuts the lines of a systemd unit where a password begins, since no rule tells where it ends.

    The vendor's placeholder `<password>` is none and stays.
    """
    text = re.sub(r"(?i)(password=)(?!<[^>]*>)[^\n]+", r"\1…", text)
    return re.sub(r"(?i)(jdbc:[^\s/]*//)[^\s/]*@", r"\1…@", text)
