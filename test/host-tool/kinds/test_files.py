from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat.documents.document import Section
from jtel_chat.documents.kind import Judgement
from jtel_chat.engine.transaction import Transaction
from jtel_chat.errors import Failed
from jtel_chat.hazelcast import configuration
from jtel_chat.kinds import files


def test_what_was_judged_is_written_also_where_the_share_has_another_file_by_then(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = state / "share.xml", state / "hazelcast.xml"
    source.write_text("<hazelcast/>")

    def judge(_: Section, data: bytes, ask: bool) -> Judgement:
        assert (data, ask) == (b"<hazelcast/>", True)
        source.write_text("<hazel")  # it is being copied there
        return Judgement()

    monkeypatch.setattr(configuration, "judge", judge)
    section = Section("files", str(target), {"from": str(source), "check": "hazelcast", "jars": "/x\n"})
    written: list[str] = []
    with pytest.raises(Failed, match=r"share\.xml has changed while it was read"), Transaction("x") as transaction:
        try:
            files.apply(section, transaction)
        finally:
            written.append(target.read_text())
    assert written == ["<hazelcast/>"]
    assert not target.exists()
