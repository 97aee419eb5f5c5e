"""Runs HAProxy's own checker, `haproxy -c`, on a file as it would be – without rights, since it runs the file's Lua.

It has to read what root reads (keys, maps), so it may: CAP_DAC_READ_SEARCH. What it says of files that are not the
configuration therefore stays here: of its messages only such words are shown as stand in the configuration itself.
"""

from __future__ import annotations

import pwd
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ...access import account, disk
from ...access.place import resolved
from ...errors import Refused
from ...programs import confined, process
from ...programs.confined import Rights
from ...text import masking, printable
from ..file import parse, settings
from ..file.configuration import Configuration
from .invocation import Start

_WAIT = 60  # seconds
_MEMORY = "2G"  # thousands of certificates, large maps
_SHOWN = 1500  # characters of all reasons
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
_UNRESOLVED = re.compile(r"could not resolve|invalid address|failed to resolve|unable to resolve", re.IGNORECASE)
_NAME = re.compile(r"(?:could not resolve address|invalid address:?) '([^'\n:]+)", re.IGNORECASE)
_PLACE = re.compile(r"(?:config : )?(?:parsing )?\[([^\]\n]*):(\d+)\]")
_SAYS_NOTHING = re.compile(
    r"(?:config : )?(?:Error\(s\) found in configuration file|Fatal errors found in configuration)"
)
_ZERO_WARNING = "'zero-warning' is set"
_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)")  # not the one in "didn't"
_UNLIMITED = (
    "HAProxy's checker asked for names that only DNS knows, and could have reached more than the name servers: this"
    " host has no cgroup v2, by which systemd keeps it to them"
)


def check(config: Configuration, start: Start, before: Configuration | None = None) -> list[str]:
    """Checks a candidate for its `path`, with the files and variables of the HAProxy that runs.

    before: the file as it stands, whose line numbers a refusal has; without it they are the candidate's. Returns
    warnings, each about a right that this host cannot take away from the checker. Raises Refused with the checker's
    reasons.
    """
    path = config.path
    with disk.scratch("haproxy") as directory:
        candidate = _placed(config, start.place(path), directory)
        done, warnings = _checked(start.with_candidate(path, candidate), start, config)
        if not done.returncode:
            return warnings
        said = _reasons(
            done.stderr.replace(str(candidate), str(path)),
            [path, *start.files],
            config.numbered_as(before or config),
            start,
        )
        already = _checked(start.with_candidate(path, path), start, config)[0].returncode
    whose = "It is refused as it stands, too: repair it first" if already else "Nothing was changed"
    unknown = (
        ""
        if start.files
        else " (HAProxy does not run: where its variables or further files are missing here, start it first)"
    )
    raise Refused(f"haproxy -c refuses the file as it would be. {whose}{unknown}{_left_out(start, config)}: {said}")


def _placed(config: Configuration, place: Path, directory: Path) -> Path:
    """Writes a candidate to `directory`, beside links to what stands beside `place`.

    `default-path config` leads relative names there.
    """
    for name in disk.names(place.parent):
        if name != place.name:
            disk.link(directory / name, str(place.parent / name))
    candidate = directory / place.name
    disk.write(candidate, _without_ring_files(config))
    return candidate


def _without_ring_files(config: Configuration) -> bytes:
    """Comments out `backing-file`, which makes even `-c` create a file, over that of the HAProxy that runs.

    Every line keeps its number.
    """
    return b"".join(b"#" + line.raw if line.keyword == "backing-file" else line.raw for line in config.lines)


def _checked(
    files: list[Path], start: Start, config: Configuration
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Checks without a network, and only where a name does not resolve so, with the name servers in reach."""
    done, warnings, names = _run(files, start, ()), confined.lacking(), ""
    if done.returncode and _UNRESOLVED.search(done.stderr):
        names = _names(done.stderr, config, start)
        done = _run(files, start, confined.name_servers())
        warnings = warnings if confined.filters_addresses() else [*warnings, _UNLIMITED]
    if done.returncode == process.HANGS and names:
        raise Refused(
            f"haproxy -c did not end within {_WAIT} s, since the name servers of this host did not answer in time for"
            f" {names}. Repair them (/etc/resolv.conf), or name these servers by their addresses"
        )
    if done.returncode == process.HANGS:
        raise Refused(
            f"haproxy -c did not end within {_WAIT} s. Run 'haproxy -c -f {files[-1].name}' on the host to see why"
        )
    if done.returncode in (confined.ENDED, 127):
        raise Refused(
            f"haproxy -c came to no verdict: {done.stderr.strip()[-300:]}. Run 'haproxy -c -f {files[-1].name}' on the"
            " host to see why"
        )
    return done, warnings


def _names(stderr: str, config: Configuration, start: Start) -> str:
    """Lists the names that did not resolve without a network, as far as they stand in the configuration."""
    text = config.whole.decode("utf-8", "replace")
    found = [start.unexpanded(name, config) for name in dict.fromkeys(_NAME.findall(stderr))]
    return masking.masked(printable.line(", ".join(name for name in found if name in text), _SHOWN))


def _run(files: list[Path], start: Start, network: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Runs the checker with `-V`, without which `quiet` in the file silences the reason, and without `-q`."""
    haproxy = str(resolved(Path(disk.executable("haproxy") or "/usr/sbin/haproxy"), account.ROOT))
    return confined.run(
        [haproxy, "-c", "-V", *start.options, *(word for file in files for word in ("-f", str(file)))],
        user=_user(),
        timeout=_WAIT,
        network=network,
        rights=Rights(capabilities="CAP_DAC_READ_SEARCH", executes=(haproxy, *_LIBRARIES)),
        memory=_MEMORY,
        environment=start.environment,
    )


def _user() -> str:
    """Names the checker's user: `haproxy`, which Debian's package creates, or `nobody`, where HAProxy came without."""
    try:
        return pwd.getpwnam("haproxy").pw_name
    except KeyError:
        return "nobody"


def _left_out(start: Start, config: Configuration) -> str:
    """Names variables that the configuration uses and that no unit can be given."""
    names = [name for name in start.used(config) if not confined.carries(name, start.environment[name])]
    return f" (the checker did not get {', '.join(names)}, whose value holds control characters)" if names else ""


def _reasons(stderr: str, files: list[Path], config: Configuration, start: Start) -> str:
    """Shows what HAProxy complains of, as far as it is about these files."""
    # With `zero-warning` the warnings are the reason.
    kinds = ("[ALERT]", "[WARNING]") if _ZERO_WARNING in stderr else ("[ALERT]",)
    alerts = [line.partition(" : ")[2] for line in stderr.splitlines() if line.startswith(kinds)]
    alerts = [alert for alert in alerts if not _SAYS_NOTHING.match(alert)]
    lua = any(line.keyword.startswith("lua-load") for line in config.all_lines)
    known = _Known(config, start)
    reasons = [
        _place_only(alert, files) if lua else _reason(start.unexpanded(alert, config), files, known) for alert in alerts
    ]
    found = "; ".join(_located(reason, config) for reason in dict.fromkeys(filter(None, reasons)))
    return (
        masking.masked(printable.block(found))[:_SHOWN]
        or "it gives no reason that is about this file. Run 'haproxy -c -V -f' with it on the host"
    )


def _located(reason: str, config: Configuration) -> str:
    """Says places in the candidate as a person finds them: the line in his file, or that it is our block."""

    def place(match: re.Match[str]) -> str:
        line = config.lines[int(match[2]) - 1 : int(match[2])]
        number = line[0].number if line else int(match[2])
        return f"{match[1]}:{number}" if number else f"{match[1]}, in our block"

    return re.sub(rf"({re.escape(str(config.path))}):([0-9]{{1,9}})(?![0-9])", place, reason)


def _reason(alert: str, files: list[Path], known: _Known) -> str:
    place = _PLACE.match(alert)
    if place and Path(place[1]) not in files:
        return f"parsing [{place[1]}:{place[2]}]: see there"
    return known.shown(alert)


def _place_only(alert: str, files: list[Path]) -> str:
    """Takes the place alone from an alert: `parsing [/etc/haproxy/haproxy.cfg:2]: see there`.

    Lua can say anything in HAProxy's name, and read everything.
    """
    place = _PLACE.match(alert)
    return (
        f"parsing [{place[1]}:{place[2]}]: see there (its words are not shown, since Lua may have said them)"
        if place and Path(place[1]) in files
        else ""
    )


def _is_there(word: str) -> bool:
    try:
        return disk.stat(Path(word)) is not None
    except (OSError, ValueError, Refused):
        return False


class _Known:
    """What may be quoted: what stands in the configuration and is no secret, and names of files."""

    def __init__(self, config: Configuration, start: Start) -> None:
        self._text = "".join(f"{parse.masked(line.raw)}\n" for line in config.all_lines)
        self._words = set(re.split(r"[\s/]+", self._text))
        values = start.variables(config)
        self._others = {f"${name}" for name, _ in values} | {value for _, value in values if start.is_short(value)}
        bases = (settings.value(config.all_sections, keyword) for keyword in ("crt-base", "ca-base"))
        self._bases = [f"{base}/" for base in bases if base]

    def shown(self, alert: str) -> str:
        """Shows an alert, with `'…'` for a quoted word that is not known.

        That stands for everything up to the last quote, since the word may hold quotes itself.
        """
        quotes = [quote.start() for quote in _QUOTE.finditer(alert)]
        for begin, end in zip(quotes[::2], quotes[1::2]):
            word = alert[begin + 1 : end]
            if len(quotes) % 2 or not (self._holds(word) or alert[:begin].endswith("did you mean ")):
                return f"{alert[:begin]}'…'{alert[quotes[-1] + 1 :]}"
        return alert

    def _holds(self, word: str) -> bool:
        relative = next((word[len(base) :] for base in self._bases if word.startswith(base)), word)
        # `server web/jb1` is of two lines.
        if relative in self._text or self._words.issuperset(re.split(r"[\s/]+", word)):
            return True
        return word in self._others or (word.startswith("/") and _is_there(word))
