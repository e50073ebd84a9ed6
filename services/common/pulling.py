"""Pulling one partition of the kept stream: one message at a time, through reconnects.

A durable pull consumer a partition, site and service. What is pulled is handed on and waited for,
so that the messages of a partition are taken one after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from contracts import subjects
from services.common import streams
from services.common.bus import Bus

ACK_WAIT_S = 20.0
"""How long the server waits for an acknowledgement before it delivers again, seconds."""
FETCH_S = 20.0
"""How long a pull waits at the server for the next message, seconds."""


class PartitionPull:
    """Pulls one partition and hands each message to `take`, which acknowledges it."""

    def __init__(
        self,
        bus: Bus,
        partition: int,
        take: Callable[[int, Msg], Awaitable[None]],
        *,
        log: logging.Logger,
        deliver: DeliverPolicy,
    ) -> None:
        self._bus = bus
        self._partition = partition
        self._take = take
        self._log = log
        self._deliver = deliver
        self._fetching: asyncio.Future[list[Msg]] | None = None

    async def bind(self) -> JetStreamContext.PullSubscription:
        """Declare the durable consumer and bind to it."""
        return await self._bus.js.pull_subscribe_bind(await self._declare(), streams.CALLS)

    async def run(self, subscription: JetStreamContext.PullSubscription) -> None:
        """Pull until cancelled, or until the connection is closed for good."""
        try:
            while not self._bus.client.is_closed:
                for message in await self._fetch(subscription):
                    # Shielded: stopping must not cut a message in half.
                    work = asyncio.ensure_future(self._take(self._partition, message))
                    try:
                        await asyncio.shield(work)
                    except asyncio.CancelledError:
                        await asyncio.wait([work], timeout=10)
                        raise
        finally:
            # Else the server may hand a message to the pull that nobody waits for any more.
            with contextlib.suppress(nats.errors.Error):
                await subscription.unsubscribe()

    def again(self) -> None:
        """The connection is new: the server has forgotten what the old one was waiting for."""
        if self._fetching:
            self._fetching.cancel()

    async def _declare(self) -> str:
        """The durable consumer: where it is there already, nothing changes."""
        durable = f"{self._bus.service}-{self._bus.site}-{self._partition}"
        await self._bus.js.add_consumer(
            streams.CALLS,
            ConsumerConfig(
                durable_name=durable,
                filter_subject=subjects.stored_partition(self._bus.site, self._partition),
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ACK_WAIT_S,
                max_ack_pending=256,
                deliver_policy=self._deliver,
            ),
        )
        return durable

    async def _fetch(self, subscription: JetStreamContext.PullSubscription) -> list[Msg]:
        """The next message, or none after a while."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        # One at a time: nats-py waits for a batch to fill, which costs latency.
        fetching = asyncio.ensure_future(subscription.fetch(1, timeout=FETCH_S))
        self._fetching = fetching
        try:
            await asyncio.wait([fetching])
        finally:
            self._fetching = None
            fetching.cancel()
            await asyncio.wait([fetching])  # it has something to put away before we unsubscribe
        try:
            return fetching.result()
        except asyncio.CancelledError:  # by `again`
            return []
        # nats-py raises either of the two for an empty pull, and at once where nobody answers.
        except (nats.errors.TimeoutError, TimeoutError) as error:
            if loop.time() - begun > FETCH_S / 2:
                return []
            trouble: Exception = error
        except nats.errors.Error as error:
            trouble = error
        if not self._bus.client.is_closed:
            self._log.warning("pull failed, trying again", extra={"error": type(trouble).__name__})
            await asyncio.sleep(1)
            with contextlib.suppress(nats.errors.Error, TimeoutError):
                await self._declare()  # perhaps it is gone
        return []
