"""The life of a service: start, say ready, answer requests, stop cleanly.

A service's `app.py` makes a `Service`, hangs its parts on it and returns it; `run` does the rest:

    service = Service("conduct", settings)
    service.answers(Score, give_score)          # a request of the bus
    service.follows_calls(ConductHandler(...))  # its calls, in order

and its `__main__.py` says `run(create_app, Settings)` (`services.common.process`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import nats.errors
import psutil
from faststream.nats import NatsBroker

from contracts.base import Event
from contracts.requests import Describe, Description, Model, Reply, Request
from services.common import health, waiting
from services.common.answering import Answering
from services.common.bus import Bus, patiently
from services.common.calls import CallHandler
from services.common.consumer import CallConsumer
from services.common.failure import CannotStart
from services.common.figures import Figures
from services.common.following import Following
from services.common.logs import get_logger
from services.common.queues import Queues
from services.common.settings import ServiceSettings
from services.common.tasks import ended
from services.common.version import VERSION

Req = TypeVar("Req", bound=Request)
T = TypeVar("T")
E = TypeVar("E", bound=Event)
Cause = Mapping[str, str] | None
Part = Callable[[Bus], AbstractAsyncContextManager[None]]


TRY_AGAIN_S = 2.0
"""How long a service that cannot start yet waits before it tries again, seconds."""
SAY_AGAIN_S = 30.0
"""It says why again in the log after so long, seconds."""
LOOK_S = 5.0
"""How often the streams and the lag are looked at, seconds."""


class Service:
    """One process of the system: its requests, its calls, and the parts that live with it."""

    def __init__(self, name: str, settings: ServiceSettings) -> None:
        self.name = name
        self.settings = settings
        self.log: logging.Logger = get_logger(name)
        self.models: tuple[Model, ...] = ()
        self.figures = Figures(name)
        self.queues = Queues(self.figures)
        self.figures_of: Callable[[], Mapping[str, float]] = dict
        """Levels of this service alone, by short names of the code (`Figures.read_all`)."""
        self.lacking: Callable[[], str] = str
        """What it still lacks to do all its work, in words; empty where nothing. Meanwhile it is
        ready, for what it can do; its detail says what is lacking."""
        self.ready = False
        self.up = False
        """Whether it was ready once: from then on it stops in good order and is not cut off."""
        self.failed = False
        self.detail = "starting"
        token = settings.nats_token.get_secret_value() if settings.nats_token else None
        self.broker = NatsBroker(
            settings.nats_url,
            token=token,
            name=f"banxi-{name}",
            logger=None,
            error_cb=self._bus_error,
            reconnected_cb=self._bus_is_back,
            connect_timeout=5,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            graceful_timeout=15.0,
        )
        self._parts: list[Part] = []
        self._notes: list[tuple[type[Event], Callable[[Any, Cause], None]]] = []
        self._bus: Bus | None = None
        self._started = time.monotonic()
        self._bus_said: Exception | None = None
        """What the connection complained of last."""
        self._streams_said = self._waiting_for = ""
        self._said_at = 0.0
        self.stopping = asyncio.Event()
        self._following = Following(name, self.figures, self.queues)
        self._answering = Answering(
            *(name, settings.site, self.broker),
            figures=self.figures,
            set_aside=self._set_aside,
            log=self.log,
        )
        self._register_figures()

    def _register_figures(self) -> None:
        figures = self.figures
        figures.read(
            "banxi_ready", "1 where the service serves what it can", lambda: self.readiness().ready
        )
        figures.read(
            "banxi_lacking",
            "1 where the service is ready and does a part of its work only",
            lambda: bool(self.ready and self.lacking()),
        )
        figures.read(
            "banxi_dead_letters_total",
            "messages nobody could use, set aside with the reason",
            lambda: self._bus.dead_letters if self._bus else 0,
        )
        figures.read_all(lambda: self.figures_of())

    @property
    def bus(self) -> Bus:
        """The bus; there from the moment the service is connected."""
        if self._bus is None:
            raise RuntimeError("the service is not connected yet")
        return self._bus

    def answers(
        self,
        request: type[Req],
        answer: Callable[[Req], Awaitable[Reply]],
        *,
        at_once: int = 1,
    ) -> None:
        """Answer a request of the bus, `at_once` of them at a time. What `answer` raises as
        RequestFailed becomes the reply; a request that is no contract gets a clear failure, and
        stands in the dead letters."""
        self._answering.add(request, answer, at_once)

    def follows_calls(self, handler: CallHandler[Any], **options: Any) -> None:
        """Feed a handler with every call, in order (`services.common.consumer.CallConsumer`)."""
        self._following.add(handler, options)

    @property
    def consumers(self) -> Sequence[CallConsumer[Any]]:
        """Those that feed its handlers now."""
        return self._following.consumers

    def when_said(self, kind: type[E], note: Callable[[E, Cause], None]) -> None:
        """Have `note` told of each event of a kind that this service says, once the stream has
        taken it for the first time, with the headers of the message that led to it. For figures:
        it must not raise."""
        self._notes.append((kind, note))

    def _said(self, event: Event, cause: Cause) -> None:
        for kind, note in self._notes:
            if isinstance(event, kind):
                note(event, cause)

    async def _set_aside(self, subject: str, raw: bytes, reason: str) -> None:
        await self.bus.dead_letter(subject, raw, reason)

    def lives_with(self, part: Part) -> None:
        """A part with a beginning and an end: entered when the bus is there, left before it."""
        self._parts.append(part)

    def fail(self, sentence: str) -> None:
        """From a part: this service can no longer work; stop with that sentence."""
        self.detail = sentence
        self.ready = False
        self.failed = True
        self.stopping.set()

    def readiness(self) -> health.Readiness:
        """Whether it serves what it safely can, and what is missing."""
        held, standby = len(self._following.held), self._following.standby
        trouble = self._bus_trouble() if self.ready else ""
        detail = trouble or (self.lacking() if self.ready else "") or self.detail
        return health.Readiness(self.ready and not trouble, detail, held=held, standby=standby)

    def _bus_trouble(self) -> str:
        if not self.bus.client.is_connected:
            return "the connection to NATS is lost; trying again"
        return self._streams_said

    async def _bus_error(self, error: Exception) -> None:
        """One line where nats-py would print a traceback for every try to reconnect."""
        new = type(error) is not type(self._bus_said)
        self._bus_said = error
        if self._bus and new:
            self.log.warning("bus trouble", extra={"error": type(error).__name__})

    async def _bus_is_back(self) -> None:
        self.log.info("the bus is back")
        self._bus_said = None
        self._following.pull_again()

    async def _describe(self, _: Describe) -> Description:
        rss = psutil.Process().memory_info().rss / 2**20
        now = self.readiness()
        return Description(
            service=self.name,
            version=VERSION,
            instance=socket.gethostname(),
            pid=os.getpid(),
            ready=now.ready,
            detail=now.detail,
            uptime_s=round(time.monotonic() - self._started, 1),
            rss_mb=round(rss, 1),
            models=self.models,
            partitions=self._following.held,
            figures=self.figures.now(),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Service]:
        """The service from its start to its end; for `run` and for tests. Where waiting may help it
        waits: for NATS, for the streams, for what a part needs."""
        self.answers(Describe, self._describe)
        async with AsyncExitStack() as stack:
            if port := self.settings.health_port:
                host, figures = self.settings.health_host, self.figures
                listening = health.listening(host, port, self.readiness, figures, self.fail)
                await stack.enter_async_context(listening)
            await self._connect()
            bus = Bus(self.broker.connection, site=self.settings.site, service=self.name)
            bus.said = self._said
            self._bus = bus
            stack.push_async_callback(self._leave)
            while trouble := await waiting.stream_trouble(bus.js):
                self._waits(trouble)
                await asyncio.sleep(TRY_AGAIN_S)
            await self.broker.start()
            await patiently(bus.heard, self.log)
            for part in self._parts:
                await self._once_it_goes(partial(_enter, stack, part, bus))
            follow = partial(self._following.start, bus, failed=self.fail, log=self.log)
            for handler, options in self._following.handlers:
                consumer = await self._once_it_goes(partial(follow, handler, options))
                stack.push_async_callback(consumer.stop)
            await stack.enter_async_context(self._looking(bus))
            self.up, self.ready, self.detail = True, True, ""
            self.log.info("ready")
            yield self
            self.ready = False
            self.detail = self.detail or "stopping"

    async def _connect(self) -> None:
        """Connect to NATS, however long that takes. Raises CannotStart where it never will."""
        address = self.settings.nats_url
        while True:
            connecting = asyncio.ensure_future(self.broker.connect())
            try:
                while not (await asyncio.wait({connecting}, timeout=TRY_AGAIN_S))[0]:
                    self._waits(waiting.unreachable(address, self._bus_said))
                await connecting
                return
            except (nats.errors.Error, OSError) as error:
                # nats-py tries for ever by itself, except where the server refuses us.
                trouble = waiting.unreachable(address, error)
            except ValueError as error:
                raise CannotStart(waiting.unreachable(address, error)) from None
            finally:
                await ended(connecting)
            self._waits(trouble)
            await asyncio.sleep(TRY_AGAIN_S)

    async def _leave(self) -> None:
        """Stop listening; what is in hand is finished first."""
        client = self.bus.client
        try:
            await self.broker.stop()
        except nats.errors.Error:
            # The bus is away: nothing can be said to it any more.
            with contextlib.suppress(OSError):
                await client.close()

    async def _once_it_goes(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Do something for the start, again and again where waiting may help."""
        while True:
            handlers = len(self._following.handlers)
            try:
                return await attempt()
            except Exception as error:
                sentence = waiting.not_yet(error)
                if not sentence:
                    raise
            del self._following.handlers[handlers:]  # those of the part that did not go
            self._waits(sentence)
            await asyncio.sleep(TRY_AGAIN_S)

    def _waits(self, sentence: str) -> None:
        """Say what is waited for: at once, and again after a while."""
        if self.failed:
            raise CannotStart(self.detail)
        if self.stopping.is_set():
            raise asyncio.CancelledError  # what asks the server swallowed the one we got
        now = time.monotonic()
        if sentence != self._waiting_for or now - self._said_at > SAY_AGAIN_S:
            self.log.warning("waiting: %s", sentence)
            self._waiting_for, self._said_at = sentence, now
        self.detail = sentence

    @asynccontextmanager
    async def _looking(self, bus: Bus) -> AsyncIterator[None]:
        """While entered, look again and again whether the streams are still ours, and how far
        this service is behind."""

        async def look() -> None:
            while True:
                trouble = await waiting.stream_trouble(bus.js)
                if trouble and trouble != self._streams_said:
                    self.log.warning(trouble)
                self._streams_said = trouble
                if self._following.handlers and not trouble:
                    self._following.lag = await waiting.consumer_lag(bus)
                await asyncio.sleep(LOOK_S)

        task = asyncio.create_task(look(), name="looking")
        try:
            yield
        finally:
            await ended(task)


async def _enter(stack: AsyncExitStack, part: Part, bus: Bus) -> None:
    await stack.enter_async_context(part(bus))
