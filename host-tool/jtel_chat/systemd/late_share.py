"""Has a service start when its share is mounted after the boot.

To systemd a dependency that has failed once has failed for good: where the share's server comes up after this host,
nobody would start the service. So the share's mount wants a unit (`jtel-chat-share@.service`) that starts it. The mount
does not want the service itself: whoever has stopped that would see it start with the next unit that needs the share.
"""

from __future__ import annotations

from pathlib import Path

from ..access import disk, mounts
from ..access.account import ROOT
from ..access.place import resolved
from ..engine.transaction import Transaction
from ..programs import process

_SYSTEM = Path("/etc/systemd/system")
_UNIT = _SYSTEM / "jtel-chat-share@.service"


def state() -> dict[str, str]:
    """Gives the links that make a mount start the service: none where somebody has removed them."""
    return {f"link:{path}": disk.link_target(path) or "none" for path in _links()}


def apply(share: Path, transaction: Transaction) -> None:
    """Makes the mount that holds the share start the service, and no other mount. The service runs already."""
    point = mounts.of(resolved(share, ROOT))
    instance = escaped(Path(point) if point != "/" else share)
    link = _SYSTEM / f"{instance}.mount.wants" / f"jtel-chat-share@{instance}.service"
    others = [other for other in _links() if other != link]
    transaction.on_rollback("systemctl", "daemon-reload")
    for other in others:
        transaction.remove(other)
    if not transaction.link(link, str(_UNIT)) and not others:
        return
    process.run("systemctl", "daemon-reload")
    process.run("systemctl", "start", link.name)
    transaction.say(f"{instance}.mount starts the service, also after the boot")


def undo(transaction: Transaction) -> None:
    """Ends what the originals' return takes the files of."""
    for link in _links():
        process.attempt("systemctl", "stop", link.name)
    transaction.after_commit("systemctl", "daemon-reload")


def escaped(path: Path) -> str:
    """Writes a path as systemd names its mount, `home-jtel-shared` (systemd.unit(5), "String escaping")."""
    shown = str(path).strip("/")
    return "".join(
        "-"
        if each == "/"
        else each
        if each.isascii() and (each.isalnum() or each in ":_" or (each == "." and index))
        else "".join(f"\\x{byte:02x}" for byte in each.encode())
        for index, each in enumerate(shown)
    )


def _links() -> list[Path]:
    folders = [_SYSTEM / name for name in disk.names(_SYSTEM) if name.endswith(".mount.wants")]
    return [folder / name for folder in folders for name in disk.names(folder) if name.startswith("jtel-chat-share@")]
