"""Agreed wordings (统一口径), and who has read them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create their tables."""
    op.create_table(
        "wordings",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("topics", sa.Text, nullable=False),
        sa.Column("region", sa.String),
        sa.Column("announced_by", sa.String, nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("withdrawn_by", sa.String),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.Column("ended", sa.Boolean, nullable=False),
    )
    op.create_table(
        "wording_receipts",
        sa.Column(
            "wording_id",
            sa.String(64),
            sa.ForeignKey("wordings.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("reader", sa.String(64), primary_key=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
    )
