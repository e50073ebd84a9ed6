"""Many askers, one model: a queue that makes batches, a cache in front of it, worker threads.

What is said now goes before what is kept in a base. Queries are taken first, and passages few at a
time; a helper on another core takes passages only, at the lowest priority, and while people ask,
all passages are left to it: an import of a whole knowledge base does not hold up a live call.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from services.embedding import encoder
from services.embedding.encoder import Encoder, Purpose, Vectors
from services.embedding.matters import Matters, load_matters
from services.embedding.settings import BUILT_IN, EmbeddingSettings

Key = tuple[Purpose, str]
Vector = npt.NDArray[np.float32]

_STOPPING = "the embedding service is stopping"
LIVE_S = 1.0
"""So long after a query passages are left to the helper: the next query may come."""
_REMEMBERED = 1000
"""Requests whose time is kept for the percentiles."""


class Embeds(Protocol):
    """What a batcher needs of an encoder."""

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        """One row a text."""
        ...


E = TypeVar("E", bound=Embeds)


class Unavailable(RuntimeError):
    """No vectors now; the message is a sentence for the asker."""


class ModelFailed(RuntimeError):
    """The model raised. Says what kind of error, never its message, which may hold the text."""


class VectorCache:
    """Vectors by purpose and text; the longest unused is thrown out first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[Key, Vector] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Key) -> Vector | None:
        """The vector, or None where it is not held."""
        if (vector := self._held.get(key)) is not None:
            self._held.move_to_end(key)
        return vector

    def put(self, key: Key, vector: Vector) -> None:
        """Hold a vector."""
        self._held[key] = vector
        self._held.move_to_end(key)
        if len(self._held) > self._size:
            self._held.popitem(last=False)


@dataclass
class Counts:
    """What a batcher has done."""

    hits: int = 0
    """Texts answered from the cache."""
    misses: int = 0
    """Texts that went to the model."""
    batches: int = 0
    """Runs of the model."""
    refused: int = 0
    """Texts turned away because too many waited."""
    times_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """How long requests took, waiting included, ms."""

    def percentile_ms(self, percent: float) -> float:
        """Time within which that share of the last requests was answered; 0 before the first."""
        return float(np.percentile(self.times_ms, percent)) if self.times_ms else 0.0


@dataclass(eq=False)
class _Worker:
    """A thread, and what it takes, the most urgent first."""

    thread: ThreadPoolExecutor
    takes: tuple[Purpose, ...]
    there: asyncio.Event = field(default_factory=asyncio.Event)
    """Set where there may be something to do."""


def _step_back() -> None:
    """Let every other thread of the machine go first. Linux gives each thread its own priority;
    elsewhere this would slow the whole process down."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


class Batcher(Generic[E]):
    """Embeds what is asked through one model. The encoder comes from `load`, which runs in the
    first worker's thread; requests that arrive before it is done wait for it.

    Use as `start()`, `await ready()`, `await embed(...)`, `await stop()`.
    """

    def __init__(
        self,
        load: Callable[[], E],
        *,
        batch: int,
        queue: int,
        cache: int,
        passage_batch: int | None = None,
        helper: bool = False,
    ) -> None:
        """`passage_batch`: passages in one batch, as `batch` where it is not given; `helper`:
        whether a second thread takes passages, which the encoder must allow."""
        self._load = load
        self._batches: dict[Purpose, int] = {"query": batch, "passage": passage_batch or batch}
        self._queue = queue
        self._cache = VectorCache(cache)
        self._waiting: dict[Purpose, OrderedDict[str, asyncio.Future[Vector]]] = {
            "query": OrderedDict(),
            "passage": OrderedDict(),
        }
        self._begun = asyncio.Event()
        self._stopping = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._workers = [_Worker(self._thread, ("query", "passage"))]
        if helper:
            beside = ThreadPoolExecutor(1, thread_name_prefix="passages", initializer=_step_back)
            self._workers.append(_Worker(beside, ("passage",)))
        self._asked_at = -LIVE_S
        self._tasks: list[asyncio.Task[None]] = []
        self._encoder: asyncio.Future[E] | None = None
        self.counts = Counts()

    @property
    def depth(self) -> int:
        """Texts that wait."""
        return sum(len(texts) for texts in self._waiting.values())

    @property
    def cached(self) -> int:
        """Vectors in the cache."""
        return len(self._cache)

    def start(self) -> None:
        """Begin to load the model and to work off the queue. Returns at once."""
        loop = asyncio.get_running_loop()
        self._encoder = asyncio.ensure_future(loop.run_in_executor(self._thread, self._load))
        self._tasks = [
            asyncio.create_task(self._work(worker, self._encoder), name="embedding-batches")
            for worker in self._workers
        ]
        self._begun.set()

    async def ready(self) -> E:
        """The encoder, once it is loaded. Raises what loading raised."""
        await self._begun.wait()  # requests may come before their service has begun
        assert self._encoder is not None
        return await asyncio.shield(self._encoder)

    async def stop(self) -> None:
        """Finish the batch in hand; requests that still wait are told that it is over."""
        self._stopping = True
        self._wake()
        if self._encoder is None or not self._encoder.done():
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for texts in self._waiting.values():
            for future in texts.values():
                future.set_exception(Unavailable(_STOPPING))
            texts.clear()
        for worker in self._workers:
            worker.thread.shutdown(wait=False, cancel_futures=True)

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> list[Vector]:
        """One vector a text, in order. Raises Unavailable where too many wait already or it is
        stopping, ModelFailed where the model raises, and what loading raised."""
        started = time.perf_counter()
        await self.ready()
        if self._stopping:
            raise Unavailable(_STOPPING)
        asked = [self._cache.get((purpose, text)) for text in texts]
        missing = [text for text, vector in zip(texts, asked, strict=True) if vector is None]
        self.counts.hits += len(texts) - len(missing)
        waiting = self._waiting[purpose]
        new = set(missing) - waiting.keys()
        if self.depth + len(new) > self._queue:
            self.counts.refused += len(new)
            raise Unavailable("too many texts wait for the embedding model: ask again later")
        self.counts.misses += len(new)
        loop = asyncio.get_running_loop()
        futures = {
            text: waiting.setdefault(text, loop.create_future()) for text in dict.fromkeys(missing)
        }
        if purpose == "query":
            self._asked_at = time.monotonic()
        self._wake()
        # Shielded: another request may wait for the same text.
        await asyncio.gather(*(asyncio.shield(future) for future in futures.values()))
        self.counts.times_ms.append((time.perf_counter() - started) * 1000)
        return [
            futures[text].result() if vector is None else vector
            for text, vector in zip(texts, asked, strict=True)
        ]

    def _wake(self) -> None:
        for worker in self._workers:
            worker.there.set()

    def _next(self, worker: _Worker) -> Purpose | None:
        """What a worker takes now; None where it must wait."""
        for purpose in worker.takes:
            if not self._waiting[purpose]:
                continue
            live = time.monotonic() < self._asked_at + LIVE_S
            if purpose == "passage" and live and worker is not self._workers[-1]:
                continue
            return purpose
        return None

    async def _work(self, worker: _Worker, loading: asyncio.Future[E]) -> None:
        encoder = await asyncio.shield(loading)
        loop = asyncio.get_running_loop()
        while not self._stopping:
            await worker.there.wait()
            purpose = self._next(worker)
            if purpose is None:
                worker.there.clear()
                if self._waiting["passage"]:
                    loop.call_later(LIVE_S, worker.there.set)
                continue
            waiting = self._waiting[purpose]
            size = min(self._batches[purpose], len(waiting))
            batch = [waiting.popitem(last=False) for _ in range(size)]
            texts = [text for text, _ in batch]
            self.counts.batches += 1
            try:
                rows = await loop.run_in_executor(worker.thread, encoder.embed, texts, purpose)
            except Exception as error:
                # A batch that failed is its askers' failure; the next ones go on.
                for _, future in batch:
                    if not future.done():
                        future.set_exception(ModelFailed(type(error).__name__))
                continue
            for (text, future), row in zip(batch, rows, strict=True):
                self._cache.put((purpose, text), row)
                if not future.done():
                    future.set_result(row)


def make_batcher(settings: EmbeddingSettings) -> Batcher[Encoder]:
    """A batcher of the model the settings name."""
    return _as_set(settings, lambda: encoder.load(settings), settings.model == BUILT_IN)


def make_matters_batcher(
    settings: EmbeddingSettings, loaded: Callable[[], Matters] | None = None
) -> Batcher[Matters]:
    """A batcher of the knowledge base's model. `loaded`: gives it where it is loaded already."""
    return _as_set(settings, loaded or (lambda: load_matters(settings.threads)), helper=True)


def _as_set(settings: EmbeddingSettings, loading: Callable[[], E], helper: bool) -> Batcher[E]:
    return Batcher(
        loading,
        batch=settings.batch,
        queue=settings.queue,
        cache=settings.cache,
        passage_batch=settings.passage_batch,
        helper=settings.helper and helper and (os.cpu_count() or 1) > 1,
    )
