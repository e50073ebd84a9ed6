"""Follows which agreed wordings stand, and does what pages ask about them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import nats.errors
from nats.aio.msg import Msg
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from contracts import subjects
from contracts.events import why
from contracts.news import News, WordingRead, WordingsChanged
from contracts.requests import (
    AnnounceWording,
    ListRegions,
    ListWordings,
    ReadWording,
    RegionsListed,
    WithdrawWording,
    WordingKept,
    WordingsListed,
)
from services.common.bus import Bus, RequestFailed
from services.common.tasks import ended
from services.desk.accounts import Account, Accounts
from services.desk.asked import Announce, Seen, Unannounce, WordingCommand
from services.desk.follow import in_background
from services.desk.pages import Pages
from services.desk.wordings import Wordings

N = TypeVar("N", bound=News)

ASK_EVERY_S = 30.0
"""News may be lost: so often it is asked what stands."""
RETRY_S = 2.0
LOOK_S = 0.5
"""So often it is looked whether one has ended, or the bus was away."""
SHOW_S = 0.2
"""At most so often the pages are told: many receipts come at a time."""
ANSWER_S = 4.0
STOP_S = 1.0


class Announcing:
    """Hears news of wordings, and asks: at the start, after the bus was away, now and then."""

    def __init__(self, bus: Bus, accounts: Accounts, pages: Pages, log: logging.Logger) -> None:
        self._bus = bus
        self._accounts = accounts
        self._pages = pages
        self._log = log
        self._held = Wordings()
        self._news = 0
        """How many news of what stands were heard."""
        self._ask = asyncio.Event()
        self._changed = asyncio.Event()
        self._stopping = False

    @asynccontextmanager
    async def running(self, failed: Callable[[str], None]) -> AsyncIterator[None]:
        """Follow in the background. `failed` hears a sentence where that stops by itself."""
        site, subscribe = self._bus.site, self._bus.client.subscribe
        changed = await subscribe(subjects.news(site, WordingsChanged.event), cb=self._hear_change)
        read = await subscribe(subjects.news(site, WordingRead.event), cb=self._hear_receipt)
        following = in_background(self._follow(), failed)
        showing = in_background(self._show(), failed)
        try:
            yield
        finally:
            # Let it end by itself: a connection to the database is not to be torn in two.
            self._stopping = True
            self._ask.set()
            await asyncio.wait([following], timeout=STOP_S)
            await ended(following, showing)
            for subscription in (changed, read):
                with suppress(nats.errors.Error):
                    await subscription.unsubscribe()

    async def do(self, account: Account, command: WordingCommand) -> None:
        """Do what a page asks; its role has been looked at. Raises RequestFailed."""
        match command:
            case Announce():
                asked = AnnounceWording(
                    title=command.title,
                    body=command.body,
                    topics=command.topics,
                    region=command.region,
                    until=command.until,
                    by=account.name,
                )
                await self._bus.request(asked, WordingKept, timeout_s=ANSWER_S)
            case Unannounce():
                taken_back = WithdrawWording(wording_id=command.wording, by=account.name)
                await self._bus.request(taken_back, WordingKept, timeout_s=ANSWER_S)
            case Seen():
                by = account.agent_id or account.name
                read = ReadWording(wording_id=command.wording, by=by)
                await self._bus.request(read, WordingKept, timeout_s=ANSWER_S)
        # The news of it come by themselves; this is for news that were lost.
        self._ask.set()

    async def _hear_change(self, message: Msg) -> None:
        news = await self._read(WordingsChanged, message)
        if news is not None:
            self._news += 1
            self._set(self._held.after_news(news))

    async def _hear_receipt(self, message: Msg) -> None:
        news = await self._read(WordingRead, message)
        if news is not None:
            self._set(self._held.after_receipt(news))

    async def _read(self, kind: type[N], message: Msg) -> N | None:
        try:
            return kind.model_validate_json(message.data)
        except ValidationError as error:
            await self._bus.dead_letter(message.subject, message.data, why(error))
            return None

    async def _follow(self) -> None:
        """Ask when it is time to, and let those that have ended go."""
        due, connections = 0.0, -1
        while not self._stopping:
            again = self._bus.client.stats["reconnects"]
            if self._ask.is_set() or again != connections or time.monotonic() >= due:
                self._ask.clear()
                connections = again
                answered = await self._ask_all()
                due = time.monotonic() + (ASK_EVERY_S if answered else RETRY_S)
            self._set(self._held.at(datetime.now(UTC)))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ask.wait(), LOOK_S)

    async def _ask_all(self) -> bool:
        """Who should read them, and what stands. Whether it is known now."""
        try:
            everybody = await self._accounts.all()
            agents = tuple(sorted(a.agent_id for a in everybody if a.agent_id))
            self._set(replace(self._held, agents=agents))
            regions = await self._bus.request(ListRegions(), RegionsListed, timeout_s=ANSWER_S)
            before = self._news
            listed = await self._bus.request(ListWordings(), WordingsListed, timeout_s=ANSWER_S)
        except (RequestFailed, nats.errors.Error, ValidationError, SQLAlchemyError) as error:
            if self._held.heard:
                self._log.warning(
                    "cannot see which wordings stand", extra={"error": type(error).__name__}
                )
            self._set(replace(self._held, heard=False))
            return False
        if self._news != before and listed.number < self._held.number:
            return False  # overtaken by news: ask again
        self._set(replace(self._held, regions=regions).after_list(listed))
        return True

    def _set(self, wordings: Wordings) -> None:
        if wordings != self._held:
            self._held = wordings
            self._changed.set()

    async def _show(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._pages.show_wordings(self._held)
            await asyncio.sleep(SHOW_S)
