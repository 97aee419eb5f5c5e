"""Files that are on disk when a call returns, putting one back from its backup, and folders that go again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Everything that this host remembers of us; root's alone.
STATE = Path("/var/lib/jtel-chat")
#: What a boot may take away.
RUN = Path("/run/jtel-chat")


@contextlib.contextmanager
def scratch(what: str) -> Iterator[Path]:
    """A folder that goes again, root's alone unless opened; not on the disk, where a crash would leave the secrets in it."""
    import tempfile

    RUN.mkdir(mode=0o755, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RUN, prefix=f"{what}-") as directory:
        yield Path(directory)


def staged_name(path: Path) -> Path:
    """Where a new content waits, in the same directory, until it is renamed to `path`."""
    return path.with_name(f".{path.name}.jtel-chat")


def write_synced(path: Path, data: bytes, mode: int = 0o600, uid: int = 0, gid: int = 0, like: Path | None = None) -> None:
    """Create or overwrite a file, on disk before this returns. like: whose access list it gets, if mode and owner are the same."""
    with open(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fchown(file.fileno(), uid, gid)
        os.fchmod(file.fileno(), mode)
        if like:
            _copy_attributes(like, file.fileno())
        os.fsync(file.fileno())


def replace(path: Path, data: bytes, mode: int = 0o600, uid: int = 0, gid: int = 0) -> None:
    """Make `path` a file with these bytes, wholly or not at all. The access list of a file that keeps mode and owner stays."""
    staged = staged_name(path)
    staged.unlink(missing_ok=True)
    write_synced(staged, data, mode, uid, gid, like=path)
    staged.rename(path)
    sync_directory(path.parent)


def replace_link(path: Path, target: str) -> None:
    """Make `path` a symbolic link. Renamed over an old one: `ln -s` would land inside its target."""
    staged = staged_name(path)
    staged.unlink(missing_ok=True)
    staged.symlink_to(target)
    staged.rename(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """A rename is only on disk when its directory is."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_tree(path: Path) -> None:
    """Remove a tree, a file or a link; nothing when nothing is there. Fails loudly: a rollback takes what stays for a kept tree."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def put_back(entry: dict[str, Any], blobs: Path) -> None:
    """Undo one journalled change; a second time does nothing."""
    path = Path(entry["path"])
    remove_tree(staged_name(path))
    if "kept" in entry:
        _put_back_tree(path, Path(entry["kept"]), entry["was"])
    elif entry["was"] == "file":
        replace(path, (blobs / entry["blob"]).read_bytes(), entry["mode"], entry["uid"], entry["gid"])
    elif entry["was"] == "link":
        replace_link(path, entry["target"])
    elif entry["was"] == "no directory":
        with contextlib.suppress(OSError):  # not empty: it holds what somebody else put there
            path.rmdir()
    else:
        path.unlink(missing_ok=True)
    if path.parent.exists():
        sync_directory(path.parent)


def digest_of(path: Path) -> str:
    """A digest of what is at a path – file, link or tree – or `absent`."""
    if path.is_symlink():
        return f"link to {os.readlink(path)}"
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.is_file())
        return digest("".join(f"{each.relative_to(path)} {digest_of(each)}\n" for each in files).encode())
    return digest(path.read_bytes()) if path.exists() else "absent"


def digest(data: bytes) -> str:
    """A short content digest: 16 hexadecimal characters of SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]


def _copy_attributes(path: Path, descriptor: int) -> None:
    """Access lists and the like (xattr(7)). Of a file with another mode or owner they might grant what the new one does not."""
    if path.is_symlink() or not path.is_file():
        return
    old, new = path.stat(), os.fstat(descriptor)
    if (old.st_mode, old.st_uid, old.st_gid) != (new.st_mode, new.st_uid, new.st_gid):
        return
    names: list[str] = []
    with contextlib.suppress(OSError):  # not every file system has them
        names = os.listxattr(path)
    for name in names:
        with contextlib.suppress(OSError):  # nor may every one be set
            os.setxattr(descriptor, name, os.getxattr(path, name))


def _put_back_tree(path: Path, kept: Path, was: str) -> None:
    if was == "tree" and not kept.exists():
        return  # died before the first rename
    remove_tree(path)
    if was == "tree":
        kept.rename(path)
