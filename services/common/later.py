"""Slow work that events of calls lead to (`Outcome.later`): done beside the calls, so many at a
time, each message acknowledged when what its work found has been published."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from contracts.base import Event
from services.common.in_hand import Taken

Say = Callable[[Sequence[Event], Taken | None], Awaitable[None]]
SetAside = Callable[[Taken, str], Awaitable[None]]


class Stopping(Exception):
    """The bus is away and the service stops: the message is left to the next process."""


class LaterWork:
    """Slow work in hand. `begin` waits while there is as much as `at_once`."""

    def __init__(self, say: Say, set_aside: SetAside, log: logging.Logger, at_once: int) -> None:
        self._say = say
        self._set_aside = set_aside
        self._log = log
        self._slots = asyncio.Semaphore(at_once)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def depth(self) -> int:
        """How much is in hand."""
        return len(self._tasks)

    async def begin(
        self,
        message: Taken,
        event: Event,
        work: Awaitable[Sequence[Event]],
        after: asyncio.Task[None] | None = None,
    ) -> asyncio.Task[None]:
        """Do `work`, which `message` led to; what it finds is published once `after` is through."""
        await self._slots.acquire()
        return self.add(self._finish(message, event, work, after))

    def add(self, doing: Awaitable[None]) -> asyncio.Task[None]:
        """Something else to be finished before the service stops."""
        task = asyncio.ensure_future(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self, timeout_s: float) -> None:
        """Wait for all that is in hand."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    async def _finish(
        self,
        message: Taken,
        event: Event,
        work: Awaitable[Sequence[Event]],
        after: asyncio.Task[None] | None,
    ) -> None:
        try:
            try:
                events = await work
                if after:
                    await asyncio.wait({after})
                await self._say(events, message)
            except Stopping:
                raise
            except Exception as error:
                # The boundary of the service: one call's slow work must not stop others.
                self._log.exception("later work failed", extra={"call": event.call_id})
                await self._set_aside(message, f"handler failed: {type(error).__name__}")
        except Stopping:
            return
        finally:
            self._slots.release()
        await message.ack()
