"""The units that the tool brings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[3] / "templates/etc/systemd/system").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_no_boot_and_no_start_waits_for_ever_for_a_unit_of_ours(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    if "jtel-chat-drain.socket" in text:
        return  # nobody waits for it: its socket starts it, when HAProxy asks
    assert "Type=oneshot" in text
    assert re.search(r"(?m)^TimeoutStartSec=[1-9]\d{1,2}$", text)  # systemd sets none for Type=oneshot
