"""The tables of entries: how each stands, all that was ever written, and what was done."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.call_type import Intake
from contracts.requests import Act
from services.knowledge.entries.authority import State
from services.knowledge.keeping.tables import Tables, UtcTime, Words


class HeadRow(Tables):
    """How an entry stands: numbers of its revisions, as in `authority.Life`."""

    __tablename__ = "entry_heads"

    id: Mapped[str] = mapped_column(primary_key=True)
    newest: Mapped[int]
    current: Mapped[int | None]
    following: Mapped[int | None]
    draft: Mapped[int | None]
    withdrawn: Mapped[bool]
    decided_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When something was decided last."""


class RevisionRow(Tables):
    """One writing of an entry, kept for ever; content as in `Entry`."""

    __tablename__ = "entry_revisions"

    entry_id: Mapped[str] = mapped_column(ForeignKey(HeadRow.id), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[State] = mapped_column(String(20))
    counts: Mapped[bool]
    """Whether it was decided and nothing has taken its place, but on a day that is set."""
    based_on: Mapped[int | None]
    drafted_by: Mapped[str]
    drafted_at: Mapped[datetime] = mapped_column(UtcTime)
    decided_by: Mapped[str | None]
    takes_effect: Mapped[date | None]
    superseded: Mapped[date | None]
    question: Mapped[str]
    answer: Mapped[str] = mapped_column(Text)
    department: Mapped[str]
    region: Mapped[str]
    similar: Mapped[tuple[str, ...]] = mapped_column(Words)
    authorised: Mapped[bool]
    authorised_by: Mapped[str | None]
    authorised_at: Mapped[date | None]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    version: Mapped[str | None]
    document: Mapped[str | None]
    liaison: Mapped[str | None]
    phone: Mapped[str | None]
    intake: Mapped[Intake | None] = mapped_column(String(20))
    tags: Mapped[tuple[str, ...]] = mapped_column(Words)
    confidential: Mapped[bool]


class DeedRow(Tables):
    """One thing that was done, by whom and when. The number only grows, and what has a lower one
    was committed before."""

    __tablename__ = "deeds"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    entry_id: Mapped[str] = mapped_column(index=True)
    """An entry; `office:ID` and `wording:ID` for what else the base is made of; `export:ID`."""
    revision: Mapped[int]
    act: Mapped[Act] = mapped_column(String(20))
    by: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcTime)
    reason: Mapped[str]

    __table_args__ = ({"sqlite_autoincrement": True},)


class FeedbackRow(Tables):
    """What an agent said of an entry's card; one row an event."""

    __tablename__ = "entry_feedback"

    event_id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(index=True)
    verdict: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcTime)


class StagedRow(Tables):
    """A row of an import that waits for the rest of it."""

    __tablename__ = "staged_rows"

    import_id: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    cells: Mapped[str] = mapped_column(Text)
    """Column → text, JSON."""
    staged_at: Mapped[datetime] = mapped_column(UtcTime)
