"""Accounts of this host, and acting with the rights of one: root's own rights end where other people's folders
begin.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import Refused

#: The user and the group of ClientMessenger (vendor page "CHAT role"): no document can name another one.
SERVICE = ("jtel", "jtel")


@dataclass(frozen=True)
class Account:
    """A user as the kernel judges him. groups: all that he is in, e.g. `(1000, 27)`."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


ROOT = Account("root", 0, 0, (0,))


def service() -> Account:
    """The account that ClientMessenger runs as. Raises Refused where this host lacks it."""
    user, group = SERVICE
    try:
        uid, gid = pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid
    except KeyError:
        raise Refused(
            f"this host has no user and group '{user}'. The jtel base installation creates it: install that first"
        ) from None
    return Account(user, uid, gid, tuple(os.getgrouplist(user, gid)))


def owning(uid: int) -> Account:
    """The account with this number; one that passwd(5) does not know has no groups but that number's."""
    if uid == 0:
        return ROOT
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(str(uid), uid, uid, (uid,))
    return Account(entry.pw_name, uid, entry.pw_gid, tuple(os.getgrouplist(entry.pw_name, entry.pw_gid)))


@contextlib.contextmanager
def acting_as(account: Account) -> Iterator[None]:
    """While inside, files are opened with this account's rights (seteuid(2)); nothing changes where the tool does not
    run as root.

    The real and the saved user stay root: the account can neither signal nor trace this process.
    """
    if os.getuid() != 0 or (os.geteuid() == account.uid and account.uid == 0):
        yield
        return
    before = (os.getgroups(), os.getegid(), os.geteuid())
    try:
        _become(list(account.groups), account.gid, account.uid)  # in here: a signal may end it in its middle
        yield
    finally:
        _become(*before)


def _become(groups: list[int], gid: int, uid: int) -> None:
    """Only root may set groups, so the user is taken off first and put on last."""
    os.seteuid(0)
    os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)
