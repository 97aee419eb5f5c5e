"""Tries whether the database lets ClientMessenger in, by its own driver and URL, before anything restarts.

Fields of the `secret` section: `host`, `port`, `user`, `database`; `drivers` (block: folders of jars, the first that
has any; without it, for Java 8, the server's answer is all that can be had).
"""

from __future__ import annotations

import re

from ..documents.document import Section
from ..errors import Refused
from ..kinds import database
from . import confined, java, process
from .confined import GIVEN

#: The system property with the JDBC URL.
PROPERTY = "de.jtel.platform.clientmessenger.connection"

_WAIT = 60  # seconds for starting Java, compiling and logging in
_UNTRIED = "the login was not tried: "
# The driver is the share's: of what it makes the program say, only this is believed, and shown.
_SAID = re.compile(r"login: (ok|\w{1,10} -?\d{1,10} \w{1,80})")
_ACCESS_DENIED, _NO_ACCESS_TO_DATABASE, _UNKNOWN_DATABASE, _HOST_NOT_ALLOWED = "1045", "1044", "1049", "1130"


def check(section: Section) -> list[str]:
    """Tries the login, and returns lines for a person on what could not be tried.

    Raises Refused, without the password, when the database does not let ClientMessenger in.
    """
    if problem := database.answer_problem(section.text("host"), int(section.text("port"))):
        raise Refused(problem)
    if "drivers" not in section.fields:
        return []
    folder = next((each for each in section.lines("drivers") if java.jars(each)), None)
    if folder is None:
        return [f"{_UNTRIED}no driver in {' or '.join(section.lines('drivers'))}"]
    if not java.is_there():
        return [f"{_UNTRIED}this host has no Java yet"]
    result = _result(section, folder)
    if result is None:
        return [
            f"{_UNTRIED}this host's Java cannot compile (older than 11, or a JRE without a compiler). A JDK,"
            " openjdk-17-jdk, can"
        ]
    if "NoDriver" in result:
        return [f"{_UNTRIED}no jar in {folder} registers a JDBC driver for the URL"]
    if result != ["ok"]:
        raise Refused(_refusal(section, *result))
    return []


def _result(section: Section, folder: str) -> list[str] | None:
    """Reads the program's result: `["ok"]`, or SQLSTATE, code and cause; None where Java runs no source files."""
    # Only the connection: the file may hold further options, which are the service's and not this program's.
    arguments = "".join(f"{line}\n" for line in section.lines("content") if line.startswith(f'"-D{PROPERTY}='))
    network = [*database.addresses(section.text("host"), int(section.text("port"))), *confined.name_servers()]
    done = java.run(
        "DatabaseLogin",
        PROPERTY,
        jars=folder,
        timeout=_WAIT,
        options=(f"@{GIVEN}/arguments",),
        given={"arguments": arguments.encode()},
        network=network,
    )
    if done.returncode == process.HANGS:
        return ["null", "0", "SocketTimeoutException"]
    said = [_SAID.fullmatch(line) for line in done.stdout.splitlines()]
    found = [match[1] for match in said if match]
    return found[-1].split() if found else None


def _refusal(section: Section, state: str, code: str, cause: str) -> str:
    """Says what is wrong, by the server's code or the innermost exception, and what to do."""
    host, user, name = (section.text(key) for key in ("host", "user", "database"))
    codes = {
        _ACCESS_DENIED: (
            f"it denies the access of {user} from this host: wrong user or password. Correct database.user, or set the"
            " password: pulumi config set --secret --path 'jtel-chat:database.password'"
        ),
        _NO_ACCESS_TO_DATABASE: f"{user} has no right to the database {name}. Grant it there, or correct database.user",
        _UNKNOWN_DATABASE: f"it has no database {name}. Correct database.name",
        _HOST_NOT_ALLOWED: (
            f"it lets nobody in from this host. Create the user there as '{user}'@'ADDRESS' or '{user}'@'%'"
        ),
    }
    causes = {
        "UnknownHostException": (
            "its name does not resolve for Java. Add it to /etc/hosts or the name server, or correct database.host"
        ),
        "NoRouteToHostException": "there is no route to it. Correct database.host, or the network",
        "ConnectException": "nothing listens there. Is it up, and is database.port right?",
        "SocketTimeoutException": f"no answer within {_WAIT} s. Does a firewall swallow the packets?",
        "PublicKeyRetrieval": (
            'it wants to send its public key first. Set database.parameters: { allowPublicKeyRetrieval: "true" }, or'
            " use TLS"
        ),
        "SSLHandshakeException": (
            "TLS with it fails. Set database.parameters, e.g. { sslMode: DISABLED }, or repair its certificate"
        ),
    }
    otherwise = f"the driver gives up with SQLState {state}, code {code}, {cause}. Are database.parameters right?"
    return f"the database {host} does not let ClientMessenger in: {codes.get(code) or causes.get(cause, otherwise)}"
