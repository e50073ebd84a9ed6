"""Gaps with their askings, and the directory of offices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "gaps",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("first_at", moment, nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.Column("entry_id", sa.String),
        sa.Column("would_serve", sa.Integer, nullable=False),
        sa.Column("handled_by", sa.String),
        sa.Column("handled_at", moment),
        sa.Column("reason", sa.String, nullable=False),
    )
    op.create_index("ix_gaps_state", "gaps", ["state"])
    op.create_index("ix_gaps_entry_id", "gaps", ["entry_id"])
    op.create_table(
        "gap_askings",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("gap_id", sa.String, sa.ForeignKey("gaps.id"), nullable=False),
        sa.Column("event_id", sa.String, nullable=False, unique=True),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("region", sa.String),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("noted_by", sa.String),
        sa.Column("model", sa.String),
        sa.Column("vector", sa.LargeBinary),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_gap_askings_gap_id", "gap_askings", ["gap_id"])
    op.create_table(
        "offices",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("aliases", sa.Text, nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("phone", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("hours", sa.String, nullable=False),
        sa.Column("liaison", sa.String, nullable=False),
        sa.Column("liaison_phone", sa.String, nullable=False),
        sa.Column("updated_by", sa.String, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
    )
