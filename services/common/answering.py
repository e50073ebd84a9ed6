"""Requests of the bus: read, answered, counted by how they end."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from faststream.message import StreamMessage
from faststream.nats import NatsBroker
from faststream.nats.annotations import NatsMessage
from pydantic import ValidationError

from contracts import subjects
from contracts.events import why
from contracts.requests import Describe, Failure, Problem, Reply, Request
from services.common.bus import RequestFailed
from services.common.figures import Figures

Req = TypeVar("Req", bound=Request)
SetAside = Callable[[str, bytes, str], Awaitable[None]]
"""Takes what nobody can use: (its subject, its bytes, the reason)."""

OUTCOMES = ("ok", "invalid", "not_found", "conflict", "unavailable", "internal")
"""How requests end: `ok`, or the code of the Problem."""
REQUEST_SECONDS = (0.01, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)


class Answering:
    """The requests a service answers."""

    def __init__(
        self,
        service: str,
        site: str,
        broker: NatsBroker,
        *,
        figures: Figures,
        set_aside: SetAside,
        log: logging.Logger,
    ) -> None:
        self._service = service
        self._site = site
        self._broker = broker
        self._set_aside = set_aside
        self._log = log
        self._requests = figures.counter(
            "banxi_requests_total", "requests answered", verb=(), outcome=OUTCOMES
        )
        self._seconds = figures.histogram(
            "banxi_request_seconds", "time to answer a request", REQUEST_SECONDS, verb=()
        )

    def add(
        self, request: type[Req], answer: Callable[[Req], Awaitable[Reply]], at_once: int
    ) -> None:
        """Answer a request, `at_once` of them at a time."""
        verb = request.verb
        service = self._service if request is Describe else request.service
        subject = subjects.command(self._site, service, verb)
        self._requests.allow(verb=verb)
        self._seconds.allow(verb=verb)

        async def reply(raw: bytes) -> Reply | Failure:
            try:
                asked = request.model_validate_json(raw or b"{}")
            except ValidationError as error:
                reason = why(error)
                await self._set_aside(subject, raw, reason)
                return _failure("invalid", reason)
            try:
                return await answer(asked)
            except RequestFailed as failed:
                return Failure(error=failed.problem)
            except Exception as error:
                # A typed reply, whatever happens: else the asker waits for its timeout.
                self._log.exception("request failed", extra={"verb": verb})
                return _failure("internal", f"{type(error).__name__} in service {service}")

        async def handle(body: Any, message: NatsMessage) -> dict[str, Any]:
            with self._seconds.at(verb=verb).time():
                said = await reply(message.raw_message.data)
            outcome = said.error.code if isinstance(said, Failure) else "ok"
            self._requests.at(verb=verb, outcome=outcome).inc()
            return said.model_dump(mode="json")

        # Of several replicas one answers; what a process is and how it is, each says for itself.
        queue = "" if request is Describe else f"{service}-{verb}"
        self._broker.subscriber(subject, queue=queue, max_workers=at_once, decoder=_as_it_came)(
            handle
        )


async def _as_it_came(message: StreamMessage[Any]) -> bytes:
    """The body, for us to read: what FastStream cannot decode it drops without a reply."""
    return message.raw_message.data or b""


def _failure(code: str, message: str) -> Failure:
    return Failure(error=Problem(code=code, message=message))
