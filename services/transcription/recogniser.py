"""The recogniser at work: sound in, words out, models on threads of their own."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from contracts.base import ROLES
from services.common.tasks import ended
from services.transcription.buffer import Channel, Memory, Samples, Sound
from services.transcription.engine import Engine, Heard, Load, Session
from services.transcription.schedule import FinalWork, PartialWork, Schedule

HOLD_BACK_MS = 700
"""Partials stay this far behind the newest sound: by then voice activity has said whether the
utterance is over, so that a session is rarely fed beyond the end of its utterance."""

OnPartial = Callable[[Channel, int, int, str], Awaitable[None]]
"""Told channel, start of the utterance and up to where it was heard (ms), and the words."""

OnFinal = Callable[[float], None]
"""Told of each final how long it took since the end of its speech was heard, seconds."""


@dataclass(slots=True)
class _Fed:
    """A session in the making, and how far it was fed."""

    session: Session
    fed_ms: int


@dataclass(slots=True)
class _Asked:
    """A final somebody waits for."""

    sound: Sound
    answer: asyncio.Future[Heard]


class Recogniser:
    """Decodes utterances by one engine. Called from the event loop; lives while `running`."""

    def __init__(
        self,
        load: Load,
        memory: Memory,
        *,
        workers: int,
        partials: bool,
        log: logging.Logger,
    ) -> None:
        self._load = load
        self._memory = memory
        self._workers = workers
        self._partials = partials
        self.on_partial: OnPartial | None = None
        """Set before `running`, where partials are wanted."""
        self.on_final: OnFinal | None = None
        """Set before `running` by whoever measures."""
        self._log = log
        self._engine: Engine | None = None
        self._schedule = Schedule(every_ms=2_000)
        self._fed: dict[tuple[Channel, int], _Fed] = {}
        self._asked: dict[int, _Asked] = {}
        self._tickets = itertools.count()
        self._work_there = asyncio.Event()
        self.partials_made = 0

    @property
    def engine(self) -> Engine:
        """The engine; there while running."""
        assert self._engine is not None
        return self._engine

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the engine, start the workers; stop them at the end. Raises CannotStart."""
        threads = ThreadPoolExecutor(self._workers, thread_name_prefix="asr")
        workers: list[asyncio.Task[None]] = []
        try:
            loop = asyncio.get_running_loop()
            self._engine = await loop.run_in_executor(threads, self._load)
            self._schedule = Schedule(every_ms=self._engine.partial_every_ms)
            workers += [asyncio.create_task(self._worker(threads)) for _ in range(self._workers)]
            yield
        finally:
            await ended(*workers)
            for asked in self._asked.values():
                asked.answer.cancel()
            await asyncio.to_thread(threads.shutdown)

    def opened(self, channel: Channel, at_ms: int, from_ms: int) -> None:
        """An utterance began at `at_ms`; its sound counts from `from_ms`. May be told again."""
        if self._partials:
            self._schedule.opened(channel, at_ms, from_ms)

    def closed(self, channel: Channel) -> None:
        """The utterance is over: no partials of it from now on."""
        self._schedule.closed(channel)

    def heard(self, channel: Channel, until_ms: int) -> None:
        """There is new sound of a channel in the memory."""
        self._schedule.heard(channel, until_ms - HOLD_BACK_MS)
        self._work_there.set()

    async def final(self, channel: Channel, sound: Sound, spoken_until_ms: int) -> Heard:
        """The words of a finished utterance. Waits its turn behind earlier finals."""
        ticket = next(self._tickets)
        asked = self._asked[ticket] = _Asked(sound, asyncio.get_running_loop().create_future())
        arrived = self._memory.heard_at(channel, spoken_until_ms)
        self._schedule.final_due(channel, ticket)
        self._work_there.set()
        try:
            heard = await asked.answer
        finally:
            del self._asked[ticket]
        if arrived is not None and self.on_final:
            self.on_final(time.monotonic() - arrived)
        return heard

    def forget(self, call_id: str) -> None:
        """A call is over for good."""
        for role in ROLES:
            self._schedule.closed(Channel(call_id, role))
        for utterance in [held for held in self._fed if held[0].call_id == call_id]:
            del self._fed[utterance]

    @property
    def finals_waiting(self) -> int:
        """Finals no worker has taken yet."""
        return self._schedule.finals_waiting

    @property
    def partials_waiting(self) -> int:
        """Channels that wait for a partial."""
        return self._schedule.partials_waiting

    @property
    def partials_dropped(self) -> int:
        """Partials that fell due while too many waited."""
        return self._schedule.partials_dropped

    async def _worker(self, threads: ThreadPoolExecutor) -> None:
        while True:
            work = self._schedule.next()
            if work is None:
                self._work_there.clear()
                await self._work_there.wait()
                continue
            try:
                if isinstance(work, PartialWork):
                    await self._decode_open(work, threads)
                else:
                    await self._decode_finished(work, threads)
            except Exception:
                # One utterance the engine stumbles over must not end recognition.
                self._log.exception("partial failed", extra={"call": work.channel.call_id})
            finally:
                self._schedule.done(work)
                self._work_there.set()

    async def _decode_open(self, work: PartialWork, threads: ThreadPoolExecutor) -> None:
        utterance = (work.channel, work.from_ms)
        fed = self._fed.get(utterance)
        fed_ms = fed.fed_ms if fed else work.from_ms
        sound = self._memory.span(work.channel, fed_ms, work.to_ms)
        if sound is None or sound.start_ms != fed_ms:
            return
        if fed is None:
            fed = self._fed[utterance] = _Fed(self.engine.open(sound.rate), fed_ms)
        fed.fed_ms = sound.end_ms
        loop = asyncio.get_running_loop()
        try:
            text = await loop.run_in_executor(threads, _partial, fed.session, sound.samples)
        except Exception:
            self._fed.pop(utterance, None)  # its final begins afresh
            raise
        if text and self.on_partial and self._schedule.is_open(work.channel, work.at_ms):
            self.partials_made += 1
            await self.on_partial(work.channel, work.at_ms, fed.fed_ms, text)

    async def _decode_finished(self, work: FinalWork, threads: ThreadPoolExecutor) -> None:
        asked = self._asked.get(work.ticket)
        if asked is None:
            return  # nobody waits any more
        sound = asked.sound
        fed = self._fed.pop((work.channel, sound.start_ms), None)
        try:
            if fed is None or fed.fed_ms > sound.end_ms:
                fed = _Fed(self.engine.open(sound.rate), sound.start_ms)
            loop = asyncio.get_running_loop()
            rest = sound.since(fed.fed_ms)
            heard = await loop.run_in_executor(threads, _finish, fed.session, rest)
        except Exception as error:
            if not asked.answer.done():
                asked.answer.set_exception(error)
        else:
            if not asked.answer.done():
                asked.answer.set_result(heard)


def _partial(session: Session, samples: Samples) -> str:
    session.accept(samples)
    return session.partial()


def _finish(session: Session, samples: Samples) -> Heard:
    session.accept(samples)
    return session.finish()
