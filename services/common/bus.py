"""Speaking on the bus: events, requests, dead letters."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NoStreamResponseError, ServerError, ServiceUnavailableError
from pydantic import ValidationError

from contracts import envelope, subjects
from contracts.audio import Frame
from contracts.base import Event
from contracts.news import News
from contracts.requests import Failure, Problem, Reply, Request
from services.common import streams

R = TypeVar("R", bound=Reply)
T = TypeVar("T")
Said = Callable[[Event, Mapping[str, str] | None], None]
"""Told an event, and the headers of the message it came from."""

LETTER_HEAD = 4096
"""Room for the headers of a dead letter, bytes; what does not fit beside them is cut off."""
RETRY_S = 0.5
QUIET_S = 0.5
"""How long further replicas may take to reply after the first, seconds."""
AWAY = (
    nats.errors.TimeoutError,
    TimeoutError,
    nats.errors.NoRespondersError,
    nats.errors.OutboundBufferLimitError,
    nats.errors.ConnectionReconnectingError,
    NoStreamResponseError,
    ServiceUnavailableError,
    ServerError,
    OSError,
)
"""What is raised while the server is away, starting or full: trying again will help."""


async def patiently(
    attempt: Callable[[], Awaitable[T]],
    log: logging.Logger,
    call_id: str | None = None,
    *,
    stopping: Callable[[], bool] = lambda: False,
) -> T:
    """Do something on the bus, again and again while the bus does not answer: deterministic ids
    make that harmless. Raises what was raised last where `stopping` says so."""
    for number in itertools.count():
        try:
            return await attempt()
        except AWAY as error:
            if stopping():
                raise
            if number % 20 == 0:
                extra = {"call": call_id} if call_id else {}
                extra["error"] = type(error).__name__
                log.warning("the bus does not answer, trying again", extra=extra)
            await asyncio.sleep(RETRY_S)
    raise AssertionError("counting never ends")


class RequestFailed(RuntimeError):
    """A request was answered with a failure, or not at all. `problem` says why, for people."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Bus:
    """One process's voice on the bus. Wraps a connected client; the owner closes that client."""

    def __init__(self, client: Client, *, site: str, service: str) -> None:
        self.client = client
        self.js: JetStreamContext = client.jetstream()
        self.site = site
        self.service = service
        self.dead_letters = 0
        self.said: Said | None = None
        """Told of every event that the stream took from us, but not of one it had already."""

    async def heard(self) -> None:
        """Return when the server knows all that was sent before, subscriptions too: it has
        answered something asked after them. (`flush()` of nats-py sends its PING ahead of what
        waits to be sent, and proves nothing.)"""
        await self.js.account_info()

    async def publish(self, event: Event, cause: Mapping[str, str] | None = None) -> bool:
        """Publish a kept event and wait until the server has stored it.

        Returns False where the server had it already (same deterministic id within 120 s).
        """
        now = datetime.now(UTC)
        ack = await self.js.publish(
            subjects.call(event),
            _stamped(event, now),
            stream=streams.CALLS,
            headers=cast(
                "dict[str, Any]",
                envelope.headers(event, source=self.service, wall_time=now, cause=cause),
            ),
        )
        if ack.duplicate:
            return False
        if self.said:
            self.said(event, cause)
        return True

    async def publish_live(self, event: Event) -> None:
        """Publish an event that may be lost."""
        now = datetime.now(UTC)
        await self.client.publish(
            subjects.live(event),
            _stamped(event, now),
            headers=envelope.headers(event, source=self.service, wall_time=now),
        )

    async def publish_news(self, news: News) -> None:
        """Publish news that belong to no call; they may be lost."""
        now = datetime.now(UTC)
        await self.client.publish(
            subjects.news(news.site, news.event),
            news.model_copy(update={"wall_time": now}).model_dump_json().encode(),
        )

    async def publish_frame(self, frame: Frame) -> None:
        """Publish audio and wait until the server has it."""
        await self.js.publish(
            subjects.audio(frame.site, frame.call_id, frame.role),
            frame.pcm,
            stream=streams.AUDIO,
            headers=cast("dict[str, Any]", frame.headers()),
        )

    async def request(self, request: Request, reply: type[R], *, timeout_s: float = 5.0) -> R:
        """Ask a service and wait for its typed reply. Raises RequestFailed with what to say."""
        return await self.request_of(type(request).service, request, reply, timeout_s=timeout_s)

    async def request_of(
        self, service: str, request: Request, reply: type[R], *, timeout_s: float = 5.0
    ) -> R:
        """As `request`, of a service named here: for `Describe`, which every service answers."""
        subject = subjects.command(self.site, service, type(request).verb)
        try:
            answer = await self.client.request(
                subject, request.model_dump_json().encode(), timeout=timeout_s
            )
        except nats.errors.NoRespondersError:
            raise _unavailable(service, "is not running") from None
        except (nats.errors.TimeoutError, TimeoutError):
            raise _unavailable(service, f"did not answer within {timeout_s:g} s") from None
        try:
            failure = Failure.model_validate_json(answer.data)
        except ValidationError:
            return reply.model_validate_json(answer.data)
        raise RequestFailed(failure.error)

    async def ask_every(
        self, services: Sequence[str], request: Request, reply: type[R], *, timeout_s: float = 3.0
    ) -> list[R]:
        """Ask every process of these services: where one has replicas, each of them replies.

        Returns when each service has replied and no more comes for a moment, or after `timeout_s`;
        services that do not run are absent.
        """
        found: list[R] = []
        missing = set(services)
        inbox = self.client.new_inbox()
        replies = await self.client.subscribe(f"{inbox}.*")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        try:
            for service in services:
                subject = subjects.command(self.site, service, type(request).verb)
                payload = request.model_dump_json().encode()
                await self.client.publish(subject, payload, reply=f"{inbox}.{service}")
            while (left := deadline - loop.time()) > 0:
                message = await replies.next_msg(left if missing else min(left, QUIET_S))
                missing.discard(message.subject.rpartition(".")[2])
                with contextlib.suppress(ValidationError):  # nobody there, or a failure
                    found.append(reply.model_validate_json(message.data))
        except (nats.errors.TimeoutError, TimeoutError):
            pass
        finally:
            await replies.unsubscribe()
        return found

    async def dead_letter(self, subject: str, payload: bytes, reason: str) -> None:
        """Keep aside a message that could not be used, with the reason."""
        self.dead_letters += 1
        digest = hashlib.sha256(subject.encode() + payload).hexdigest()[:32]
        await self.js.publish(
            subjects.dead(self.site, self.service),
            payload[: self.client.max_payload - LETTER_HEAD],
            stream=streams.DEAD,
            headers={
                "Nats-Msg-Id": f"{self.service}:{digest}",
                "Banxi-Reason": _ascii(reason)[:500],
                "Banxi-Subject": _ascii(subject),
                "Banxi-Service": self.service,
            },
        )


def _ascii(text: str) -> str:
    """A text as a header can hold it."""
    return json.dumps(text, ensure_ascii=True)[1:-1]


def _stamped(event: Event, now: datetime) -> bytes:
    return event.model_copy(update={"wall_time": now}).model_dump_json().encode()


def _unavailable(service: str, what: str) -> RequestFailed:
    return RequestFailed(Problem(code="unavailable", message=f"service {service} {what}"))
