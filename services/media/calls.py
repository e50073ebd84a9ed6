"""The calls that live now: who may begin one, join one, go on with one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

import nats.errors
from nats.js.errors import NotFoundError

from contracts import subjects
from contracts.door import Start
from services.common import streams
from services.common.bus import Bus
from services.media.live_call import LiveCall, Sender, in_use
from services.media.refusal import Refusal
from services.media.settings import MediaSettings
from services.media.vad import Ear

TICK_S = 0.1
LONGEST_TICK_MS = 200.0
"""A tick counts at most this: when this process was held up, its senders are not to blame."""
STOP_PATIENCE_S = 8.0


class Calls:
    """All live calls of this process. `start` and `stop` frame its life."""

    def __init__(self, bus: Bus, *, ear: Ear, settings: MediaSettings, log: logging.Logger) -> None:
        self._bus = bus
        self._ear = ear
        self._settings = settings
        self._log = log
        self._live: dict[str, LiveCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticker: asyncio.Task[None] | None = None
        self._admitting = asyncio.Lock()
        self._stopping = False
        self._past_frames = 0
        self.frames_dropped = 0
        """Frames of calls that failed."""

    def __len__(self) -> int:
        return len(self._live)

    @property
    def most_waiting(self) -> int:
        """Frames that wait in the call that is furthest behind."""
        return max((call.waiting for call in self._live.values()), default=0)

    def start(self) -> None:
        """Begin to let time pass."""
        self._ticker = asyncio.create_task(self._tick(), name="ticker")

    async def admit(self, start: Start, sender: Sender) -> tuple[LiveCall, int]:
        """Let a socket carry a call: a new one, or one that lives. Raises Refusal.

        Returns the call, and where the socket's audio begins, ms.
        """
        if start.site != self._bus.site:
            raise Refusal("wrong_site", "site: this door serves another site", "site")
        # One after the other: two sockets may bring the same new call at the same time.
        async with self._admitting:
            if self._stopping:
                raise Refusal("stopping", "the service is stopping: try again in a moment")
            call = self._live.get(start.call_id)
            if call is None:
                call = await self._new(start)
            return call, call.join(start, sender)

    async def stop(self) -> None:
        """The service stops: every live call ended as lost, and says so on the bus."""
        self._stopping = True
        if self._ticker:
            self._ticker.cancel()
        said = Refusal("stopping", "the service is stopping: the call is over")
        for call in self._live.values():
            call.lose("service stopped", said)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_PATIENCE_S)
            for task in late:
                task.cancel()

    def figures(self) -> dict[str, float]:
        """Current figures for `describe`."""
        return {
            "frames_in": float(self._past_frames + sum(c.frames for c in self._live.values())),
            "seconds_behind": max((call.behind_s for call in self._live.values()), default=0.0),
        }

    async def _new(self, start: Start) -> LiveCall:
        if start.resume:
            raise Refusal(
                "unknown_call",
                "no such call waits to be resumed: begin a new one with a new call id",
                "call_id",
            )
        if len(self._live) >= self._settings.max_calls:
            raise Refusal("full", f"this door carries {self._settings.max_calls} calls at most")
        if await self._was_kept(start):
            raise in_use()
        call = LiveCall(start, bus=self._bus, ear=self._ear, settings=self._settings, log=self._log)
        self._live[start.call_id] = call
        task = asyncio.create_task(self._live_through(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return call

    async def _live_through(self, call: LiveCall) -> None:
        self._log.info("call started", extra={"call": call.call_id})
        try:
            await call.run()
            self._log.info("call ended", extra={"call": call.call_id})
        finally:
            del self._live[call.call_id]
            self._past_frames += call.frames
            self.frames_dropped += call.dropped

    async def _was_kept(self, start: Start) -> bool:
        subject = subjects.stored_call(start.site, start.call_id, "started")
        try:
            await self._bus.js.get_last_msg(streams.CALLS, subject)
        except NotFoundError:
            return False
        except (nats.errors.Error, TimeoutError):
            raise Refusal("unavailable", "the bus does not answer: try again soon") from None
        return True

    async def _tick(self) -> None:
        last = time.monotonic()
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(TICK_S)
                now = time.monotonic()
                for call in list(self._live.values()):
                    call.tick(min((now - last) * 1000, LONGEST_TICK_MS))
                last = now
