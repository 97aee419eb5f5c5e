"""A share with one release after the other, and a server that takes them: for the tests of the kind `release`."""

from __future__ import annotations

from pathlib import Path

from jtel_chat.access import account, disk
from jtel_chat.documents import kind
from jtel_chat.documents.document import parse
from jtel_chat.engine import releases, steps
from jtel_chat.kinds import release


class Server:
    """A share and a server, with one release after the other on the share."""

    def __init__(self, place: Path) -> None:
        self.share, self.home = place / "share/ClientMessenger", place / "home/ClientMessenger"

    def offer(self, **files: str) -> str:
        """Put a release on the share, `bin_a="…"` for `bin/a`; its digest."""
        if self.share.exists():
            disk.remove_tree(self.share)
        write(
            self.share,
            {
                "conf/logging": "vendor's",
                "systemd/unit": "unit",
                **{name.replace("_", "/"): text for name, text in files.items()},
            },
        )
        return self.on_share().short

    def on_share(self) -> releases.Release:
        return releases.examine(self.share, releases.offered(self.share, account.service()), account.service())

    def document(self, wanted: str) -> str:
        return f"# release: {self.home}\nfrom: {self.share}\nrelease: {wanted}\n"

    def apply(self, wanted: str) -> list[str]:
        return steps.apply("messenger", 1, "first", self.document(wanted))

    def prove(self, wanted: str) -> None:
        """Apply it as something that only a start can prove good."""
        steps.apply("messenger", 1, "first", self.document(wanted) + "loaded-by: jtel-clientmessenger.service\n")

    def look(self, wanted: str) -> kind.Observed:
        return release.observe(parse(self.document(wanted))[0])

    def installed(self) -> str:
        return release.installed(parse(self.document("hold"))[0]).short


def write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)


def tree(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): path.read_text() for path in sorted(directory.rglob("*")) if path.is_file()
    }
