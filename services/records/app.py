"""What records hears (every kept event; who asks) and says (nothing but replies)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from contracts.requests import (
    AskCall,
    AskHistory,
    CountFeedback,
    FeedbackCounted,
    History,
    KeptCall,
    Problem,
)
from services.common.bus import Bus, RequestFailed
from services.common.failure import CannotStart, CannotStartYet
from services.common.service import Service
from services.common.settings import prepare_directory
from services.common.tasks import ended
from services.records.handler import RecordsHandler
from services.records.settings import Settings
from services.records.store import GROUP_MAX, Store
from services.records.tables import FILE, Unusable
from services.records.unknown import UnknownNames

COUNT_EVERY_S = 2.0
"""How often the figures are counted, seconds: a purge changes them from outside."""


def create_app(settings: Settings) -> Service:
    """The service, wired. Ends the process with a sentence where its directory is not writable."""
    service = Service("records", settings)
    figures = {"calls_kept": 0.0, "events_kept": 0.0}

    def trouble(sentence: str) -> None:
        service.ready, service.detail = not sentence, sentence

    store = Store(prepare_directory(settings.data_dir) / FILE, service.log, trouble)

    service.queues.add("writes", GROUP_MAX, lambda: store.waiting)

    async def history(asked: AskHistory) -> History:
        if not any(char.isdigit() for char in asked.caller_number):
            return History()  # a withheld number is nobody's
        since = datetime.now(UTC) - timedelta(days=asked.within_days)
        return History(calls=tuple(await store.history(asked.caller_number, since, asked.limit)))

    async def call(asked: AskCall) -> KeptCall:
        room = service.bus.client.max_payload * 3 // 4
        found = await store.call(asked.call_id, asked.skip, room)
        if found is None:
            raise RequestFailed(
                Problem(code="not_found", message="there is no record of this call")
            )
        return found

    async def feedback(asked: CountFeedback) -> FeedbackCounted:
        since = datetime.now(UTC) - timedelta(days=asked.within_days)
        return FeedbackCounted(rules=tuple(await store.feedback(since)))

    async def count() -> None:
        while True:
            with suppress(SQLAlchemyError):  # the writer says what is wrong
                figures["calls_kept"], figures["events_kept"] = await store.counts()
            await asyncio.sleep(COUNT_EVERY_S)

    @asynccontextmanager
    async def database(bus: Bus) -> AsyncIterator[None]:
        try:
            await store.open()
        except Unusable as error:
            why = CannotStartYet if error.passing else CannotStart
            raise why(str(error)) from None
        names = UnknownNames(bus, service.log)
        subscription = await names.bind()
        tasks = [
            asyncio.create_task(work)
            for work in (store.write(), count(), names.watch(subscription))
        ]
        for task in tasks:
            task.add_done_callback(stopped)
        try:
            yield
        finally:
            await ended(*tasks)
            await store.close()

    def stopped(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            service.fail(f"records stopped ({type(error).__name__}): start it again")

    service.figures_of = lambda: dict(figures)
    service.answers(AskHistory, history)
    service.answers(AskCall, call)
    service.answers(CountFeedback, feedback)
    service.follows_calls(RecordsHandler(store))
    service.lives_with(database)
    return service
