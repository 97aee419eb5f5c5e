"""Knows the accounts of this host, and acts with the rights of one of them.

In folders of other users the tool gives up root's rights.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
from collections.abc import Iterator
from typing import NamedTuple

from .. import moment
from ..errors import Refused

#: The user and the group of ClientMessenger (vendor page "CHAT role"): no document can name another one.
SERVICE = ("jtel", "jtel")


class Account(NamedTuple):
    """One user of this host. groups: the numbers of all groups that he is in, `(1000, 27)`."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


ROOT = Account("root", 0, 0, (0,))


def service() -> Account:
    """Finds the account that ClientMessenger runs as. Raises Refused where this host lacks it."""
    return moment.once(SERVICE, _service)


def _service() -> Account:
    user, group = SERVICE
    try:
        uid, gid = pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid
    except KeyError:
        raise Refused(
            f"this host has no user and group '{user}'. The jtel base installation creates it: install that first"
        ) from None
    return Account(user, uid, gid, tuple(os.getgrouplist(user, gid)))


def owning(uid: int) -> Account:
    """Finds the account with a user number; one that passwd(5) does not know is only in the group of its number."""
    return ROOT if uid == 0 else moment.once(("account", uid), lambda: _numbered(uid))


def _numbered(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(str(uid), uid, uid, (uid,))
    return Account(entry.pw_name, uid, entry.pw_gid, tuple(os.getgrouplist(entry.pw_name, entry.pw_gid)))


@contextlib.contextmanager
def acting_as(account: Account) -> Iterator[None]:
    """Opens files with this account's rights (seteuid(2)) while inside; where the tool is not root, nothing changes.

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
    """Sets groups, group and user. Only root may set groups, so the old user goes first, the new one comes last."""
    os.seteuid(0)
    os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)
