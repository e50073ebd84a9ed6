"""Requests to the knowledge service: search as an agent types it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from contracts.card import Source
from contracts.requests import (
    KnowledgeFound,
    KnowledgeHit,
    Problem,
    SearchKnowledge,
)
from services.common.bus import RequestFailed
from services.knowledge.base import KnowledgeBase
from services.knowledge.deciding.decide import Ruling
from services.knowledge.directory.known import Completed


class Requests:
    """Answers from the base once it is open. `today`: the day that decides what is valid."""

    def __init__(self, today: Callable[[], date]) -> None:
        self._today = today
        self._open: tuple[KnowledgeBase, Completed] | None = None

    def use(self, base: KnowledgeBase, completed: Completed) -> None:
        """Answer from now on. `completed`: by the directory."""
        self._open = base, completed

    async def search(self, asked: SearchKnowledge) -> KnowledgeFound:
        """What the base may tell on a search. Raises RequestFailed."""
        base, completed = self._opened()
        if asked.region is not None and asked.region not in base.regions:
            raise _invalid("region", "this region is not in the table of regions")
        found = await base.search(asked.text, asked.region, self._today(), asked.limit)
        return KnowledgeFound(
            hits=tuple(_hit(ruling, completed(ruling.source, asked.region)) for ruling in found)
        )

    def _opened(self) -> tuple[KnowledgeBase, Completed]:
        if self._open is None:
            message = "the knowledge base is not open yet: ask again in a few seconds"
            raise RequestFailed(Problem(code="unavailable", message=message))
        return self._open


def _hit(ruling: Ruling, source: Source) -> KnowledgeHit:
    return KnowledgeHit(
        entry_id=source.entry_id,
        kind=ruling.kind,
        score=round(min(1.0, ruling.score), 4),
        question=source.question,
        answer=ruling.answer,
        source=source.model_dump(mode="json"),
    )


def _invalid(field: str, message: str) -> RequestFailed:
    return RequestFailed(Problem(code="invalid", message=message, field=field))
