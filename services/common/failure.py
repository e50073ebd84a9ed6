"""Why a service does not start, in words."""

from __future__ import annotations

import errno
import sqlite3

FULL = {errno.ENOSPC, errno.EDQUOT}
MAY_PASS = FULL | {errno.EROFS}
"""A full disk is emptied, a volume is mounted again."""
SQLITE_MAY_PASS = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
}
"""The same of a database in a file; what is wrong with its tables does not pass."""


class CannotStart(RuntimeError):
    """The service cannot start. The message is one sentence that says what to do."""


class CannotStartYet(CannotStart):
    """As CannotStart, where waiting may help: a database that is not there yet, a full disk. The
    service says so and tries that part again, instead of being started over and over."""


def may_pass(error: BaseException) -> bool:
    """Whether a file may be usable later although nobody touches what it holds: its disk was full
    or away, another process held it. Also of the SQLAlchemy error of a database in a file."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, OSError):
        return cause.errno in MAY_PASS
    code = getattr(cause, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in SQLITE_MAY_PASS  # the rest tells the sort of it
