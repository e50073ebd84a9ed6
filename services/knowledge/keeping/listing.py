"""Entries as editors list them: filtered, counted, a page at a time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, get_args

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from contracts.requests import EntriesListed, EntryLine, Filter
from services.knowledge.keeping.database import Database
from services.knowledge.keeping.entry_tables import FeedbackRow, HeadRow, RevisionRow
from services.knowledge.keeping.feedback import count_feedback

SOON = timedelta(days=30)
"""An entry that ends within this time is expiring."""
FILTERS: tuple[Filter, ...] = get_args(Filter)

_shown = aliased(RevisionRow, name="shown")
_next = aliased(RevisionRow, name="next")
_draft = aliased(RevisionRow, name="waiting")


class Listing:
    """Lists entries as they stand on a day, which is how `authority.Life.standing` tells it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, *, show: Filter, text: str, today: date, skip: int = 0, limit: int = 50
    ) -> EntriesListed:
        """A page of them, and how many every filter would show. Raises DatabaseDown."""
        filters = _filters(today)
        found = _where(text)
        async with self._database.reading() as session:
            counted = (
                await session.execute(
                    _joined(
                        *(func.count(case((filters[name], 1))).label(name) for name in FILTERS),
                        today=today,
                    ).where(*found)
                )
            ).one()
            counts = dict(zip(FILTERS, counted, strict=True))
            lines = await session.execute(
                _joined(
                    HeadRow.id,
                    _shown.question,
                    _shown.department,
                    _shown.region,
                    _standing(today).label("standing"),
                    _draft.drafted_by,
                    _shown.valid_to,
                    _shown.authorised_by,
                    today=today,
                )
                .where(*found, filters[show])
                .order_by(*_order(show))
                .offset(skip)
                .limit(limit)
            )
            rows = lines.all()
            said = await count_feedback(session, [row[0] for row in rows])
        entries = tuple(
            EntryLine(
                entry_id=row[0],
                question=row[1],
                department=row[2],
                region=row[3],
                standing=row[4],
                drafted_by=row[5],
                valid_to=row[6],
                authorised_by=row[7],
                used=said[row[0]].used,
                wrong=said[row[0]].wrong,
                outdated=said[row[0]].outdated,
            )
            for row in rows
        )
        return EntriesListed(entries=entries, total=counts[show], counts=counts)


def _joined(*columns: Any, today: date) -> Select[Any]:
    """Each entry with what is shown of it: what counts, else what will, is drafted, or was last."""
    in_force = case((_next.takes_effect <= today, HeadRow.following), else_=HeadRow.current)
    shown = func.coalesce(in_force, HeadRow.following, HeadRow.draft, HeadRow.newest)
    return (
        select(*columns)
        .select_from(HeadRow)
        .outerjoin(_next, and_(_next.entry_id == HeadRow.id, _next.revision == HeadRow.following))
        .join(_shown, and_(_shown.entry_id == HeadRow.id, _shown.revision == shown))
        .outerjoin(_draft, and_(_draft.entry_id == HeadRow.id, _draft.revision == HeadRow.draft))
    )


def _standing(today: date) -> ColumnElement[Any]:
    to_come = _next.takes_effect > today
    return case(
        (
            and_(HeadRow.current.is_(None), _next.revision.is_(None)),
            case((HeadRow.withdrawn, "withdrawn"), else_="draft"),
        ),
        (and_(HeadRow.current.is_(None), to_come), "scheduled"),
        (_shown.valid_to < today, case((to_come, "scheduled"), else_="expired")),
        (_shown.valid_from > today, "scheduled"),
        (and_(_shown.authorised, ~_shown.confidential), "answer"),
        else_="transfer",
    )


def _filters(today: date) -> dict[Filter, ColumnElement[bool]]:
    standing = _standing(today)
    in_force = standing.in_(("answer", "transfer"))
    reported = (
        select(FeedbackRow.event_id)
        .where(
            FeedbackRow.entry_id == HeadRow.id,
            FeedbackRow.verdict.in_(("wrong", "outdated")),
            or_(HeadRow.decided_at.is_(None), FeedbackRow.at > HeadRow.decided_at),
        )
        .exists()
    )
    return {
        "all": HeadRow.id.is_not(None),
        "undecided": HeadRow.draft.is_not(None),
        "answer": standing == "answer",
        "transfer": standing == "transfer",
        "expiring": and_(in_force, _shown.valid_to <= today + SOON),
        "expired": standing == "expired",
        "withdrawn": standing == "withdrawn",
        "reported": reported,
    }


def _where(text: str) -> list[ColumnElement[bool]]:
    """Every word stands somewhere in what is shown, in what follows or in what is drafted."""
    return [
        or_(
            HeadRow.id.icontains(word, autoescape=True),
            *(
                column.icontains(word, autoescape=True)
                for row in (_shown, _next, _draft)
                for column in (row.question, row.answer, row.department, row.tags)
            ),
        )
        for word in text.split()
    ]


def _order(show: Filter) -> tuple[ColumnElement[Any], ...]:
    first: dict[Filter, ColumnElement[Any]] = {
        "undecided": _draft.drafted_at.expression,
        "expiring": _shown.valid_to.expression,
        "expired": _shown.valid_to.desc(),
    }
    own = (first[show],) if show in first else ()
    return (*own, HeadRow.id.expression)
