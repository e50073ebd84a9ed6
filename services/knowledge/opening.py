"""All that is kept, open together: the base, the directory of offices, the agreed wordings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial

from contracts.card import Source
from services.knowledge.announced.store import WordingStore
from services.knowledge.base import KnowledgeBase, Tell, open_base
from services.knowledge.directory.known import Completed
from services.knowledge.directory.sample import fill_empty_directory
from services.knowledge.directory.store import OfficeStore
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.embedder import Embedder
from services.knowledge.sample import fill_empty
from services.knowledge.settings import Settings


@dataclass(frozen=True, slots=True)
class Kept:
    """What is open."""

    base: KnowledgeBase
    offices: OfficeStore
    wordings: WordingStore
    completed: Completed

    def figures(self) -> dict[str, float]:
        """How much there is, and what is searched without."""
        return {
            "entries": float(self.base.size),
            "vectors_missing": float(self.base.missing),
            "by_words_alone": float(self.base.by_words_alone),
            "index_away": float(self.base.index_away),
        }


@asynccontextmanager
async def open_kept(
    settings: Settings,
    regions: RegionTree,
    embedder: Embedder,
    *,
    tell: Tell,
    failed: Callable[[str], None],
    today: Callable[[], date],
    log: logging.Logger,
) -> AsyncIterator[Kept]:
    """Open it, and fill it from the tables of the settings where nothing was ever kept. `tell`
    hears of every change once it is searched; `failed` a sentence where the base cannot go on.
    `today`: the day that decides what is valid. Raises CannotStart."""
    chosen = settings.knowledge
    async with open_base(settings, regions, embedder, log, today) as base:
        offices = OfficeStore(base.store.database)
        wordings = WordingStore(base.store.database)
        is_new = not await base.store.number()
        await fill_empty(base, chosen, log)
        if is_new:
            await fill_empty_directory(offices, chosen, regions, log)
        base.search_also(offices.entries)
        base.search_also(partial(wordings.entries, regions))
        base.tell = tell
        await base.refresh()
        for task, what in ((base.indexing, "indexing"), (base.following, "following the database")):
            assert task is not None
            task.add_done_callback(partial(_stopped, what, failed))

        def completed(source: Source, region: str | None) -> Source:
            return offices.known.completed(source, region or chosen.region, regions)

        yield Kept(base, offices, wordings, completed)


def _stopped(what: str, failed: Callable[[str], None], task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        failed(f"{what} stopped ({type(error).__name__}): start knowledge again")
