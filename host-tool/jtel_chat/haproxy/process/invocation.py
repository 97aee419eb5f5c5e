"""Reads how HAProxy's main process was started: /etc/default/haproxy has a say in its files and its environment.

Source: management.txt 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ...access import disk
from ...access.account import ROOT
from ...access.place import resolved
from ..file import parse
from ..file.configuration import Configuration

_SHORT = 5  # characters: of a port and the like, without which a message says little
_ITS_OWN = ("HAPROXY_MWORKER", "HAPROXY_PROCESSES", "NOTIFY_SOCKET")  # another HAProxy would take itself for this one


class Start(NamedTuple):
    """What a main process was started with; nothing where none runs.

    files: its configuration files, in their order. options: what else decides whether they are accepted, `-dr` or
    `-C /etc/haproxy`. environment: what their `$NAME`s stand for. master: the place of its master socket.
    """

    files: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = MappingProxyType({})
    master: str | None = None

    def __repr__(self) -> str:
        """Leaves out the environment, which may hold passwords."""
        return f"Start(files={self.files}, options={self.options}, master={self.master!r})"

    def loads(self, path: Path) -> bool:
        """Tells whether the file is one of its own, perhaps by a link."""
        return any(_same(path, file) for file in self.files)

    def place(self, path: Path) -> Path:
        """Finds the name by which it reads `path`, which may be a link."""
        return next((file for file in self.files if _same(path, file)), path)

    def with_candidate(self, path: Path, candidate: Path) -> list[Path]:
        """Lists its files, another one in the place of `path`; that one alone where nothing runs."""
        return [candidate if _same(path, file) else file for file in self.files] if self.loads(path) else [candidate]

    def around(self, config: Configuration) -> Configuration:
        """Puts a file between those that it reads before and after it, as they are on disk.

        A file that is between the same ones already stays the same object.
        """
        at = next((index for index, file in enumerate(self.files) if _same(config.path, file)), None)
        before, after = ((), ()) if at is None else (_read(self.files[:at]), _read(self.files[at + 1 :]))
        if (before, after) == (config.before, config.after):
            return config
        return config.between(before, after)

    def unexpanded(self, text: str, config: Configuration) -> str:
        """Replaces values of variables in a message, which may be passwords, by their names: `$KEY`.

        Values as short as a port number stay.
        """
        values = {
            parse.said(value): name
            for name, whole in self.variables(config)
            for value in (whole, *whole.split())
            if not self.is_short(value)
        }
        for value in sorted(values, key=len, reverse=True):
            text = text.replace(value, f"${values[value]}")
        return text

    def used(self, config: Configuration) -> list[str]:
        """Lists the variables of the environment that a configuration and the files around it use."""
        names = re.findall(rb"\$\{?([A-Za-z_][A-Za-z0-9_]*)", config.whole)
        return sorted({name.decode() for name in names} & self.environment.keys())

    @staticmethod
    def is_short(value: str) -> bool:
        """Tells whether a value says as little as a port number does."""
        return len(value) <= _SHORT

    def variables(self, config: Configuration) -> list[tuple[str, str]]:
        """Lists the variables that a configuration and the files around it use, with their values.

        They come from the environment and from `setenv` and `presetenv`.
        """
        lines = [line for line in config.all_lines if line.keyword in ("setenv", "presetenv") and len(line.words) > 2]
        return [
            *((name, self.environment[name]) for name in self.used(config)),
            *((line.words[1], line.words[2]) for line in lines),
        ]


def read(main: int) -> Start:
    """Reads how a main process was started. main: its number; 0 where none runs."""
    words = _strings(main, "cmdline")
    directory = Path("/", *_values(words, "-C"))  # systemd starts it in the root directory
    master = next(iter(_values(words, "-S")), "").partition(",")[0].removeprefix("unix@")
    return Start(
        tuple(file for value in [*_values(words, "-f"), *_after(words, "--")] for file in _files(directory / value)),
        (
            *(word for word in words if word == "-dr"),
            *(word for value in _values(words, "-C") for word in ("-C", value)),
        ),
        dict(text.split("=", 1) for text in _strings(main, "environ") if "=" in text and not text.startswith(_ITS_OWN)),
        master if master.startswith("/") else None,
    )


def _read(files: Sequence[Path]) -> tuple[Configuration, ...]:
    """Reads the files that are there, each with a line end of its own at its end."""
    return tuple(Configuration(disk.read(file) + b"\n", file) for file in files if disk.is_file(file, follow=True))


def _files(path: Path) -> list[Path]:
    """Lists the files that HAProxy reads for `-f PATH`: of a directory `*.cfg`, not hidden, in the order of names."""
    if not disk.is_directory(path, follow=True):
        return [path]
    found = [
        path / name for name in disk.names(resolved(path, ROOT)) if name.endswith(".cfg") and not name.startswith(".")
    ]
    return [file for file in found if disk.is_file(file, follow=True)]


def _values(words: list[str], option: str) -> list[str]:
    return [after for word, after in zip(words, words[1:]) if word == option]


def _after(words: list[str], option: str) -> list[str]:
    return words[words.index(option) + 1 :] if option in words else []


def _strings(main: int, name: str) -> list[str]:
    try:
        return (
            disk.kernel(f"/proc/{main}/{name}").decode(errors="surrogateescape").rstrip("\0").split("\0")
            if main
            else []
        )
    except OSError:  # it has ended meanwhile
        return []


def _same(one: Path, other: Path) -> bool:
    return resolved(one, ROOT) == resolved(other, ROOT)
