"""Tables of agreed wordings and of who has read them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from services.knowledge.keeping.tables import Tables, UtcTime, Words


class WordingRow(Tables):
    """An agreed wording; columns as in `Wording`. Kept when it no longer stands."""

    __tablename__ = "wordings"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str]
    body: Mapped[str]
    topics: Mapped[tuple[str, ...]] = mapped_column(Words)
    region: Mapped[str | None]
    announced_by: Mapped[str]
    announced_at: Mapped[datetime] = mapped_column(UtcTime)
    until: Mapped[datetime | None] = mapped_column(UtcTime)
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended: Mapped[bool]
    """Whether its end is among the deeds: by withdrawal, or by its time."""


class ReceiptRow(Tables):
    """Somebody has read a wording."""

    __tablename__ = "wording_receipts"

    wording_id: Mapped[str] = mapped_column(
        String(64), ForeignKey("wordings.id", ondelete="CASCADE"), primary_key=True
    )
    reader: Mapped[str] = mapped_column(String(64), primary_key=True)
    """工号."""
    read_at: Mapped[datetime] = mapped_column(UtcTime)
