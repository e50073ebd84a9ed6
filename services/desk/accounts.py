"""Who may sign in: accounts, sessions and one-time links, in `<data_dir>/desk.db`.

Passwords are kept as Argon2 hashes, tokens as SHA-256: whoever reads the file can use neither.
Used by the running desk and, beside it, by `banxi users`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import CursorResult, ForeignKey, delete, event, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from contracts.subjects import is_id

DATABASE = "desk.db"
LINK_HOURS = 24
AccountRole = Literal["agent", "supervisor", "editor"]
ROLES: tuple[AccountRole, ...] = get_args(AccountRole)
MIN_PASSWORD = 8
RESERVED = frozenset({"system"})
"""Names the services sign their own deeds with."""

_TOKEN = re.compile(r"^[A-Za-z0-9_-]{43}$")
_hasher = PasswordHasher()
# Checked for unknown names, so that the time taken does not tell who has an account.
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))


class AccountError(ValueError):
    """What was asked cannot be done; the text is one sentence for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in."""

    name: str
    role: AccountRole
    agent_id: str | None
    """工号; agents have one."""


class _Base(DeclarativeBase):
    pass


class _Account(_Base):
    __tablename__ = "accounts"
    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    agent_id: Mapped[str | None] = mapped_column(unique=True)
    password: Mapped[str]
    created_at: Mapped[datetime]


class _Session(_Base):
    __tablename__ = "sessions"
    token: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.name", ondelete="CASCADE"))
    expires_at: Mapped[datetime]


class _Link(_Base):
    __tablename__ = "links"
    token: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(ForeignKey("accounts.name", ondelete="CASCADE"))
    expires_at: Mapped[datetime]


def _now() -> datetime:
    """SQLite keeps times without a zone: all are UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def is_token(text: str) -> bool:
    """Whether a text has the form of our tokens."""
    return bool(_TOKEN.match(text))


class Accounts:
    """The accounts of a site. `open` makes the file where there is none."""

    def __init__(self, data_dir: Path, session_hours: float = 12.0) -> None:
        self._session = timedelta(hours=session_hours)
        self._engine = create_async_engine(f"sqlite+aiosqlite:///{data_dir / DATABASE}")
        event.listen(self._engine.sync_engine, "connect", _on_connect)
        # Each check takes 64 MiB for a moment.
        self._checking = asyncio.Semaphore(2)
        self._db = async_sessionmaker(self._engine, expire_on_commit=False)

    @classmethod
    @asynccontextmanager
    async def open(cls, data_dir: Path, session_hours: float = 12.0) -> AsyncIterator[Accounts]:
        """Open the file; close it on leaving. The directory must be there."""
        accounts = cls(data_dir, session_hours)
        try:
            async with accounts._engine.begin() as connection:
                await connection.run_sync(_Base.metadata.create_all)
            yield accounts
        finally:
            await accounts._engine.dispose()

    async def all(self) -> list[Account]:
        """All accounts by name."""
        async with self._db() as db:
            rows = await db.scalars(select(_Account).order_by(_Account.name))
            return [_account(row) for row in rows]

    async def get(self, name: str) -> Account | None:
        """One account."""
        async with self._db() as db:
            row = await db.get(_Account, name)
            return _account(row) if row else None

    async def add(
        self, name: str, role: AccountRole, agent_id: str | None, password: str
    ) -> Account:
        """Add an account. Raises AccountError with a sentence."""
        if not is_id(name):
            raise AccountError("an account name has 1 to 64 letters, digits, `_` or `-`")
        if name in RESERVED:
            raise AccountError(f"the name {name} is the system's own: choose another")
        if role == "agent" and not (agent_id and is_id(agent_id)):
            raise AccountError("an agent needs a 工号 of letters and digits: --id 015")
        if role != "agent" and agent_id:
            raise AccountError("only agents have a 工号: leave --id out")
        hashed = await _hash(password)
        async with self._db() as db:
            db.add(
                _Account(
                    name=name, role=role, agent_id=agent_id, password=hashed, created_at=_now()
                )
            )
            try:
                await db.commit()
            except IntegrityError:
                raise AccountError(f"the name {name} or its 工号 is taken already") from None
        return Account(name, role, agent_id)

    async def remove(self, name: str) -> None:
        """Remove an account with all it has. Raises AccountError where there is none."""
        async with self._db() as db:
            if not _count(await db.execute(delete(_Account).where(_Account.name == name))):
                raise _unknown(name)
            await db.commit()

    async def reset(self, name: str, password: str) -> None:
        """Set a new password and end all sessions and links of the account."""
        hashed = await _hash(password)
        async with self._db() as db:
            changed = await db.execute(
                update(_Account).where(_Account.name == name).values(password=hashed)
            )
            if not _count(changed):
                raise _unknown(name)
            await db.execute(delete(_Session).where(_Session.account == name))
            await db.execute(delete(_Link).where(_Link.account == name))
            await db.commit()

    async def verify(self, name: str, password: str) -> Account | None:
        """The account, where name and password belong together."""
        async with self._db() as db:
            row = await db.get(_Account, name)
        async with self._checking:
            hashed = row.password if row else _NOBODY
            matches = await asyncio.to_thread(_matches, hashed, password)
        return _account(row) if row and matches else None

    async def new_session(self, name: str) -> str:
        """Begin a session; returns its token, which is kept nowhere in clear."""
        token = secrets.token_urlsafe(32)
        async with self._db() as db:
            await db.execute(delete(_Session).where(_Session.expires_at <= _now()))
            expires = _now() + self._session
            db.add(_Session(token=_digest(token), account=name, expires_at=expires))
            await db.commit()
        return token

    async def of_session(self, token: str) -> Account | None:
        """The account of a session that is still valid."""
        if not is_token(token):
            return None
        async with self._db() as db:
            row = await db.scalar(
                select(_Account)
                .join(_Session, _Session.account == _Account.name)
                .where(_Session.token == _digest(token), _Session.expires_at > _now())
            )
            return _account(row) if row else None

    async def end_session(self, token: str) -> None:
        """End one session."""
        async with self._db() as db:
            await db.execute(delete(_Session).where(_Session.token == _digest(token)))
            await db.commit()

    async def new_link(self, name: str) -> str:
        """Make a one-time sign-in link, valid 24 h; returns its path. Raises AccountError."""
        token = secrets.token_urlsafe(32)
        async with self._db() as db:
            if await db.get(_Account, name) is None:
                raise _unknown(name)
            await db.execute(delete(_Link).where(_Link.expires_at <= _now()))
            expires = _now() + timedelta(hours=LINK_HOURS)
            db.add(_Link(token=_digest(token), account=name, expires_at=expires))
            await db.commit()
        return f"/enter/{token}"

    async def of_link(self, token: str) -> Account | None:
        """Whose link it is, without using it up; None where it is none, used or too old."""
        async with self._db() as db:
            row = await db.scalar(
                select(_Account)
                .join(_Link, _Link.account == _Account.name)
                .where(_Link.token == _digest(token), _Link.expires_at > _now())
            )
            return _account(row) if row else None

    async def use_link(self, token: str) -> Account | None:
        """Use a link up. Of two who come at once only one gets the account."""
        account = await self.of_link(token)
        if account is None:
            return None
        async with self._db() as db:
            used = _count(await db.execute(delete(_Link).where(_Link.token == _digest(token))))
            await db.commit()
        return account if used else None


def _on_connect(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # The desk and `banxi users` may write at the same time.
    for pragma in ("journal_mode=WAL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _account(row: _Account) -> Account:
    return Account(row.name, cast(AccountRole, row.role), row.agent_id)


def _count(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount


async def _hash(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise AccountError(f"a password has at least {MIN_PASSWORD} characters")
    return await asyncio.to_thread(_hasher.hash, password)


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _unknown(name: str) -> AccountError:
    return AccountError(f"there is no account {name}: `banxi users list` shows all")
