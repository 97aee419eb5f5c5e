"""Opens, writes, renames and removes files: by descriptors, with the rights that `place` gives, and nowhere else.

Every read is of a regular file, up to a limit. Every write is staged beside its target, synced and renamed over it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat as modes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import Refused
from .account import Account, owning
from .place import Place, at, errors_name

#: Everything that this host remembers of us; root's alone.
STATE = Path("/var/lib/jtel-chat")
#: What may be gone after a boot.
RUN = Path("/run/jtel-chat")
#: Bytes of a file that are read at most, where a caller names no other limit: 16 MiB, as a haproxy.cfg with long lists
#: may have.
LIMIT = 16 << 20

#: Where the kernel itself answers, and nobody else can write.
KERNEL: tuple[str, ...] = ("/proc/", "/sys/")
#: How deep folders may lie inside each other. Each level costs a descriptor and a frame of Python's stack, of which
#: there are about a thousand.
DEEPEST = 64
_MOST = 100_000  # names of a folder
_CHUNK = 1 << 20
_GET_FLAGS = 0x80086601  # FS_IOC_GETFLAGS, 64 bit
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
#: How a new file is opened: never one that is there already.
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: How a folder is opened to go into it.
FOLDER = os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


def kernel(path: str | Path) -> bytes:
    """Reads a file of the kernel's own, `/proc/meminfo`. Raises OSError when it is gone."""
    with open(_of_kernel(path), "rb") as file:
        return file.read()


def kernel_names(path: str | Path) -> list[str]:
    """Lists a folder of the kernel's own, `/proc/1/fd`. Raises OSError when it is gone."""
    return os.listdir(_of_kernel(path))


def kernel_link(path: str | Path) -> str:
    """Reads where a link of the kernel's own leads, `/proc/1/exe`. Raises OSError when it is gone."""
    return os.readlink(_of_kernel(path))


def program(argument: str) -> bytes:
    """Reads the text of the running program, by the first word of its command line.

    That word is a path, or `/proc/self/fd/3` where the text came along and lies in no file.
    """
    return kernel(argument) if argument.startswith(KERNEL) else read(Path(argument))


def _of_kernel(path: str | Path) -> str | Path:
    if not str(path).startswith(KERNEL):
        raise ValueError(path)
    return path


def stat(path: Path, rights: Account | None = None, *, follow: bool = False) -> os.stat_result | None:
    """Looks at what is at a path itself (lstat(2)); None where nothing is.

    follow: through a link of root's, at what it leads to.
    """
    try:
        with at(path, rights, follow=follow) as place:
            return os.stat(place.name, dir_fd=place.directory, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_file(path: Path, rights: Account | None = None, *, follow: bool = False) -> bool:
    """Tells whether a regular file is at a path; without `follow` a link to one does not count."""
    found = stat(path, rights, follow=follow)
    return found is not None and modes.S_ISREG(found.st_mode)


def is_directory(path: Path, rights: Account | None = None, *, follow: bool = False) -> bool:
    """Tells whether a directory is at a path; without `follow` a link to one does not count."""
    found = stat(path, rights, follow=follow)
    return found is not None and modes.S_ISDIR(found.st_mode)


def link_target(path: Path) -> str | None:
    """Reads where the link at a path leads; None where there is no link."""
    found = stat(path)
    if found is None or not modes.S_ISLNK(found.st_mode):
        return None
    with at(path) as place:
        return os.readlink(place.name, dir_fd=place.directory)


def names(path: Path, rights: Account | None = None) -> list[str]:
    """Lists the names in a directory, sorted; none where there is no directory."""
    try:
        with at(path / "x", rights) as place:
            return sorted(listed(place.directory))
    except (FileNotFoundError, NotADirectoryError):
        return []


@contextlib.contextmanager
def opened(path: Path, limit: int = LIMIT, rights: Account | None = None) -> Iterator[int]:
    """Opens a regular file of at most `limit` bytes, and gives its descriptor.

    Raises FileNotFoundError, or Refused with what else is there.
    """
    with at(path, rights, follow=True) as place:
        descriptor = _regular(place, limit)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read(path: Path, limit: int = LIMIT, rights: Account | None = None) -> bytes:
    """Reads the bytes of a regular file of at most `limit` bytes.

    Raises FileNotFoundError, or Refused with what else is there.
    """
    with opened(path, limit, rights) as descriptor:
        data = b"".join(chunks(descriptor, limit + 1))
    if len(data) > limit:
        raise Refused(f"{path} grows while it is read, beyond {limit} bytes")
    return data


def text(path: Path, limit: int = LIMIT, rights: Account | None = None) -> str:
    """Reads a file as UTF-8; bytes that are no UTF-8 are replaced."""
    return read(path, limit, rights).decode("utf-8", "replace")


def text_or(otherwise: str, path: Path) -> str:
    """Reads a file as text; gives `otherwise` where it is missing."""
    try:
        return text(path)
    except (FileNotFoundError, NotADirectoryError):
        return otherwise


def chunks(descriptor: int, limit: int) -> Iterator[bytes]:
    """Yields the bytes of an open file, at most `limit`. An error names the file, not the one that they are for."""
    left = limit
    while left > 0 and (chunk := _read(descriptor, min(left, _CHUNK))):
        left -= len(chunk)
        yield chunk


def _read(descriptor: int, limit: int) -> bytes:
    try:
        return os.read(descriptor, limit)
    except OSError as error:
        error.filename = os.readlink(f"/proc/self/fd/{descriptor}")
        raise


def _regular(place: Place, limit: int) -> int:
    try:
        descriptor = os.open(place.name, _READ, dir_fd=place.directory)
    except OSError as error:
        raise _unreadable(place, error) from None
    found = os.fstat(descriptor)
    if modes.S_ISREG(found.st_mode) and found.st_size <= limit:
        return descriptor
    os.close(descriptor)
    if not modes.S_ISREG(found.st_mode):
        raise Refused(f"{place.path} is no file but {kind_of(found)}. Remove it, then repeat")
    raise Refused(f"{place.path} has {found.st_size} bytes, at most {limit} are read. Is it the right file?")


def _unreadable(place: Place, error: OSError) -> Exception:
    """Says why a path could not be opened: a link or a socket is named, which `open` reports by a number only."""
    try:
        found = os.stat(place.name, dir_fd=place.directory, follow_symlinks=False)
    except OSError:
        return error
    if modes.S_ISLNK(found.st_mode):
        target = os.readlink(place.name, dir_fd=place.directory)
        return Refused(
            f"{place.path} is a link to {target}, which is not followed. Put the file itself there, then repeat"
        )
    if not modes.S_ISREG(found.st_mode):
        return Refused(f"{place.path} is no file but {kind_of(found)}. Remove it, then repeat")
    if isinstance(error, PermissionError):
        who = (
            f"{place.account.name} cannot read it (mode {modes.S_IMODE(found.st_mode):04o}, owner"
            f" {owning(found.st_uid).name})"
        )
        return Refused(
            f"{place.path}: {who}, and the tool reads it with that user's rights only. Give it to {place.account.name},"
            " then repeat"
        )
    return error


def kind_of(found: os.stat_result) -> str:
    """Names what a path is: `a directory`, `a link`, `a FIFO`."""
    known = {
        modes.S_IFDIR: "a directory",
        modes.S_IFLNK: "a link",
        modes.S_IFIFO: "a FIFO",
        modes.S_IFSOCK: "a socket",
        modes.S_IFCHR: "a device",
        modes.S_IFBLK: "a device",
    }
    return known.get(modes.S_IFMT(found.st_mode), "a file")


def write(path: Path, data: bytes, mode: int = 0o600, owner: tuple[int, int] = (0, 0)) -> None:
    """Makes `path` a file with these bytes, wholly or not at all. What was there is replaced, unless it is a directory.

    In somebody else's folder the file is his, whatever `owner` says, without set-uid, set-gid and sticky bits. An
    access list of a file that keeps mode and owner stays.
    """
    with at(path) as place, _created(place) as (staged, descriptor):
        fill(descriptor, data)
        _settle(place, descriptor, mode, owner)
        _copy_attributes(place, descriptor)
        os.fsync(descriptor)
        _over(staged, place)


def link(path: Path, target: str) -> None:
    """Makes `path` a symbolic link, renamed over an old one: `ln -s` would put it inside the old one's target."""
    with at(path) as place:
        staged = staged_name(place.name)
        _remove(place.directory, staged)
        os.symlink(target, staged, dir_fd=place.directory)
        _over(staged, place)


def append(path: Path, data: bytes) -> None:
    """Adds bytes to a file of root's (0600); they are on disk when this returns."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    with at(path) as place:
        descriptor = os.open(place.name, flags, 0o600, dir_fd=place.directory)
    before = os.fstat(descriptor).st_size
    try:
        with errors_name(path):
            fill(descriptor, data)
            os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)  # half a line would swallow the next one
        raise
    finally:
        os.close(descriptor)


def lockable(path: Path) -> int:
    """Opens a file of root's for flock(2), and creates it where it is missing."""
    with at(path) as place:
        return os.open(place.name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=place.directory)


def make_directory(path: Path, mode: int = 0o755) -> None:
    """Makes a directory, which belongs to whoever owns the folder that it is in; parents have to be there.

    Does nothing where a directory is there already.
    """
    with at(path) as place:
        try:
            os.mkdir(place.name, mode, dir_fd=place.directory)
        except FileExistsError:
            found = os.stat(place.name, dir_fd=place.directory, follow_symlinks=False)
            if not modes.S_ISDIR(found.st_mode):
                raise Refused(f"{path} is {kind_of(found)}, wanted is a directory. Move it away, then repeat") from None
            return
        _sync(place.directory)


def own_directory(path: Path) -> None:
    """Makes a directory of root's alone (0700), with its missing parents; below STATE those are root's alone, too."""
    for directory in reversed([path, *path.parents]):
        if not is_directory(directory):
            make_directory(directory, 0o700 if STATE in [directory, *directory.parents] or directory == path else 0o755)


def unlink(path: Path) -> None:
    """Removes a file or a link. Raises FileNotFoundError where nothing is: of two who remove it, one has won."""
    with at(path) as place:
        os.unlink(place.name, dir_fd=place.directory)
        _sync(place.directory)


def remove(path: Path) -> None:
    """Removes a file or a link, if there is one. A directory raises IsADirectoryError."""
    with contextlib.suppress(FileNotFoundError):
        unlink(path)


def remove_staged(path: Path) -> None:
    """Removes what a write or a link that died has left beside its target: perhaps half of a secret."""
    with contextlib.suppress(FileNotFoundError), at(path) as place:
        _remove(place.directory, staged_name(place.name))


def remove_directory(path: Path) -> bool:
    """Removes an empty directory; False where it is not empty."""
    try:
        with at(path) as place:
            os.rmdir(place.name, dir_fd=place.directory)
            _sync(place.directory)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno in (39, 17):  # ENOTEMPTY, EEXIST
            return False
        raise
    return True


def remove_tree(path: Path) -> None:
    """Removes whatever is at a path, without following a link.

    Raises where something stays: a rollback would otherwise take the rest of a tree for one that is to be kept.
    """
    with contextlib.suppress(FileNotFoundError), at(path) as place:
        _remove(place.directory, place.name)
        _sync(place.directory)


def rename(path: Path, name: str) -> None:
    """Gives what is at a path another name in its folder, in place of what has that name.

    A directory of that name has to be empty.
    """
    with at(path) as place:
        os.rename(place.name, name, src_dir_fd=place.directory, dst_dir_fd=place.directory)
        _sync(place.directory)


def move(path: Path, target: Path) -> None:
    """Moves what is root's to another folder of root's on the same file system."""
    with at(path) as place, at(target) as other:
        os.rename(place.name, other.name, src_dir_fd=place.directory, dst_dir_fd=other.directory)
        _sync(place.directory)
        _sync(other.directory)


@contextlib.contextmanager
def scratch(what: str) -> Iterator[Path]:
    """Makes a folder of root's for the time inside, on no disk: after a crash, secrets would stay there."""
    import secrets

    path = RUN / f"{what}-{os.getpid()}-{secrets.token_hex(8)}"
    make_directory(RUN)
    _sweep(what)
    make_directory(path, 0o700)
    try:
        yield path
    finally:
        remove_tree(path)


def _sweep(what: str) -> None:
    """Removes the scratch folders of processes that were killed. No time tells that: somebody may set the clock."""
    for name in names(RUN):
        owner = name[len(what) + 1 :].partition("-")[0] if name.startswith(f"{what}-") else ""
        if owner.isdecimal() and not os.path.exists(f"/proc/{owner}"):
            remove_tree(RUN / name)


def synced(path: Path) -> None:
    """Writes a directory to disk: only then is a rename in it on disk."""
    with at(path / "x") as place:
        _sync(place.directory)


def executable(program: str) -> str | None:
    """Finds a program as a shell does, `/usr/sbin/ufw` for `ufw`; None where it is not installed.

    shutil.which does the same, and its import costs every look 2 ms.
    """
    places = (os.path.join(folder, program) for folder in os.get_exec_path())
    return next((place for place in places if os.path.isfile(place) and os.access(place, os.X_OK)), None)


def size(path: str) -> int:
    """Counts the bytes of the drive that a folder is on."""
    found = os.statvfs(path)
    return found.f_blocks * found.f_frsize


def free(path: Path) -> int:
    """Counts the bytes that are free where `path` is or will be."""
    with contextlib.suppress(FileNotFoundError), at(path / "x") as place:
        found = os.fstatvfs(place.directory)
        return found.f_bavail * found.f_frsize
    return free(path.parent)


def is_read_only(path: Path) -> bool:
    """Tells whether the file system of a path's folder is mounted read-only."""
    with at(path) as place:
        return bool(os.fstatvfs(place.directory).f_flag & os.ST_RDONLY)


def flags(path: Path) -> int:
    """Reads the flags of a file or folder (ioctl_iflags(2)), 0x10 for immutable; 0 where it has none or is missing."""
    import fcntl

    try:
        with at(path) as place:
            descriptor = os.open(place.name, _READ, dir_fd=place.directory)
        try:
            return int.from_bytes(fcntl.ioctl(descriptor, _GET_FLAGS, bytes(8))[:4], "little")
        finally:
            os.close(descriptor)
    except OSError:
        return 0


@contextlib.contextmanager
def _created(place: Place) -> Iterator[tuple[str, int]]:
    """Creates a new file beside the place, and removes it at the end unless it was renamed."""
    staged = staged_name(place.name)
    _remove(place.directory, staged)
    descriptor = os.open(staged, CREATE, 0o600, dir_fd=place.directory)
    try:
        yield staged, descriptor
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(staged, dir_fd=place.directory)
        raise
    finally:
        os.close(descriptor)


def staged_name(name: str) -> str:
    """Names the file in which new content waits for its rename: `.haproxy.cfg.jtel-chat`."""
    return f".{name}.jtel-chat"


def keep_beside(path: Path) -> None:
    """Keeps the file at `path` by a second name beside it, so that `return_beside` needs no free space.

    Does nothing where the file system has no hard links, or the folder's user may not make one.
    """
    with contextlib.suppress(OSError), at(path) as place:
        beside = _beside_name(place.name)
        _remove(place.directory, beside)
        os.link(place.name, beside, src_dir_fd=place.directory, dst_dir_fd=place.directory, follow_symlinks=False)
        _sync(place.directory)


def return_beside(path: Path, data: bytes, mode: int, ids: tuple[int, int]) -> bool:
    """Renames what `keep_beside` has kept over `path`; False where that is missing or has been changed."""
    beside = path.with_name(_beside_name(path.name))
    found = stat(beside)
    if found is None or not is_as_wanted(beside, data, mode, ids):
        return False
    rename(beside, path.name)
    return True


def forget_beside(path: Path) -> None:
    """Removes the second name that `keep_beside` gave."""
    with contextlib.suppress(FileNotFoundError), at(path) as place:
        _remove(place.directory, _beside_name(place.name))


def is_as_wanted(path: Path, data: bytes, mode: int, ids: tuple[int, int]) -> bool:
    """Tells whether a regular file has these bytes, mode, uid and gid; in somebody else's folder it has to be his."""
    found = stat(path)
    if found is None or not modes.S_ISREG(found.st_mode):
        return False
    his = owner(path).uid
    right_owner = found.st_uid == his if his else (found.st_uid, found.st_gid) == ids
    right_mode = modes.S_IMODE(found.st_mode) == (mode & 0o777 if his else mode)
    return right_owner and right_mode and found.st_size == len(data) and read(path, 1 << 62) == data


def _beside_name(name: str) -> str:
    """Names the file that `keep_beside` makes: `.haproxy.cfg.before-jtel-chat`."""
    return f".{name}.before-jtel-chat"


def _over(staged: str, place: Place) -> None:
    os.rename(staged, place.name, src_dir_fd=place.directory, dst_dir_fd=place.directory)
    _sync(place.directory)


def fill(descriptor: int, data: bytes) -> None:
    """Writes all of the bytes, however many a single write takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _settle(place: Place, descriptor: int, mode: int, owner: tuple[int, int]) -> None:
    """Sets owner, then mode: a change of owner clears bits of the mode."""
    if place.account.uid == 0 and os.geteuid() == 0:
        os.fchown(descriptor, *owner)
        os.fchmod(descriptor, mode)
    else:
        os.fchmod(descriptor, mode & 0o777)


def _copy_attributes(place: Place, descriptor: int) -> None:
    """Copies access lists and other attributes (xattr(7)) from the file that is replaced.

    Of a file with another mode or owner they stay behind: they might grant what the new one does not.
    """
    with contextlib.suppress(OSError, Refused):
        old = _regular(place, 1 << 62)
        try:
            before, after = os.fstat(old), os.fstat(descriptor)
            if (before.st_mode, before.st_uid, before.st_gid) == (after.st_mode, after.st_uid, after.st_gid):
                _copy_each_attribute(old, descriptor)
        finally:
            os.close(old)


def _copy_each_attribute(old: int, new: int) -> None:
    for name in os.listxattr(old):
        with contextlib.suppress(OSError):  # not every one may be set
            os.setxattr(new, name, os.getxattr(old, name))


def _sync(directory: int) -> None:
    """Writes a directory to disk by a descriptor of its own: one that was opened with O_PATH cannot be synced."""
    descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def listed(directory: int) -> list[str]:
    """Lists the names in an open directory. Raises Refused where they are so many that they would fill the memory."""
    descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
    try:
        with os.scandir(descriptor) as entries:
            found = [entry.name for entry in itertools.islice(entries, _MOST + 1)]
    finally:
        os.close(descriptor)
    if len(found) > _MOST:
        raise Refused(f"a folder holds more than {_MOST} files, among them '{found[0]}'. Remove it, then repeat")
    return found


def _remove(directory: int, name: str, above: tuple[str, ...] = ()) -> None:
    """Removes whatever has this name, a tree too; nothing where nothing has it, also where nothing can be written."""
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        _remove_directory(directory, name, above)


def _remove_directory(directory: int, name: str, above: tuple[str, ...]) -> None:
    if len(above) > DEEPEST:
        raise Refused(
            f"'{above[0]}' holds folders that lie in each other more than {DEEPEST} deep. Remove it (rm -r), then"
            " repeat"
        )
    inside = os.open(name, FOLDER, dir_fd=directory)
    try:
        for each in listed(inside):
            _remove(inside, each, (*above, name))
    finally:
        os.close(inside)
    os.rmdir(name, dir_fd=directory)


def json(path: Path) -> Any:
    """Reads a JSON file of root's own; None where it is missing or torn."""
    import json as format

    try:
        return format.loads(read(path, 64 << 20))
    except (FileNotFoundError, ValueError):
        return None


def owner(path: Path) -> Account:
    """Finds the account that acts in the folder of a path, so the owner of a new file there.

    Raises FileNotFoundError without that folder.
    """
    with at(path) as place:
        return place.account
