"""Files are opened in one way only: by `place`, `disk` and `trees`.

Told from the syntax of every module, not by reading them.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "host-tool/jtel_chat"
THE_WAY = {"place", "disk", "trees"}
#: What reads the kernel before anything else may be imported, since every look pays for it.
BEFORE_ALL = {"cgroup"}
OF_PATHS = {
    *(
        "open",
        "read_text",
        "read_bytes",
        "write_text",
        "write_bytes",
        "mkdir",
        "rename",
        "unlink",
        "symlink_to",
        "hardlink_to",
        "rmdir",
    ),
    *(
        "chmod",
        "lchmod",
        "touch",
        "iterdir",
        "glob",
        "rglob",
        "walk",
        "exists",
        "is_file",
        "is_dir",
        "is_symlink",
        "is_fifo",
        "stat",
        "lstat",
    ),
    *("readlink", "resolve", "owner", "group", "samefile", "expanduser"),
}
OF_OS = {
    *(
        "open",
        "fdopen",
        "listdir",
        "scandir",
        "walk",
        "fwalk",
        "stat",
        "lstat",
        "statvfs",
        "readlink",
        "rename",
        "renames",
        "replace",
        "remove",
    ),
    *(
        "unlink",
        "mkdir",
        "makedirs",
        "rmdir",
        "removedirs",
        "symlink",
        "link",
        "chmod",
        "lchmod",
        "chown",
        "lchown",
        "utime",
        "truncate",
    ),
    *("mkfifo", "mknod", "access", "chdir", "chroot", "setxattr", "getxattr", "listxattr"),
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.stem not in THE_WAY | BEFORE_ALL)


def other_ways(source: str) -> list[str]:
    """Each place that touches a file by another way than the three modules: `12: path.read_text`."""
    tree = ast.parse(source)
    return [found for node in ast.walk(tree) if (found := _other_way(node))]


def _other_way(node: ast.AST) -> str:
    if isinstance(node, ast.ImportFrom) and node.module == "io" and [each.name for each in node.names] == ["BytesIO"]:
        return ""  # memory, no file
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        return next(
            (f"{node.lineno}: import {name}" for name in names if name in ("tempfile", "glob", "io", "fileinput")), ""
        )
    if isinstance(node, ast.Name) and node.id == "open":
        return f"{node.lineno}: open"
    if not isinstance(node, ast.Attribute):
        return ""
    of = node.value.id if isinstance(node.value, ast.Name) else ""
    forbidden = node.attr in OF_OS if of == "os" else of == "shutil" or (of not in THE_WAY and node.attr in OF_PATHS)
    return f"{node.lineno}: {of or '….'}.{node.attr}" if forbidden else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_opens_no_file_by_itself(path: Path) -> None:
    assert other_ways(path.read_text(encoding="utf-8")) == []


def test_what_comes_before_all_opens_files_of_the_kernel_only() -> None:
    for name in BEFORE_ALL:
        source = (PACKAGE / f"programs/{name}.py").read_text(encoding="utf-8")
        assert source.count("open(") == source.count('open(f"{PROC}/') == 1
        assert 'PROC = "/proc"' in source


@pytest.mark.parametrize(
    "source",
    [
        "open('x')",
        "f = open",
        "import tempfile",
        "from io import open",
        "os.open('x', 0)",
        "Path('x').read_text()",
        "a.b.unlink()",
        "shutil.rmtree(x)",
    ],
)
def test_the_other_ways_are_known(source: str) -> None:
    assert other_ways(source)
