"""Whoever answers about the knowledge base: the running service, or the database itself."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, cast

import nats
import nats.errors
from nats.aio.client import Client

from contracts.card import Source
from contracts.requests import Describe, Description, Reply, Request, SearchKnowledge
from services.common.bus import Bus, RequestFailed
from services.common.failure import CannotStart
from services.common.logs import get_logger
from services.common.service import Service
from services.common.settings import prepare_directory
from services.knowledge.base import KnowledgeBase, open_base
from services.knowledge.directory.store import OfficeStore
from services.knowledge.entries.requests import EntryRequests
from services.knowledge.files.requests import ImportRequests
from services.knowledge.keeping.store import Store
from services.knowledge.requests import Requests
from services.knowledge.settings import Settings, database_place, region_tree

R = TypeVar("R", bound=Reply)
ASKING_S = 15.0


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Whoever answers."""

    where: str
    """Who it is, in words."""
    bus: Bus | None = None
    """The running service, reached by this; None where the database was opened here."""
    here: Answers | None = None
    """The answers given here; None where the service gives them."""
    base: KnowledgeBase | None = None
    """The base, where it was opened here with its index."""

    async def ask(self, request: Request, reply: type[R], *, timeout_s: float = ASKING_S) -> R:
        """Ask something. Raises RequestFailed."""
        if self.bus is not None:
            return await self.bus.request(request, reply, timeout_s=timeout_s)
        assert self.here is not None
        return cast(R, await self.here.given[type(request)](request))

    async def vectors_missing(self) -> int:
        """How many vectors of the base are still to be made."""
        if self.base is not None:
            return self.base.missing
        if self.bus is None:
            return 0
        said = await self.bus.request_of("knowledge", Describe(), Description, timeout_s=ASKING_S)
        return int(said.figures.get("vectors_missing", 0))


class Answers:
    """Takes down who answers what, as a `Service` does, for use without one."""

    def __init__(self) -> None:
        self.given: dict[type[Request], Callable[[Any], Awaitable[Reply]]] = {}

    def answers(
        self, request: type[Request], answer: Callable[[Any], Awaitable[Reply]], *, at_once: int = 1
    ) -> None:
        """`answer` is who answers."""
        self.given[request] = answer


@asynccontextmanager
async def reach_knowledge(
    settings: Settings, *, searching: bool = True, trying: bool = False
) -> AsyncIterator[Knowledge]:
    """The running service where it answers, else the base opened here. `searching`: with its index
    and the model, which takes some seconds; else its database alone. `trying`: where there is no
    base yet, none is made. Raises CannotStart."""
    async with AsyncExitStack() as stack:
        client = await _connect(settings)
        if client is not None:
            stack.push_async_callback(client.close)
            bus = Bus(client, site=settings.site, service="kb")
            if await _answers(bus):
                yield Knowledge("the running service", bus=bus)
                return
        place = database_place(settings)
        where = f"{_named(place)} (no running service answers)"
        regions = region_tree(settings.knowledge)
        here = Answers()
        if searching:
            # Imported here: it brings the model's libraries, which a running service makes
            # unnecessary.
            from tools.encoder import LocalEmbedder

            prepare_directory(settings.data_dir)
            embedder = await asyncio.to_thread(LocalEmbedder)
            base = await stack.enter_async_context(
                open_base(settings, regions, embedder, get_logger("kb"))
            )
            offices = OfficeStore(base.store.database)
            base.search_also(offices.entries)
            await base.refresh()

            def completed(source: Source, region: str | None) -> Source:
                own = settings.knowledge.region
                return offices.known.completed(source, region or own, regions)

            requests = Requests(date.today)
            requests.use(base, completed)
            here.answers(SearchKnowledge, requests.search)
            store, refresh = base.store, base.refresh
        else:
            base = None
            if isinstance(place, Path) and not place.exists():
                if not trying:
                    raise CannotStart(_nothing(place))
                place = Path(stack.enter_context(tempfile.TemporaryDirectory())) / place.name
            store, refresh = Store(place), _nothing_to_refresh
            await store.open()
            stack.push_async_callback(store.close)
        for room in (EntryRequests(regions, date.today), ImportRequests(regions, date.today)):
            room.use(store, refresh)
            room.answer_on(cast(Service, here))
        yield Knowledge(where, here=here, base=base)


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The database alone, also beside a running service. Raises CannotStart where there is none."""
    place = database_place(settings)
    if isinstance(place, Path) and not place.exists():
        raise CannotStart(_nothing(place))
    store = Store(place)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def _named(place: Path | str) -> str:
    return str(place.parent) if isinstance(place, Path) else "the database"


def _nothing(place: Path) -> str:
    return (
        f"there is no knowledge base in {place.parent} yet: `banxi kb import` makes one, "
        "or set BANXI_DATA_DIR to where it is"
    )


async def _nothing_to_refresh() -> None:
    """Nobody searches here."""


async def _connect(settings: Settings) -> Client | None:
    async def quiet(_: Exception) -> None:
        """That nobody is there is said by what follows from it."""

    token = settings.nats_token.get_secret_value() if settings.nats_token else None
    try:
        return await nats.connect(
            settings.nats_url,
            token=token,
            connect_timeout=2,
            allow_reconnect=False,
            # One more than none: 0 means for ever to nats-py.
            max_reconnect_attempts=1,
            reconnect_time_wait=0.1,
            error_cb=quiet,
        )
    except (nats.errors.Error, TimeoutError, OSError):
        return None


async def _answers(bus: Bus) -> bool:
    try:
        await bus.request_of("knowledge", Describe(), Description, timeout_s=5)
    except RequestFailed:
        return False
    return True
