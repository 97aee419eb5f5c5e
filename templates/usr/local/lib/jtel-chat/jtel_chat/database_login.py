"""Whether the database lets ClientMessenger in, asked before anything restarts: by its own driver, with exactly its URL.

Fields of the `secret` section: `host`, `port`, `user`, `database`; `property` (the system property with the URL), `drivers` (block:
folders of jars, the first that has any), `run-as` (user:group), `login` (block: the Java program; without it, for Java 8, the
server's answer is all that can be had).
"""

from __future__ import annotations

from pathlib import Path

from . import database, durable, process, texts
from .document import Section
from .errors import Refused
from .transaction import ids

_WAIT = 60  # seconds for starting Java, compiling and logging in
_UNTRIED = "the login was not tried: "
_ACCESS_DENIED, _NO_ACCESS_TO_DATABASE, _UNKNOWN_DATABASE, _HOST_NOT_ALLOWED = "1045", "1044", "1049", "1130"


def check(section: Section) -> list[str]:
    """Lines for a person, on what could not be tried. Raises Refused, without the password, when the database does not let it in."""
    if problem := database.answer_problem(section.text("host"), int(section.text("port"))):
        raise Refused(problem)
    if "drivers" not in section.fields:
        return []
    folder = next((each for each in section.lines("drivers") if any(Path(each).glob("*.jar"))), None)
    if folder is None:
        return [f"{_UNTRIED}no driver in {' or '.join(section.lines('drivers'))}"]
    result = _result(section, folder)
    if result is None:
        return [f"{_UNTRIED}this host's Java cannot compile (a JRE, or older than 11). A JDK, openjdk-17-jdk, can"]
    if "NoDriver" in result:
        return [f"{_UNTRIED}no jar in {folder} registers a JDBC driver for the URL"]
    if result != ["ok"]:
        raise Refused(_refusal(section, *result))
    return []


def _result(section: Section, folder: str) -> list[str] | None:
    """`["ok"]`, or SQLSTATE, code and cause; None where this Java cannot run a source file."""
    uid, gid = ids("jtel:jtel")
    with durable.scratch("login") as directory:
        arguments, program = directory / "arguments", directory / "DatabaseLogin.java"
        durable.write_synced(arguments, section.text("content").encode(), 0o600, uid, gid)
        durable.write_synced(program, texts.text("usr/local/lib/jtel-chat/DatabaseLogin.java").encode(), 0o600, uid, gid)
        directory.chmod(0o711)
        # As the service's user: what lies in the program's folder is not root's to run.
        identity = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
        java = ("java", "-XX:TieredStopAtLevel=1", "-cp", f"{folder}/*", f"@{arguments}", str(program), "de.jtel.platform.clientmessenger.connection")
        done = process.attempt(*identity, *java, timeout=_WAIT)
    if done.returncode == process.HANGS:
        return ["null", "0", "SocketTimeoutException"]
    said = [line.split(": ", 1)[1] for line in done.stdout.splitlines() if line.startswith("login: ")]
    return said[-1].split() if said else None


def _refusal(section: Section, state: str, code: str, cause: str) -> str:
    """What is wrong, by the server's code or the innermost exception, and what to do."""
    host, user, name = (section.text(key) for key in ("host", "user", "database"))
    codes = {
        _ACCESS_DENIED: f"it denies the access of {user} from this host: wrong user or password. Correct database.user, or set the password: "
        "pulumi config set --secret --path 'jtel-chat:database.password'",
        _NO_ACCESS_TO_DATABASE: f"{user} has no right to the database {name}. Grant it there, or correct database.user",
        _UNKNOWN_DATABASE: f"it has no database {name}. Correct database.name",
        _HOST_NOT_ALLOWED: f"it lets nobody in from this host. Create the user there as '{user}'@'ADDRESS' or '{user}'@'%'",
    }
    causes = {
        "UnknownHostException": "its name does not resolve for Java. Add it to /etc/hosts or the name server, or correct database.host",
        "NoRouteToHostException": "there is no route to it. Correct database.host, or the network",
        "ConnectException": "nothing listens there. Is it up, and is database.port right?",
        "SocketTimeoutException": f"no answer within {_WAIT} s. Does a firewall swallow the packets?",
        "PublicKeyRetrieval": 'it wants to send its public key first. Set database.parameters: { allowPublicKeyRetrieval: "true" }, or use TLS',
        "SSLHandshakeException": "TLS with it fails. Set database.parameters, e.g. { sslMode: DISABLED }, or repair its certificate",
    }
    otherwise = f"the driver gives up with SQLState {state}, code {code}, {cause}. Are database.parameters right?"
    return f"the database {host} does not let ClientMessenger in: {codes.get(code) or causes.get(cause, otherwise)}"
