"""Whether a hazelcast.xml serves chat: well-formed, with the ring buffer and the map that ClientMessenger uses."""

from __future__ import annotations


def problems(data: bytes) -> list[str]:
    """What is missing, each with the lines to add."""
    import xml.etree.ElementTree as xml

    if b"<!ENTITY" in data:
        return ["it declares XML entities, which no Hazelcast configuration needs. Remove them"]
    try:
        root = xml.fromstring(data)
    except xml.ParseError as error:
        return [f"it is not well-formed XML ({error}). Repair it on the share"]
    if _local(root.tag) != "hazelcast":
        return [f"its root is <{_local(root.tag)}>, not <hazelcast>. Put the cluster's configuration there"]
    named = {(_local(element.tag), element.get("name", "")) for element in root}
    wanted = {
        ("ringbuffer", "CHAT"): "<in-memory-format>BINARY</in-memory-format><backup-count>1</backup-count>"
        "<async-backup-count>0</async-backup-count><time-to-live-seconds>60</time-to-live-seconds><capacity>500</capacity>",
        ("map", "CHATCOUNTERS"): "<backup-count>0</backup-count><async-backup-count>1</async-backup-count><time-to-live-seconds>600</time-to-live-seconds>",
    }
    return [
        f'it has no <{tag} name="{name}">: chats would not cross the servers. Add <{tag} name="{name}">{lines}</{tag}>'
        for (tag, name), lines in wanted.items()
        if (tag, name) not in named
    ]


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
