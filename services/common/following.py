"""The calls a service follows: its handlers, their consumers, and the figures of both."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from services.common.bus import Bus
from services.common.calls import CallHandler
from services.common.consumer import MAX_LATER, CallConsumer
from services.common.figures import Figures
from services.common.queues import Queues


class Following:
    """Handlers that are fed with every call, in order."""

    def __init__(self, service: str, figures: Figures, queues: Queues) -> None:
        self._service = service
        self._figures = figures
        self._queues = queues
        self._registered = False
        self.handlers: list[tuple[CallHandler[Any], dict[str, Any]]] = []
        self.consumers: list[CallConsumer[Any]] = []
        self.lag = 0
        """Kept events not finished, over all partitions and replicas, when last looked at."""

    def add(self, handler: CallHandler[Any], options: dict[str, Any]) -> None:
        """A handler, and options of its consumer."""
        self.handlers.append((handler, options))
        if not self._registered:
            self._registered = True
            self._register()

    def _register(self) -> None:
        read = self._figures.read
        read("banxi_calls_live", "calls in hand", self._live_calls)
        self._queues.add("later_work", MAX_LATER, self._later_work)
        read(
            "banxi_partitions",
            "partitions of the kept stream this process follows, or would take over",
            lambda: {"held": len(self.held), "standby": self.standby},
            state=("held", "standby"),
        )
        read(
            "banxi_consumer_lag",
            "kept events this service has not finished, over all partitions and replicas",
            lambda: {self._service: self.lag},
            consumer=(self._service,),
        )

    async def start(
        self,
        bus: Bus,
        handler: CallHandler[Any],
        options: dict[str, Any],
        *,
        failed: Callable[[str], None],
        log: logging.Logger,
    ) -> CallConsumer[Any]:
        """Begin to feed a handler. `failed` hears a sentence where that cannot go on."""
        consumer = CallConsumer(bus, handler, log=log, failed=failed, **options)
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        self.consumers.append(consumer)
        return consumer

    @property
    def held(self) -> tuple[int, ...]:
        """The partitions that are followed here."""
        return tuple(sorted({number for consumer in self.consumers for number in consumer.held}))

    @property
    def standby(self) -> int:
        """How many would be taken over."""
        return sum(consumer.standby for consumer in self.consumers)

    def pull_again(self) -> None:
        """The connection is new."""
        for consumer in self.consumers:
            consumer.pull_again()

    def _live_calls(self) -> int:
        return sum(consumer.live_calls for consumer in self.consumers)

    def _later_work(self) -> int:
        return sum(consumer.later_work for consumer in self.consumers)
