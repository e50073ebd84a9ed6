"""Which agreed wordings stand, when the next one ends, and what may be announced. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from contracts.requests import AnnounceWording, Problem, Wording
from services.knowledge.entries.regions import RegionTree

MOST_STANDING = 12
"""More topics at a time than anybody keeps in mind; a list of them with its receipts also has to
fit one message."""


def standing(wordings: Iterable[Wording], now: datetime) -> tuple[Wording, ...]:
    """Those that stand at a moment, the newest first."""
    left = (wording for wording in wordings if wording.stands(now))
    return tuple(sorted(left, key=lambda w: (w.announced_at, w.wording_id), reverse=True))


def next_end(wordings: Iterable[Wording], now: datetime) -> datetime | None:
    """When the next of those that stand ends by itself; None where none does."""
    return min((w.until for w in wordings if w.until and w.stands(now)), default=None)


def tidied(asked: AnnounceWording) -> AnnounceWording:
    """The same without blanks that mean nothing: the title on one line, each topic once."""
    topics = (" ".join(topic.split()) for topic in asked.topics)
    return asked.model_copy(
        update={
            "title": " ".join(asked.title.split()),
            "body": "\n".join(line.rstrip() for line in asked.body.strip().splitlines()),
            "topics": tuple(dict.fromkeys(topic for topic in topics if topic)),
            "region": (asked.region or "").strip() or None,
            "by": asked.by.strip(),
        }
    )


def problem(
    asked: AnnounceWording, stand: Sequence[Wording], regions: RegionTree, now: datetime
) -> Problem | None:
    """Why a tidied wording cannot be announced beside those that stand; None where it can."""
    for field in ("title", "body", "by"):
        if not getattr(asked, field):
            return _invalid(field, f"{field} is empty")
    if asked.region is not None and asked.region not in regions:
        return _invalid("region", f"{asked.region} is not in the table of regions")
    if asked.until is not None and asked.until <= now:
        return _invalid("until", "the end must lie ahead")
    same = (asked.title, asked.body, asked.region)
    if any((w.title, w.body, w.region) == same for w in stand):
        return Problem(code="conflict", message="the same wording stands already", field="title")
    if len(stand) >= MOST_STANDING:
        message = f"{MOST_STANDING} wordings stand already: withdraw one first"
        return Problem(code="conflict", message=message)
    return None


def _invalid(field: str, message: str) -> Problem:
    return Problem(code="invalid", message=message, field=field)
