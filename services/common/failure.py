"""Why a service does not start, in words."""

from __future__ import annotations

import errno
import sqlite3

FULL = {errno.ENOSPC, errno.EDQUOT}
MAY_PASS = FULL | {errno.EROFS}
"""A full disk is emptied, a volume is mounted again."""


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
    return isinstance(cause, sqlite3.OperationalError)
