from __future__ import annotations

from pathlib import Path

import pytest
from jtel_chat.net import addresses

KEEPALIVED = """\
! of the customer
vrrp_instance portal {
    interface eth0
    virtual_ipaddress {
        10.1.0.10/24 dev eth0 label eth0:1   # the portal
        # 10.1.0.9
        2001:DB8:0::10
    }
    virtual_ipaddress_excluded { 10.1.0.8 }
    virtual_routes { 10.2.0.0/24 via 10.1.0.1 }
}
virtual_server 10.1.0.7 443 { }
"""


def test_the_hosts_own_addresses_are_known() -> None:
    assert "127.0.0.1" in addresses.own()
    assert addresses.bindable("127.0.0.1")
    assert "192.0.2.1" not in addresses.own()
    assert not addresses.bindable("192.0.2.1")
    assert "127.0.0.1" in addresses.resolved("127.0.0.1")
    assert addresses.resolved("no-such-name.invalid") == set()


def test_the_addresses_that_keepalived_moves_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_KEEPALIVED", tmp_path)
    assert addresses.virtual() == set()
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "keepalived.conf").write_text(KEEPALIVED)
    (tmp_path / "conf.d/second.conf").write_text(
        "virtual_ipaddress {\n$ADDRESS\n}\nvirtual_ipaddress {\n\t192.0.2.1\n}\n"
    )
    assert addresses.virtual() == {"10.1.0.10", "2001:db8::10", "10.1.0.8", "192.0.2.1"}
