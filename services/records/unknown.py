"""Messages on the kept subjects that are no event we know: set aside with the reason.

Services skip what they do not know, since a newer version may have said it; the one that keeps
everything is the one that says what it could not keep. This consumer reads headers alone, so that
the payloads of good events do not cross the bus a second time.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

from contracts import subjects
from contracts.events import KEPT
from services.common import streams
from services.common.bus import Bus

BATCH = 64
"""Messages looked at in one pull at most."""
WAIT_S = 2.0
"""How long a pull waits for the first, seconds."""


def unknown(subject: str) -> str | None:
    """Why a stored subject is none of ours; None where it is."""
    where = subjects.parse_stored(subject)
    if where is None:
        return "the subject does not follow banxi.v1.{site}.call.{call_id}.{event}"
    return None if where.event in KEPT else "unknown event name"


class UnknownNames:
    """Watches the kept subjects of a site."""

    def __init__(self, bus: Bus, log: logging.Logger) -> None:
        self._bus = bus
        self._log = log

    async def bind(self) -> JetStreamContext.PullSubscription:
        """Bind the durable consumer: what was looked at once is not looked at again."""
        durable = f"{self._bus.service}-unknown-{self._bus.site}"
        await self._bus.js.add_consumer(
            streams.CALLS,
            ConsumerConfig(
                durable_name=durable,
                filter_subject=subjects.stored_call(self._bus.site, "*"),
                ack_policy=AckPolicy.EXPLICIT,
                headers_only=True,
            ),
        )
        return await self._bus.js.pull_subscribe_bind(durable, streams.CALLS)

    async def watch(self, subscription: JetStreamContext.PullSubscription) -> None:
        """Look at what comes, until cancelled."""
        try:
            while True:
                try:
                    for message in await subscription.fetch(BATCH, timeout=WAIT_S):
                        await self._look(message)
                # nats-py raises either of the two for an empty pull, and now and then for one that
                # was cancelled while it was empty.
                except (nats.errors.TimeoutError, TimeoutError):
                    if (watching := asyncio.current_task()) and watching.cancelling():
                        return
                except nats.errors.Error as error:
                    self._log.warning("pull failed, trying again", extra={"error": repr(error)})
                    await asyncio.sleep(1)
        finally:
            # Else closing the connection waits half a minute for what the pull has left behind.
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def _look(self, message: Msg) -> None:
        if reason := unknown(message.subject):
            try:
                raw = await self._bus.js.get_msg(
                    streams.CALLS, seq=message.metadata.sequence.stream, direct=True
                )
            except NotFoundError:
                pass  # gone by age or by a purge
            else:
                await self._bus.dead_letter(message.subject, raw.data or b"", reason)
        await message.ack()
