"""Tells whether the condition of a HAProxy rule holds for a request's path, without running HAProxy.

There are three answers: True, False, and None where it depends on what only the running process knows.
Source: configuration.txt, "Using ACLs and fetching samples".
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Callable, NamedTuple, Optional

from .parse import Section

Verdict = Optional[bool]

_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "str": lambda path, pattern: path == pattern,
    "beg": lambda path, pattern: path.startswith(pattern),
    "end": lambda path, pattern: path.endswith(pattern),
    "sub": lambda path, pattern: pattern in path,
    "dir": lambda path, pattern: f"/{pattern.strip('/')}/" in f"{path}/",
    "reg": lambda path, pattern: re.search(pattern, path) is not None,
}
_HARMLESS = {"lower", "url_dec"}  # converters that leave our paths as they are
_CONSTANT: dict[str, Verdict] = {"TRUE": True, "FALSE": False, "always_true": True, "always_false": False}
# Criteria that two requests for one address meet alike, whoever sends them.
_OF_ADDRESS = re.compile(
    r"(?:(?:path|pathq|url|base|method)(?:_(?:beg|dir|dom|end|len|reg|str|sub))?|ssl_fc|ssl_fc_sni|dst_port|METH_[A-Z]+"
    r"|(?:req\.)?f?hdr(?:_(?:beg|dom|end|reg|str|sub))?\(host\)|TRUE|FALSE|always_true|always_false)(?:[\s,]|$)",
    re.IGNORECASE,
)


class _Term(NamedTuple):
    """One term of a condition: the name of an ACL, or the criterion between braces."""

    negated: bool
    name: str
    criterion: tuple[str, ...] = ()


def holds(words: tuple[str, ...], path: str | None, section: Section) -> Verdict:
    """Tells whether a rule of these words applies to `path`, e.g. `redirect location / if { path / }` to `/incoming`.

    A rule without `if` or `unless` always does. path: None where only a running HAProxy knows it.
    """
    start = next((index for index, word in enumerate(words) if word in ("if", "unless")), None)
    if start is None:
        return True
    verdict = _any([_all(terms, path, section) for terms in _alternatives(words[start + 1 :])])
    return verdict if words[start] == "if" or verdict is None else not verdict


def asks_who(words: tuple[str, ...], section: Section) -> bool:
    """Tells whether a rule's condition depends on more than a request's address: on its sender, say, or its headers.

    A request from this host may then fare otherwise than TynTec's to the same address. An ACL that is not defined there
    is one of HAProxy's own, as `LOCALHOST`.
    """
    start = next((index for index, word in enumerate(words) if word in ("if", "unless")), len(words))
    terms = [term for alternative in _alternatives(words[start + 1 :]) for term in alternative]
    criteria = [each for term in terms for each in ([term.criterion] if term.criterion else _defined(term, section))]
    return any(not _OF_ADDRESS.match(" ".join(criterion)) for criterion in criteria)


def _defined(term: _Term, section: Section) -> list[tuple[str, ...]]:
    found = [line.words[2:] for line in section.named("acl") if line.words[1:2] == (term.name,)]
    return found or [(term.name,)]


def _alternatives(words: tuple[str, ...]) -> list[list[_Term]]:
    """Divides a condition at each `or`: `a !b or c` has the terms `a` and `!b`, and the term `c`."""
    alternatives: list[list[_Term]] = [[]]
    rest, negated = iter(words), False
    for word in rest:
        text = word.lstrip("!")
        negated ^= (len(word) - len(text)) % 2 == 1
        if text in ("or", "||"):
            alternatives.append([])
        elif text == "{":
            alternatives[-1].append(_Term(negated, "", tuple(takewhile(lambda each: each != "}", rest))))
        elif text:
            alternatives[-1].append(_Term(negated, text))
        negated = negated and not text  # `!` may stand apart from what it negates
    return alternatives


def _all(terms: list[_Term], path: str | None, section: Section) -> Verdict:
    verdicts = [_term(term, path, section) for term in terms]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _any(verdicts: list[Verdict]) -> Verdict:
    if True in verdicts:
        return True
    return None if None in verdicts else False


def _term(term: _Term, path: str | None, section: Section) -> Verdict:
    verdict = _acl(term.name, path, section) if term.name else _criterion(term.criterion, path, section)
    return verdict if verdict is None else verdict != term.negated


def _acl(name: str, path: str | None, section: Section) -> Verdict:
    """Tells whether an ACL holds; one that is defined several times does when one of its definitions does."""
    definitions = [line.words[2:] for line in section.named("acl") if line.words[1:2] == (name,)]
    return _any([_criterion(words, path, section) for words in definitions]) if definitions else _CONSTANT.get(name)


def _criterion(words: tuple[str, ...], path: str | None, section: Section) -> Verdict:
    if words and words[0] == "ssl_fc":
        return _encrypted(section)
    if len(words) < 2:
        return _CONSTANT.get("".join(words))
    fetch, *converters = words[0].split(",")
    name, _, match = fetch.partition("_")
    flags, patterns = _flags(list(words[1:]))
    match = flags.get("-m", match or "str")
    decidable = name == "path" and match in _MATCHES and "-f" not in flags and set(converters) <= _HARMLESS
    if path is None or not decidable or any("$" in pattern for pattern in patterns if match != "reg"):
        return None
    try:
        return any(_matches(match, path, pattern, "-i" in flags) for pattern in patterns)
    except re.error:
        return None


def _matches(match: str, path: str, pattern: str, ignoring_case: bool) -> bool:
    if ignoring_case and match == "reg":
        return _MATCHES[match](path, f"(?i){pattern}")
    return _MATCHES[match](path.lower(), pattern.lower()) if ignoring_case else _MATCHES[match](path, pattern)


def _flags(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Divides words into flags, of which `-m`, `-f` and `-u` have a value, and patterns."""
    flags: dict[str, str] = {}
    while words and words[0].startswith("-"):
        flag = words.pop(0)
        if flag == "--":
            break
        flags[flag] = words.pop(0) if flag in ("-m", "-f", "-u") and words else ""
    return flags, words


def _encrypted(section: Section) -> Verdict:
    """Tells whether the section's binds use TLS; None where only some do, or there are none."""
    found = {"ssl" in line.words for line in section.named("bind")}
    return found.pop() if len(found) == 1 else None
