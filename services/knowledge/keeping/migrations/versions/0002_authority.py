"""Entries with drafts, decisions and deeds; what was there is carried over with its history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

AT_ONCE = 500
CONTENT = (
    ("question", sa.String, False),
    ("answer", sa.Text, False),
    ("department", sa.String, False),
    ("region", sa.String, False),
    ("similar", sa.Text, False),
    ("authorised", sa.Boolean, False),
    ("authorised_by", sa.String, True),
    ("authorised_at", sa.Date, True),
    ("valid_from", sa.Date, True),
    ("valid_to", sa.Date, True),
    ("version", sa.String, True),
    ("document", sa.String, True),
    ("liaison", sa.String, True),
    ("phone", sa.String, True),
    ("intake", sa.String(20), True),
    ("tags", sa.Text, False),
    ("confidential", sa.Boolean, False),
)


def upgrade() -> None:
    """Create the tables, carry the entries over, drop the old ones."""
    moment = sa.DateTime(timezone=True)
    heads = op.create_table(
        "entry_heads",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("newest", sa.Integer, nullable=False),
        sa.Column("current", sa.Integer),
        sa.Column("following", sa.Integer),
        sa.Column("draft", sa.Integer),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        sa.Column("decided_at", moment),
    )
    revisions = op.create_table(
        "entry_revisions",
        sa.Column("entry_id", sa.String, sa.ForeignKey("entry_heads.id"), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("counts", sa.Boolean, nullable=False),
        sa.Column("based_on", sa.Integer),
        sa.Column("drafted_by", sa.String, nullable=False),
        sa.Column("drafted_at", moment, nullable=False),
        sa.Column("decided_by", sa.String),
        sa.Column("takes_effect", sa.Date),
        sa.Column("superseded", sa.Date),
        *(sa.Column(name, kind, nullable=empty) for name, kind, empty in CONTENT),
    )
    deeds = op.create_table(
        "deeds",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("entry_id", sa.String, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deeds_entry_id", "deeds", ["entry_id"])
    op.create_table(
        "entry_feedback",
        sa.Column("event_id", sa.String, primary_key=True),
        sa.Column("entry_id", sa.String, nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("at", moment, nullable=False),
    )
    op.create_index("ix_entry_feedback_entry_id", "entry_feedback", ["entry_id"])
    op.create_table(
        "staged_rows",
        sa.Column("import_id", sa.String, primary_key=True),
        sa.Column("line", sa.Integer, primary_key=True),
        sa.Column("cells", sa.Text, nullable=False),
        sa.Column("staged_at", moment, nullable=False),
    )
    _carry_over(heads, revisions, deeds)
    op.drop_table("entry_versions")
    op.drop_table("entries")


def _carry_over(heads: sa.Table, revisions: sa.Table, deeds: sa.Table) -> None:
    """Every state an entry had becomes a revision that came by import, which it did."""
    bind = op.get_bind()
    last: dict[str, tuple[int, datetime]] = {}
    for row in bind.execute(
        sa.text("SELECT entry_id, max(revision), max(recorded_at) FROM entry_versions GROUP BY 1")
    ):
        last[row[0]] = (row[1], _moment(row[2]))
    for some in _some(iter(last.items())):
        bind.execute(
            heads.insert(),
            [
                {"id": id_, "newest": newest, "current": newest, "withdrawn": False,
                 "following": None, "draft": None, "decided_at": at}
                for id_, (newest, at) in some
            ],
        )  # fmt: skip
    versions = bind.execute(
        sa.text(
            "SELECT entry_id, revision, recorded_at, recorded_by, fields FROM entry_versions "
            "ORDER BY recorded_at, entry_id, revision"
        )
    ).all()
    for some in _some(iter(versions)):
        rows = [_revision(version, last) for version in some]
        bind.execute(revisions.insert(), rows)
        bind.execute(
            deeds.insert(),
            [
                {"entry_id": row["entry_id"], "revision": row["revision"], "act": "imported",
                 "by": row["drafted_by"], "at": row["drafted_at"], "reason": ""}
                for row in rows
            ],
        )  # fmt: skip


def _revision(version: Any, last: dict[str, tuple[int, datetime]]) -> dict[str, Any]:
    """A version as a row; `fields` is the entry as a row of a table."""
    id_, number, at, by, fields = version
    cells: dict[str, str] = json.loads(fields)
    authorised = cells["authorised"] == "yes"
    authorised_by = cells.get("authorised_by") or None
    similar = [part for part in cells.get("similar_questions", "").split(";") if part]
    return {
        "entry_id": id_,
        "revision": number,
        "state": "answer" if authorised else "transfer",
        "counts": number == last[id_][0],
        "based_on": number - 1 or None,
        "drafted_by": by,
        "drafted_at": _moment(at),
        "decided_by": authorised_by if authorised else by,
        "takes_effect": None,
        "superseded": None,
        **{name: cells[name] for name in ("question", "answer", "department", "region")},
        **{name: cells.get(name) or None for name in ("version", "document", "liaison", "phone")},
        **{
            name: date.fromisoformat(cells[name]) if cells.get(name) else None
            for name in ("authorised_at", "valid_from", "valid_to")
        },
        "similar": json.dumps(similar, ensure_ascii=False),
        "authorised": authorised,
        "authorised_by": authorised_by,
        "intake": None,
        "tags": "[]",
        "confidential": False,
    }


def _moment(value: datetime | str) -> datetime:
    """SQLite gives text, and no zone; what was written is UTC."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _some(items: Iterator[Any]) -> Iterator[list[Any]]:
    some: list[Any] = []
    for item in items:
        some.append(item)
        if len(some) == AT_ONCE:
            yield some
            some = []
    if some:
        yield some
