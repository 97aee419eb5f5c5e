"""Tells whether sudo would keep a secret: with `log_input` it logs what a command reads, secret documents too.

sudo itself is asked (`sudo -ll -U deploy`): only it knows all its sources, sudoers, folders, LDAP. It prints

    Matching Defaults entries for deploy on chatserver1:
        env_reset, log_input
    Runas and Command-specific defaults for deploy:
        Defaults!/usr/local/sbin/jtel-chatctl !log_input
    Sudoers entry:
        RunAsUsers: root
        Options: !authenticate, log_input
        Commands:
            /usr/local/sbin/jtel-chatctl
"""

from __future__ import annotations

import os
import re

from . import process
from .transient import TOOL

#: `log_stdin` is what newer versions call the part of `log_input` that matters here.
_FLAG = re.compile(r"(!?)\b(?:log_input|log_stdin)\b(?!=)")
_OURS = re.compile(
    rf"(?:^|[,\s])(?:ALL|{TOOL}|{TOOL.rpartition('/')[0]}/\*?)(?![^,\s])(?!\s+(?:observe|look|status|check|diff|log|update|undo)\b)"
)
_REMEDY = f"Add 'Defaults!{TOOL} !log_input' to sudoers (visudo), behind the line that switches it on"


def problem() -> str | None:
    """Says why a secret document must not travel, with the remedy; None when it may.

    sudo is asked for the account that stands behind it.
    """
    user = os.environ.get("SUDO_USER", "")
    if not user:
        return None
    asked = process.attempt("sudo", "-n", "-ll", "-U", user, timeout=20)
    if asked.returncode:
        return (
            f"sudo does not say whether it logs what {user} sends to jtel-chatctl, a secret among it:"
            f" {asked.stderr.strip()[-300:]}. Try: sudo -ll -U {user}"
        )
    if not keeps_input(asked.stdout):
        return None
    return (
        f"sudo logs what {user} sends to jtel-chatctl (log_input), so the password would stay in sudo's I/O log."
        f" {_REMEDY}"
    )


def keeps_input(listing: str) -> bool:
    """Tells from sudo's listing whether sudo keeps the input of an apply.

    The entry that allows it counts before the command's defaults, and these before the general ones.
    """
    head, *entries = re.split(r"(?m)^Sudoers entry.*$", listing)
    general, _, specific = head.partition("Command-specific defaults")
    kept = _flag(re.sub(r'"[^"]*"', "", general), False)
    for line in re.findall(r"(?s)Defaults[!>].*?(?=\n\s*Defaults|\n\n|\Z)", specific):
        kept = _by_command(" ".join(line.split()), kept)
    ours = [entry for entry in entries if _has_tool(entry.partition("Commands:")[2])]
    return _flag(ours[-1].partition("Commands:")[0], kept) if ours else kept


def _by_command(line: str, kept: bool) -> bool:
    """Reads a line of defaults for commands or for users.

    `Defaults!/usr/local/sbin/jtel-chatctl, /bin/true !log_input` is about our commands. `Defaults>root …` is about the
    user whom a command runs as, root, so about ours as well.
    """
    flag = _FLAG.search(line)
    concerned = flag and (line.startswith("Defaults>") or _has_tool(line[len("Defaults!") : flag.start()]))
    return _flag(line, kept) if concerned else kept


def _flag(text: str, otherwise: bool) -> bool:
    """Finds the last word about the flag."""
    found = _FLAG.findall(text)
    return not found[-1] if found else otherwise


def _has_tool(commands: str) -> bool:
    """Tells whether a list of commands has an apply: all, our folder, or the tool itself.

    `jtel-chatctl observe` takes no secret and does not count.
    """
    return bool(_OURS.search(commands))
