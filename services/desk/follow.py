"""Reading the kept stream in order without leaving a mark on the bus: nothing to clean up after.

An ephemeral pull consumer without acknowledgements. nats-py's own ordered consumer cannot begin
at a time (after a reset it asks the server for a start time *and* a start sequence, which is
refused), so the few lines that keep the order stand here: when a message is missing, or the
consumer is gone, a new one goes on behind the last message that was read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from services.common import streams
from services.common.tasks import ended

BATCH = 256
IDLE_S = 5.0


class Follower:
    """Reads all kept messages on `subjects` from `since` on and hands each to `take`, in order.

    `caught_up` is set once everything that was there at the start has been read.
    """

    def __init__(
        self,
        js: JetStreamContext,
        subjects: Sequence[str],
        since: datetime,
        take: Callable[[Msg], Awaitable[None]],
        log: logging.Logger,
    ) -> None:
        self._js = js
        self._subjects = list(subjects)
        self._since = since
        self._take = take
        self._log = log
        self._last = 0
        self.caught_up = asyncio.Event()

    @asynccontextmanager
    async def running(self, failed: Callable[[str], None]) -> AsyncIterator[None]:
        """Follow in the background. `failed` hears a sentence where that stops by itself."""
        task = in_background(self._run(), failed)
        try:
            yield
        finally:
            await ended(task)

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except (nats.errors.Error, TimeoutError) as error:
                self._log.warning("reading calls again", extra={"error": type(error).__name__})
                await asyncio.sleep(0.5)

    async def _follow(self) -> None:
        """Read with one consumer until it is gone or misses a message."""
        stream = await self._js.stream_info(streams.CALLS)
        if stream.state.last_seq < self._last:
            self._last = 0  # another stream under the same name: its numbers begin anew
        info = await self._js.add_consumer(
            streams.CALLS,
            ConsumerConfig(
                filter_subjects=self._subjects,
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE
                if self._last
                else DeliverPolicy.BY_START_TIME,
                opt_start_seq=self._last + 1 if self._last else None,
                opt_start_time=None if self._last else self._since,
                ack_policy=AckPolicy.NONE,
                mem_storage=True,
                num_replicas=1,
                inactive_threshold=60.0,
            ),
        )
        assert info.name
        pending = info.num_pending or 0
        if not pending:
            self.caught_up.set()
        subscription = await self._js.pull_subscribe_bind(info.name, streams.CALLS)
        delivered = 0
        try:
            while True:
                try:
                    batch = await subscription.fetch(min(BATCH, max(1, pending)), timeout=IDLE_S)
                # nats-py raises either of the two for an empty pull, and now and then for one that
                # was cancelled while it was empty.
                except (nats.errors.TimeoutError, TimeoutError):
                    if (following := asyncio.current_task()) and following.cancelling():
                        raise asyncio.CancelledError from None
                    await self._js.consumer_info(streams.CALLS, info.name)  # is it still there?
                    continue
                for message in batch:
                    place = message.metadata
                    if place.sequence.consumer != delivered + 1:
                        return
                    delivered += 1
                    self._last = place.sequence.stream
                    pending = place.num_pending
                    await self._take(message)
                    if not pending:
                        self.caught_up.set()
        finally:
            with suppress(nats.errors.Error, TimeoutError):
                await subscription.unsubscribe()
                await self._js.delete_consumer(streams.CALLS, info.name)


def in_background(
    work: Coroutine[Any, Any, None], failed: Callable[[str], None]
) -> asyncio.Task[None]:
    """Run something that must never stop by itself; `failed` hears a sentence where it does."""
    task = asyncio.create_task(work)

    def stopped(_: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            failed(f"the desk lost its way ({type(error).__name__}): start it again")

    task.add_done_callback(stopped)
    return task
