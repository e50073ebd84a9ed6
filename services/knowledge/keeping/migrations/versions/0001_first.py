"""The tables of the first base: entries, and every state they had. May be there already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them where they are missing."""
    if sa.inspect(op.get_bind()).has_table("entries"):
        return
    op.create_table(
        "entries",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("question", sa.String, nullable=False),
        sa.Column("answer", sa.String, nullable=False),
        sa.Column("department", sa.String, nullable=False),
        sa.Column("region", sa.String, nullable=False),
        sa.Column("authorised", sa.Boolean, nullable=False),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_to", sa.Date),
        sa.Column("similar", sa.JSON, nullable=False),
        sa.Column("authorised_by", sa.String),
        sa.Column("authorised_at", sa.Date),
        sa.Column("version", sa.String),
        sa.Column("document", sa.String),
        sa.Column("liaison", sa.String),
        sa.Column("phone", sa.String),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "entry_versions",
        sa.Column("entry_id", sa.String, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("recorded_at", sa.DateTime, nullable=False),
        sa.Column("recorded_by", sa.String, nullable=False),
        sa.Column("fields", sa.String, nullable=False),
    )
