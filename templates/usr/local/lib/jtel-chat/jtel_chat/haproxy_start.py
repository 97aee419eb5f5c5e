"""How HAProxy's main process was started: /etc/default/haproxy has a say in its files and its environment (management.txt 3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

_ITS_OWN = ("HAPROXY_MWORKER", "HAPROXY_PROCESSES", "NOTIFY_SOCKET")  # another HAProxy would take itself for this one


@dataclass(frozen=True)
class Start:
    """files: its configuration files, in their order. environment: what their `$NAME`s stand for. master: the place of its master socket."""

    files: tuple[Path, ...] = ()
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    master: str | None = None

    def loads(self, path: Path) -> bool:
        """Whether the file is one of its own, perhaps by a link."""
        return any(_same(path, file) for file in self.files)

    def beside(self, path: Path) -> list[Path]:
        """The other files that it loads."""
        return [file for file in self.files if not _same(path, file)]

    def with_candidate(self, path: Path, candidate: Path) -> list[Path]:
        """Its files, another one in the place of `path`; that one alone where nothing runs."""
        return [candidate if _same(path, file) else file for file in self.files] if self.loads(path) else [candidate]


def read(main: int) -> Start:
    """Of a main process; 0 where none runs."""
    words = _strings(main, "cmdline")
    master = next(iter(_values(words, "-S")), "").partition(",")[0].removeprefix("unix@")
    return Start(
        tuple(file for value in [*_values(words, "-f"), *_after(words, "--")] for file in _files(Path(value))),
        dict(text.split("=", 1) for text in _strings(main, "environ") if "=" in text and not text.startswith(_ITS_OWN)),
        master if master.startswith("/") else None,
    )


def _files(path: Path) -> list[Path]:
    """Of a directory HAProxy reads `*.cfg`, in the order of their names."""
    return sorted(path.glob("*.cfg")) if path.is_dir() else [path]


def _values(words: list[str], option: str) -> list[str]:
    return [after for word, after in zip(words, words[1:]) if word == option]


def _after(words: list[str], option: str) -> list[str]:
    return words[words.index(option) + 1 :] if option in words else []


def _strings(main: int, name: str) -> list[str]:
    try:
        return Path(f"/proc/{main}/{name}").read_text(errors="surrogateescape").rstrip("\0").split("\0") if main else []
    except OSError:  # it has ended meanwhile
        return []


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
