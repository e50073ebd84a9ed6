"""The life of a service: start, say ready, answer requests, stop cleanly.

A service's `app.py` makes a `Service`, hangs its parts on it and returns it; `run` does the rest:

    service = Service("conduct", settings)
    service.answers(Score, give_score)          # a request of the bus
    service.follows_calls(ConductHandler(...))  # its calls, in order

and its `__main__.py` says `run(create_app, Settings)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import nats.errors
import psutil
from faststream.message import StreamMessage
from faststream.nats import NatsBroker
from faststream.nats.annotations import NatsMessage
from pydantic import ValidationError

from contracts import subjects
from contracts.events import why
from contracts.requests import Describe, Description, Failure, Model, Problem, Reply, Request
from services.common import streams
from services.common.bus import Bus, RequestFailed
from services.common.calls import CallHandler
from services.common.consumer import CallConsumer
from services.common.logs import get_logger, set_up_logs
from services.common.settings import HostedSettings, ServiceSettings, load
from services.common.version import VERSION

Req = TypeVar("Req", bound=Request)
Part = Callable[[Bus], AbstractAsyncContextManager[None]]


class CannotStart(RuntimeError):
    """The service cannot start. The message is one sentence that says what to do."""


class Service:
    """One process of the system: its requests, its calls, and the parts that live with it."""

    def __init__(self, name: str, settings: ServiceSettings) -> None:
        self.name = name
        self.settings = settings
        self.log: logging.Logger = get_logger(name)
        self.models: tuple[Model, ...] = ()
        self.figures: Callable[[], dict[str, float]] = dict
        self.lacking: Callable[[], str] = str
        """What it still lacks to do all its work, in words; empty where nothing. Meanwhile it does
        what it can, but does not count as ready."""
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
        self._handlers: list[tuple[CallHandler[Any], dict[str, Any]]] = []
        self._bus: Bus | None = None
        self._started = time.monotonic()
        self.consumers: list[CallConsumer[Any]] = []
        self.stopping = asyncio.Event()

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
        verb = request.verb
        service = self.name if request is Describe else request.service
        subject = subjects.command(self.settings.site, service, verb)

        async def handle(body: Any, message: NatsMessage) -> dict[str, Any]:
            raw = message.raw_message.data
            try:
                asked = request.model_validate_json(raw or b"{}")
            except ValidationError as error:
                reason = why(error)
                await self.bus.dead_letter(subject, raw, reason)
                return _failure("invalid", reason)
            try:
                return (await answer(asked)).model_dump(mode="json")
            except RequestFailed as failed:
                return Failure(error=failed.problem).model_dump(mode="json")
            except Exception as error:
                # A typed reply, whatever happens: else the asker waits for its timeout.
                self.log.exception("request failed", extra={"verb": verb})
                return _failure("internal", f"{type(error).__name__} in service {service}")

        self.broker.subscriber(
            subject, queue=f"{service}-{verb}", max_workers=at_once, decoder=_as_it_came
        )(handle)

    def follows_calls(self, handler: CallHandler[Any], **options: Any) -> None:
        """Feed a handler with every call, in order (`services.common.consumer.CallConsumer`)."""
        self._handlers.append((handler, options))

    def lives_with(self, part: Part) -> None:
        """A part with a beginning and an end: entered when the bus is there, left before it."""
        self._parts.append(part)

    def fail(self, sentence: str) -> None:
        """From a part: this service can no longer work; stop with that sentence."""
        self.detail = sentence
        self.ready = False
        self.failed = True
        self.stopping.set()

    async def _bus_error(self, error: Exception) -> None:
        """One line where nats-py would print a traceback for every try to reconnect."""
        self.log.warning("bus trouble", extra={"error": type(error).__name__})

    async def _bus_is_back(self) -> None:
        self.log.info("the bus is back")
        for consumer in self.consumers:
            consumer.pull_again()

    async def _describe(self, _: Describe) -> Description:
        rss = psutil.Process().memory_info().rss / 2**20
        calls = sum(consumer.live_calls for consumer in self.consumers)
        lacking = self.lacking()
        figures = {"calls": float(calls), "dead_letters": float(self.bus.dead_letters)}
        return Description(
            service=self.name,
            version=VERSION,
            pid=os.getpid(),
            ready=self.ready and not lacking,
            detail=self.detail or lacking,
            uptime_s=round(time.monotonic() - self._started, 1),
            rss_mb=round(rss, 1),
            models=self.models,
            figures=figures | self.figures(),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Service]:
        """The service from connected to stopped; for `run` and for tests."""
        self.answers(Describe, self._describe)
        async with AsyncExitStack() as stack:
            try:
                await asyncio.wait_for(self.broker.connect(), timeout=30)
            except (nats.errors.Error, TimeoutError, OSError) as error:
                raise CannotStart(
                    f"cannot reach NATS at {self.settings.nats_url} ({type(error).__name__}): "
                    "start it with `banxi up` or set BANXI_NATS_URL"
                ) from None
            stack.push_async_callback(self.broker.stop)
            self._bus = Bus(self.broker.connection, site=self.settings.site, service=self.name)
            try:
                await streams.wait_for_streams(self._bus.js)
            except streams.StreamsMissing as error:
                raise CannotStart(str(error)) from None
            except nats.errors.NoRespondersError:
                raise CannotStart(
                    "the NATS server has no JetStream: start it with -js, or run `banxi up`"
                ) from None
            await self.broker.start()
            await self._bus.heard()
            for part in self._parts:
                await stack.enter_async_context(part(self._bus))
            for handler, options in self._handlers:
                consumer = CallConsumer(
                    self._bus, handler, log=self.log, failed=self.fail, **options
                )
                await consumer.start()
                stack.push_async_callback(consumer.stop)
                self.consumers.append(consumer)
            self.up, self.ready, self.detail = True, True, ""
            self.log.info("ready")
            yield self
            self.ready = False


async def _as_it_came(message: StreamMessage[Any]) -> bytes:
    """The body, for us to read: what FastStream cannot decode it drops without a reply."""
    return message.raw_message.data or b""


def _failure(code: str, message: str) -> dict[str, Any]:
    return Failure(error=Problem(code=code, message=message)).model_dump(mode="json")


async def until_stopped(service: Service) -> str:
    """Run until told to stop, also while starting. Returns why it failed, else nothing."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, service.stopping.set)
    life = asyncio.create_task(_live(service))
    stop = asyncio.create_task(service.stopping.wait())
    await asyncio.wait({life, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not life.done() and not service.up and not service.failed:
        # Told to stop while still starting: nothing is in hand yet.
        life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await life
        return ""
    return await life


async def _live(service: Service) -> str:
    """From start to stop; returns why it failed, empty where it did not."""
    async with service.running():
        await service.stopping.wait()
        return service.detail if service.failed else ""


def run(create_app: Callable[[HostedSettings], Service], settings: type[HostedSettings]) -> None:
    """Read the settings, make the service, run it until SIGTERM or SIGINT.

    Exit code 2 with one sentence where a setting is wrong, 1 where the service cannot work.
    """
    loaded = load(settings)
    set_up_logs(loaded.log_level)
    try:
        service = create_app(loaded)
        failure = asyncio.run(until_stopped(service))
    except CannotStart as error:
        failure = str(error)
    log = get_logger("service")
    if failure:
        log.error(failure)
        sys.exit(1)
    log.info("stopped")
