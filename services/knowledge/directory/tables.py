"""The table of offices."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from services.knowledge.keeping.tables import Tables, UtcTime, Words


class OfficeRow(Tables):
    """An office; columns as in `contracts.requests.Office`."""

    __tablename__ = "offices"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    aliases: Mapped[tuple[str, ...]] = mapped_column(Words)
    region: Mapped[str]
    phone: Mapped[str]
    address: Mapped[str]
    hours: Mapped[str]
    liaison: Mapped[str]
    liaison_phone: Mapped[str]
    updated_by: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
