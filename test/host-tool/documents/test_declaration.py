"""Documents carry values that their kinds declare; anything else is refused before a look or an apply begins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from jtel_chat.documents import kind
from jtel_chat.engine import steps
from jtel_chat.errors import Refused

CHECKOUT = Path(__file__).parents[3]
UNIT = "jtel-clientmessenger.service"
RELEASE = "# release: /home/jtel/ClientMessenger\nfrom: /home/jtel/shared/x\nrelease: hold\n"

REFUSED = {
    "an unknown field": (
        f"{RELEASE}mdoe: 0600\n",
        r"section 'release: .*': 'mdoe' is no field of release \(known: from, mount, release, loaded-by\)",
    ),
    "a program": (f"{RELEASE}checker:\n\tclass X {{}}\n", "'checker' is no field of release"),
    "an account": (f"{RELEASE}owner: root:root\n", "'owner' is no field of release"),
    "a missing field": ("# release: /home/jtel/ClientMessenger\nfrom: /x\n", "lacks 'release'"),
    "a malformed field": (RELEASE.replace("hold", "latest"), "'release' has a value that is none: 'latest'"),
    "a path out of its place": (
        RELEASE.replace("/home/jtel/shared/x", "/home/../etc"),
        "'from' has a value that is none",
    ),
    "a foreign release folder": (
        RELEASE.replace("/ClientMessenger", "/.ssh"),
        "the kind release owns nothing of this name",
    ),
    "a foreign file": (
        "# files: /etc/cron.d/x\ncontent:\n\t* * * * * root sh\n",
        "the kind files owns nothing of this name",
    ),
    "a foreign secret": (
        "# secret: /root/.ssh/authorized_keys\ncontent:\n\tx\n",
        "the kind secret owns nothing of this name",
    ),
    "a foreign unit": ("# unit: cron.service\nfrom: /x\n", "the kind unit owns nothing of this name"),
    "a foreign haproxy.cfg": (
        "# haproxy: /etc/passwd\nsections:\n\tglobal\n",
        "the kind haproxy owns nothing of this name",
    ),
    "a package that apt would remove": ("# packages: sudo-\n", "the kind packages owns nothing of this name"),
    "an option of apt": ("# packages: -oDPkg::Pre-Invoke::=id\n", "the kind packages owns nothing of this name"),
    "an unknown kind": ("# shell: x\n", "unknown kind 'shell'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_kind_declares_is_refused_by_name(what: str) -> None:
    text, said = REFUSED[what]
    with pytest.raises(Refused, match=said):
        kind.parsed(text)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Refused, match=r"mdoe.*lacks 'from'.*owns nothing"):
        kind.parsed("# release: /home/jtel/ClientMessenger\nmdoe: 1\nrelease: hold\n\n# files: /etc/x\n")


def test_a_secret_is_not_shown_in_its_own_refusal() -> None:
    with pytest.raises(Refused) as refusal:
        kind.parsed("# secret: /etc/jtel-chat/clientmessenger.args\ncontent:\n\ts3cret\0\n")
    assert "s3cret" not in str(refusal.value)


def test_a_look_says_what_an_apply_would_refuse(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"# files: {state}/x\ncontent:\n\ta\nmode: 0600\n"
    [problem] = steps.observe("x", text)["problems"]
    assert "'mode' is no field of files" in problem
    with pytest.raises(Refused, match="'mode' is no field of files"):
        steps.apply("x", 1, "first", text)
    assert not (state / "x").exists()


def test_the_types_of_documents_are_made_from_the_same_declarations() -> None:
    subprocess.run([sys.executable, CHECKOUT / "toolchain/kinds.py", "check"], check=True)
