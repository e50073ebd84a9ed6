"""Requests to the knowledge service: search as an agent types it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from contracts.requests import (
    KnowledgeFound,
    KnowledgeHit,
    Problem,
    SearchKnowledge,
)
from services.common.bus import RequestFailed
from services.knowledge.base import KnowledgeBase
from services.knowledge.deciding.decide import Ruling


class Requests:
    """Answers from `base`, which is set when it is open. `today`: the day that decides what is
    valid."""

    def __init__(self, today: Callable[[], date]) -> None:
        self.base: KnowledgeBase | None = None
        self._today = today

    async def search(self, asked: SearchKnowledge) -> KnowledgeFound:
        """What the base may tell on a search. Raises RequestFailed."""
        base = self._open_base()
        if asked.region is not None and asked.region not in base.regions:
            raise _invalid("region", "this region is not in the table of regions")
        found = await base.search(asked.text, asked.region, self._today(), asked.limit)
        return KnowledgeFound(hits=tuple(_hit(ruling) for ruling in found))

    def _open_base(self) -> KnowledgeBase:
        if self.base is None:
            message = "the knowledge base is not open yet: ask again in a few seconds"
            raise RequestFailed(Problem(code="unavailable", message=message))
        return self.base


def _hit(ruling: Ruling) -> KnowledgeHit:
    return KnowledgeHit(
        entry_id=ruling.source.entry_id,
        kind=ruling.kind,
        score=round(min(1.0, ruling.score), 4),
        question=ruling.source.question,
        answer=ruling.answer,
        source=ruling.source.model_dump(mode="json"),
    )


def _invalid(field: str, message: str) -> RequestFailed:
    return RequestFailed(Problem(code="invalid", message=message, field=field))
