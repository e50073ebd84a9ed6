"""Listens to the audio of the bus, and keeps the last of it at hand."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import DeliverPolicy

from contracts import subjects
from contracts.audio import read_frame
from services.common import streams
from services.common.bus import Bus
from services.common.tasks import ended
from services.transcription.buffer import Channel, Memory, Sound

PATIENCE_S = 2.0
"""How long the end of a span is waited for: events and frames travel on different ways."""
MIND_S = 2.0
"""How often to see whether the stream is still the same, seconds."""
CATCH_UP_S = 30.0
"""How long, after a start, for the frames that are already in the stream."""


class Ears:
    """Feeds a memory from the audio stream; `on_frame` is told channel and extent of new sound."""

    def __init__(
        self, memory: Memory, on_frame: Callable[[Channel, int], None], log: logging.Logger
    ) -> None:
        self._memory = memory
        self._on_frame = on_frame
        self._log = log
        self._bus: Bus | None = None
        self._caught_up = asyncio.Event()
        self._over: deque[str] = deque(maxlen=1_000)
        self._arrived: dict[Channel, asyncio.Event] = {}

    @asynccontextmanager
    async def listening(self, bus: Bus) -> AsyncIterator[None]:
        """Subscribe from the oldest frame on: a restart still finds the open utterances."""
        self._bus = bus
        created = (await bus.js.stream_info(streams.AUDIO)).created
        subscription = await self._subscribe(bus)
        if (await subscription.consumer_info()).num_pending == 0:
            self._caught_up.set()
        minding = asyncio.create_task(self._mind(bus, subscription, created))
        try:
            yield
        finally:
            await ended(minding)

    async def _subscribe(self, bus: Bus) -> JetStreamContext.PushSubscription:
        return await bus.js.subscribe(
            subjects.audio_filter(bus.site),
            cb=self._on_message,
            stream=streams.AUDIO,
            ordered_consumer=True,
            deliver_policy=DeliverPolicy.ALL,
        )

    async def _mind(
        self,
        bus: Bus,
        subscription: JetStreamContext.PushSubscription,
        created: datetime | None,
    ) -> None:
        """The stream is in memory: after a restart of the server it is another one, whose numbers
        begin anew, and the old subscription would wait for numbers that are far away."""
        try:
            while True:
                await asyncio.sleep(MIND_S)
                with contextlib.suppress(nats.errors.Error, TimeoutError):
                    now = (await bus.js.stream_info(streams.AUDIO)).created
                    if now != created:
                        fresh = await self._subscribe(bus)
                        await subscription.unsubscribe()
                        subscription, created = fresh, now
                        self._log.info("listening to a new audio stream")
        finally:
            with contextlib.suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def span(self, channel: Channel, from_ms: int, to_ms: int) -> Sound | None:
        """The sound of a span, waiting a little for its end; None where none of it is there."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP_S):
                await self._caught_up.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while self._memory.end_ms(channel) < to_ms and channel.call_id not in self._over:
                    arrived = self._arrived.setdefault(channel, asyncio.Event())
                    await arrived.wait()
        return self._memory.span(channel, from_ms, to_ms)

    def over(self, call_id: str) -> None:
        """The call ended: no more sound will come."""
        self._over.append(call_id)
        for channel in [waited for waited in self._arrived if waited.call_id == call_id]:
            self._arrived.pop(channel).set()

    def forget(self, call_id: str) -> None:
        """Nobody asks for the sound of this call any more."""
        self._memory.forget(call_id)

    async def _on_message(self, message: Msg) -> None:
        assert self._bus is not None
        where = subjects.parse_audio(message.subject)
        try:
            if where is None:
                raise ValueError("frame: the subject names no call and role")
            frame = read_frame(where.site, where.call_id, where.role, message.headers, message.data)
        except ValueError as error:
            await self._bus.dead_letter(message.subject, message.data, str(error))
        else:
            channel = Channel(frame.call_id, frame.role)
            self._memory.add(channel, frame.start_ms, frame.rate, frame.pcm, time.monotonic())
            if arrived := self._arrived.pop(channel, None):
                arrived.set()
            self._on_frame(channel, self._memory.end_ms(channel))
        if message.metadata.num_pending == 0:
            self._caught_up.set()
