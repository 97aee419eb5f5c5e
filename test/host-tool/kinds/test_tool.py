from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from jtel_chat.access import disk
from jtel_chat.documents.document import Section
from jtel_chat.engine import journal, record
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Refused
from jtel_chat.kinds import tool
from jtel_chat.programs import itself

HOST_TOOL = Path(__file__).parents[3] / "host-tool"


def text(version: str = "") -> bytes:
    """The tool as one text, as render/host-tool.ts makes it; of its modules those that the tests import."""
    paths = [
        path for pattern in ("*.py", "access/*.py", "programs/*.py") for path in HOST_TOOL.glob(f"jtel_chat/{pattern}")
    ]
    modules = {str(path.relative_to(HOST_TOOL)): path.read_text() for path in paths}
    modules["jtel_chat/__init__.py"] += version
    template = (HOST_TOOL / "bundle.py").read_text()
    texts = {"usr/local/sbin/jtel-chatctl": "the launcher", "etc/x": "ü"}
    return (
        template.replace("MODULES = {}", f"MODULES = {modules!r}").replace("TEXTS = {}", f"TEXTS = {texts!r}").encode()
    )


@pytest.fixture
def install(state: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], list[str]]:
    """Installs a text as if it were the one that runs; what was said."""
    monkeypatch.setattr(tool, "ARCHIVE", str(state / "lib/tool.zip"))
    monkeypatch.setattr(tool, "SUMS", state / "lib/tool.sha256")
    monkeypatch.setattr(journal, "failure", lambda *_, **__: "")  # no systemd runs here

    def installed(data: bytes) -> list[str]:
        monkeypatch.setattr(itself, "text", lambda: data)
        with Transaction("tool") as transaction:
            tool.apply(section(data), transaction)
        return transaction.said

    return installed


def section(data: bytes) -> Section:
    return Section("tool", tool.ARCHIVE, {"version": "0.1.0", "digest": hashlib.sha256(data).hexdigest()})


def python(program: str) -> str:
    command = [sys.executable, "-IS", "-c", f"import sys; sys.path.insert(0, {tool.ARCHIVE!r}); {program}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_it_runs_compiled_from_its_archive(install: Callable[[bytes], list[str]]) -> None:
    data = text()
    [said] = install(data)
    assert said.startswith("installed jtel-chatctl 0.1.0, compiled for cpython-3")
    assert (
        python("from jtel_chat.access import disk; print(disk.__file__)") == f"{tool.ARCHIVE}/jtel_chat/access/disk.pyc"
    )
    asked = "from jtel_chat.programs import itself; print(itself.digest(), itself.brought('etc/x') == chr(252))"
    assert python(asked) == f"{hashlib.sha256(data).hexdigest()} True"


def test_a_look_inflates_nothing_to_say_which_version_answers(install: Callable[[bytes], list[str]]) -> None:
    install(text())
    asked = "from jtel_chat.programs import itself; itself.digest(); print('zlib' in sys.modules)"
    assert python(asked) == "False"


def test_where_python_is_another_one_it_runs_from_its_sources(
    install: Callable[[bytes], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "MAGIC_NUMBER", b"\0\0\r\n")
    install(text())
    assert python("from jtel_chat.access import disk; print(disk.__file__)").endswith("/jtel_chat/access/disk.py")


def test_a_second_time_changes_nothing(install: Callable[[bytes], list[str]]) -> None:
    install(text())
    before = tool.SUMS.stat().st_mtime_ns
    assert install(text()) == []
    assert tool.SUMS.stat().st_mtime_ns == before


@pytest.mark.parametrize("harm", ["archive", "sums", "text"])
def test_what_somebody_has_changed_is_drift_and_is_brought_back(
    install: Callable[[bytes], list[str]], harm: str
) -> None:
    data = text()
    install(data)
    applied = tool.observe(section(data)).state
    broken = {"archive": Path(tool.ARCHIVE), "sums": tool.SUMS, "text": disk.STATE / "tool"}[harm]
    broken.write_bytes(b"\n")
    assert tool.observe(section(data)).state != applied
    install(data)
    assert tool.observe(section(data)).state == applied


def test_another_version_replaces_the_archive(install: Callable[[bytes], list[str]]) -> None:
    install(text())
    newer = text("# newer\n")
    assert len(install(newer)) == 1
    assert python("from jtel_chat.programs import itself; print(itself.digest())") == hashlib.sha256(newer).hexdigest()


def test_a_document_of_another_version_is_refused(install: Callable[[bytes], list[str]], state: Path) -> None:
    install(text())
    refused = pytest.raises(Refused, match=r"another jtel-chatctl than the document's \(version 0.1.0\)")
    with refused, Transaction("tool") as transaction:
        tool.apply(section(text("# newer\n")), transaction)


@pytest.mark.parametrize(
    ("applied", "refused"), [("0.0.9", False), ("0.1.0+local.7", False), ("0.1.1", True), ("0.10.0", True)]
)
def test_an_older_version_than_the_host_has_refuses_to_write(
    install: Callable[[bytes], list[str]], state: Path, monkeypatch: pytest.MonkeyPatch, applied: str, refused: bool
) -> None:
    there = Section("tool", tool.ARCHIVE, {"version": applied, "digest": "0" * 64})
    monkeypatch.setattr(record, "sections", lambda _: [there])
    problems = tool.observe(section(text())).problems
    assert bool(problems) == refused
    if not refused:
        install(text())
        return
    assert problems[0].startswith(f"this host was configured by version {applied}, and this is the older 0.1.0.")
    with pytest.raises(Refused, match="Update the checkout"):
        install(text())


def test_the_sums_are_what_the_launchers_check_reads(install: Callable[[bytes], list[str]]) -> None:
    """Comments are passed over; the launcher is another section's, and is checked with the archive."""
    data = text()
    install(data)
    launcher = hashlib.sha256(itself.brought("usr/local/sbin/jtel-chatctl").encode()).hexdigest()
    lines = tool.SUMS.read_text().splitlines()
    assert lines[0].startswith(f"# {hashlib.sha256(data).hexdigest()} for cpython-3")
    assert lines[2] == f"{launcher}  /usr/local/sbin/jtel-chatctl"
    tool.SUMS.write_text("\n".join(lines[:2]) + "\n")
    assert subprocess.run(["sha256sum", "--check", "--status", tool.SUMS], check=False).returncode == 0
