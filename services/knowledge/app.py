"""What the knowledge service hears (calls, `search`, `import`) and says (cards, answers)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date

from contracts.requests import ImportKnowledge, SearchKnowledge
from services.common.bus import Bus
from services.common.service import Service
from services.common.settings import prepare_directory
from services.knowledge.base import open_base
from services.knowledge.finding.embedder import BusEmbedder
from services.knowledge.on_calls.handler import KnowledgeHandler
from services.knowledge.requests import Requests
from services.knowledge.sample import fill_empty
from services.knowledge.settings import Settings, region_tree


def create_app(settings: Settings, *, today: Callable[[], date] = date.today) -> Service:
    """The service, wired. `today`: the day that decides what is valid. Raises CannotStart where the
    table of regions has a mistake."""
    service = Service("knowledge", settings)
    regions = region_tree(settings.knowledge)
    prepare_directory(settings.data_dir)
    requests = Requests(today)

    @asynccontextmanager
    async def knowing(bus: Bus) -> AsyncIterator[None]:
        service.detail = "opening the knowledge base"
        async with open_base(settings, regions, BusEmbedder(bus), service.log) as base:
            await fill_empty(base, settings.knowledge, service.log)
            service.figures = lambda: {
                "entries": float(base.size),
                "vectors_missing": float(base.missing),
                "by_words_alone": float(base.by_words_alone),
            }
            service.lacking = lambda: _lacking(base.missing)
            assert base.indexing is not None
            base.indexing.add_done_callback(stopped)
            service.follows_calls(KnowledgeHandler(base, today))
            requests.base = base
            yield

    def stopped(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            service.fail(f"indexing stopped ({type(error).__name__}): start knowledge again")

    service.answers(SearchKnowledge, requests.search)
    service.answers(ImportKnowledge, requests.import_)
    service.lives_with(knowing)
    return service


def _lacking(vectors: int) -> str:
    return (
        f"indexing the base, {vectors} texts to go; searching by words until then"
        if vectors
        else ""
    )
