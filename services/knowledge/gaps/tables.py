"""The tables of gaps and of the times they were asked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from contracts.requests import GapState
from services.knowledge.keeping.tables import Tables, UtcTime


class GapRow(Tables):
    """A matter that was asked and not found; columns as in `contracts.requests.Gap`."""

    __tablename__ = "gaps"

    id: Mapped[str] = mapped_column(primary_key=True)
    words: Mapped[str] = mapped_column(Text)
    state: Mapped[GapState] = mapped_column(String(20), index=True)
    times: Mapped[int]
    first_at: Mapped[datetime] = mapped_column(UtcTime)
    last_at: Mapped[datetime] = mapped_column(UtcTime)
    entry_id: Mapped[str | None] = mapped_column(index=True)
    would_serve: Mapped[int]
    handled_by: Mapped[str | None]
    """Who dismissed, reopened or linked it last."""
    handled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    reason: Mapped[str]
    """Why, as he said."""


class AskingRow(Tables):
    """One time that a gap was asked."""

    __tablename__ = "gap_askings"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    gap_id: Mapped[str] = mapped_column(ForeignKey(GapRow.id), index=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    """Of the event or the agent's note: noted twice, counted once."""
    call_id: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcTime)
    words: Mapped[str] = mapped_column(Text)
    """Masked."""
    region: Mapped[str | None]
    note: Mapped[str] = mapped_column(Text)
    noted_by: Mapped[str | None]
    model: Mapped[str | None]
    """The model that made the vector."""
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)
    """32-bit floats as the model gave them; None where nobody made one yet."""

    __table_args__ = ({"sqlite_autoincrement": True},)
