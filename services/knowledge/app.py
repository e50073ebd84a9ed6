"""What the knowledge service hears (calls, `search`, `import`) and says (cards, answers)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date

from contracts.card import Source
from contracts.news import BaseChanged
from contracts.requests import SearchKnowledge
from services.common.bus import Bus
from services.common.service import Service
from services.common.settings import prepare_directory
from services.knowledge.announced.requests import WordingRequests
from services.knowledge.announced.store import WordingStore
from services.knowledge.base import open_base
from services.knowledge.directory.requests import OfficeRequests
from services.knowledge.directory.sample import fill_empty_directory
from services.knowledge.directory.store import OfficeStore
from services.knowledge.editors import ForEditors
from services.knowledge.entries.region_requests import RegionRequests
from services.knowledge.entries.requests import EntryRequests
from services.knowledge.files.requests import ImportRequests
from services.knowledge.finding.background import read_background
from services.knowledge.finding.embedder import BusEmbedder
from services.knowledge.gaps.keeper import GapKeeper
from services.knowledge.gaps.meaning import Meaning
from services.knowledge.gaps.requests import GapRequests
from services.knowledge.keeping.feedback import Feedback
from services.knowledge.on_calls.following import following
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
    editing = EntryRequests(regions, today)
    importing = ImportRequests(regions, today)
    announcing = WordingRequests(regions)
    gaps = GapRequests()
    directory = OfficeRequests(regions)
    editing.drafted = gaps.drafted

    @asynccontextmanager
    async def knowing(bus: Bus) -> AsyncIterator[None]:
        service.detail = "opening the knowledge base"
        async with open_base(settings, regions, BusEmbedder(bus), service.log) as base:
            is_new = not await base.store.number()
            await fill_empty(base, settings.knowledge, service.log)
            offices = OfficeStore(base.store.database)
            if is_new:
                await fill_empty_directory(offices, settings.knowledge, regions, service.log)
            wordings = WordingStore(base.store.database)
            base.search_also(offices.entries)
            base.search_also(lambda: wordings.entries(regions))
            await base.refresh()
            service.figures = lambda: {
                "entries": float(base.size),
                "vectors_missing": float(base.missing),
                "by_words_alone": float(base.by_words_alone),
                "index_away": float(base.index_away),
            }
            service.lacking = base.lacking
            assert base.indexing is not None and base.following is not None
            base.indexing.add_done_callback(stopped("indexing"))
            base.following.add_done_callback(stopped("following the database"))

            def completed(source: Source, region: str | None) -> Source:
                own = settings.knowledge.region
                return offices.known.completed(source, region or own, regions)

            requests.use(base, completed)
            editing.use(base.store, base.refresh, base_changed)
            importing.use(base.store, base.refresh, lambda number, ids: base_changed(number, *ids))
            announcing.use(wordings, base.refresh)
            directory.use(offices, base.refresh)
            background = read_background()
            keeper = GapKeeper(
                base.store.database,
                base,
                Meaning(BusEmbedder(bus)),
                regions,
                settings.knowledge.region,
                today=today,
                log=service.log,
            )
            gaps.use(keeper)
            editors = ForEditors(keeper, Feedback(base.store.database))
            async with (
                announcing.telling(bus, service.log),
                keeper.running(),
                following(
                    *(bus, base, today, completed, service.log),
                    talk=background.talk,
                    editors=editors,
                ) as calls,
            ):
                service.follows_calls(calls.handler)
                figures = service.figures
                service.figures = lambda: figures() | calls.figures()
                yield

    async def base_changed(number: int, *entry_ids: str) -> None:
        named = entry_ids if len(entry_ids) <= 100 else ()
        news = BaseChanged(site=settings.site, revision=number, entry_ids=named)
        await service.bus.publish_news(news)

    def stopped(what: str) -> Callable[[asyncio.Task[None]], None]:
        def say(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()):
                service.fail(f"{what} stopped ({type(error).__name__}): start knowledge again")

        return say

    service.answers(SearchKnowledge, requests.search)
    editing.answer_on(service)
    importing.answer_on(service)
    announcing.answer_on(service)
    gaps.answer_on(service)
    directory.answer_on(service)
    RegionRequests(regions, settings.knowledge.region).answer_on(service)
    service.lives_with(knowing)
    return service
