from __future__ import annotations

from jtel_chat.drain import sessions

# As `ss --no-header --oneline --tcp --numeric --info` prints them (iproute2 6.1).
LINE = (
    "0      0      [::ffff:10.1.0.21]:3000 [::ffff:{peer}]:41234 \t cubic wscale:7,7 rto:204 bytes_sent:429"
    " bytes_acked:429 {received} segs_out:9 lastsnd:{sent} lastrcv:{came} lastack:20 pacing_rate 2Mbps"
)


def line(peer: str = "10.1.0.11", received: str = "bytes_received:512", sent: int = 100, came: int = 90_000) -> str:
    return LINE.format(peer=peer, received=received, sent=sent, came=came)


def test_a_connection_counts_where_bytes_went_lately_either_way() -> None:
    text = "\n".join([line(), line(sent=90_000, came=10), line(peer="10.1.0.12"), line(sent=60_000, came=60_000)])
    assert sessions.parse(text, 60) == {"10.1.0.11": 2, "10.1.0.12": 1}


def test_checks_and_what_comes_from_the_host_itself_do_not_count() -> None:
    text = "\n".join([line(received=""), line(received="bytes_received:0"), line(peer="127.0.0.1"), "", "rubbish"])
    assert not sessions.parse(text, 60)


def test_an_address_of_ipv6_is_read() -> None:
    text = "0 0 [fd00::21]:3000 [fd00::11]:41234 bytes_received:5 lastsnd:1 lastrcv:1"
    assert sessions.parse(text, 60) == {"fd00::11": 1}
