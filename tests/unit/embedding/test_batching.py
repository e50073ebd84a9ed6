"""One model for many askers: batches, order, cache, limits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from services.embedding.batching import Batcher, ModelFailed, Unavailable, Vector
from services.embedding.encoder import Purpose, Vectors

pytestmark = pytest.mark.unit


class ScriptedEncoder:
    """A vector is [length, is it a query]. Remembers its batches; `gate` holds the thread."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, ...]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.running = threading.Event()

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        self.running.set()
        assert self.gate.wait(5)
        self.batches.append(tuple(texts))
        if "broken" in texts:
            raise ValueError("cannot embed that")
        return np.array([[len(t), purpose == "query"] for t in texts], dtype=np.float32)


@pytest.fixture
def encoder() -> ScriptedEncoder:
    return ScriptedEncoder()


@pytest.fixture
async def batcher(encoder: ScriptedEncoder) -> AsyncIterator[Batcher[ScriptedEncoder]]:
    made = Batcher(lambda: encoder, batch=4, queue=8, cache=5)
    made.start()
    yield made
    encoder.gate.set()
    await made.stop()


async def held(
    batcher: Batcher[ScriptedEncoder], encoder: ScriptedEncoder
) -> asyncio.Task[list[Vector]]:
    """Put the model to work on one text and hold it there, so that what follows must wait."""
    encoder.gate.clear()
    task: asyncio.Task[list[Vector]] = asyncio.create_task(batcher.embed(["in hand"], "query"))
    assert await asyncio.to_thread(encoder.running.wait, 5)
    return task


async def waiting_texts(batcher: Batcher[ScriptedEncoder], count: int) -> None:
    """Let the askers run until that many texts wait."""
    for _ in range(100):
        if batcher.depth == count:
            return
        await asyncio.sleep(0)
    pytest.fail(f"{batcher.depth} texts wait, not {count}")


async def test_requests_that_wait_share_batches_and_get_their_own_rows(
    batcher: Batcher[ScriptedEncoder], encoder: ScriptedEncoder
) -> None:
    first = await held(batcher, encoder)
    asks = [["a", "bb"], ["ccc"], ["bb", "dddd", "eeeee"]]
    tasks = [asyncio.create_task(batcher.embed(texts, "query")) for texts in asks]
    await waiting_texts(batcher, 5)
    encoder.gate.set()
    for texts, task in zip(asks, tasks, strict=True):
        assert [int(row[0]) for row in await task] == [len(text) for text in texts]
    await first
    assert encoder.batches == [("in hand",), ("a", "bb", "ccc", "dddd"), ("eeeee",)]


async def test_what_is_asked_now_goes_before_what_is_kept(
    batcher: Batcher[ScriptedEncoder], encoder: ScriptedEncoder
) -> None:
    first = await held(batcher, encoder)
    base = asyncio.create_task(batcher.embed(["p1", "p2", "p3", "p4", "p5"], "passage"))
    await waiting_texts(batcher, 5)
    live = asyncio.create_task(batcher.embed(["now"], "query"))
    await waiting_texts(batcher, 6)
    encoder.gate.set()
    await asyncio.gather(first, base, live)
    assert encoder.batches[1] == ("now",)
    assert [bool(row[1]) for row in base.result()] == [False] * 5


async def test_the_cache_answers_again_and_forgets_the_longest_unused(
    batcher: Batcher[ScriptedEncoder], encoder: ScriptedEncoder
) -> None:
    await batcher.embed(["a", "b", "c", "d", "e"], "query")
    await batcher.embed(["a"], "query")
    await batcher.embed(["f"], "query")  # throws out b, the longest unused
    assert (batcher.counts.hits, batcher.counts.misses, batcher.cached) == (1, 6, 5)
    await batcher.embed(["a", "b"], "query")
    assert encoder.batches[-1] == ("b",)
    await batcher.embed(["a"], "passage")  # another purpose is another vector
    assert encoder.batches[-1] == ("a",)


async def test_more_than_may_wait_is_refused_and_the_rest_answered(
    batcher: Batcher[ScriptedEncoder], encoder: ScriptedEncoder
) -> None:
    first = await held(batcher, encoder)
    waiting = asyncio.create_task(batcher.embed([f"t{i}" for i in range(8)], "query"))
    await waiting_texts(batcher, 8)
    with pytest.raises(Unavailable, match="too many"):
        await batcher.embed(["one too many"], "query")
    encoder.gate.set()
    await first
    assert len(await waiting) == 8


async def test_a_batch_that_fails_fails_its_askers_only(
    batcher: Batcher[ScriptedEncoder], encoder: ScriptedEncoder
) -> None:
    with pytest.raises(ModelFailed, match=r"^ValueError$"):
        await batcher.embed(["broken", "beside it"], "query")
    assert len(await batcher.embed(["beside it"], "query")) == 1


async def test_requests_wait_for_the_model_to_load() -> None:
    loaded = threading.Event()
    encoder = ScriptedEncoder()

    def load() -> ScriptedEncoder:
        assert loaded.wait(5)
        return encoder

    batcher = Batcher(load, batch=4, queue=8, cache=0)
    early = asyncio.create_task(batcher.embed(["early"], "query"))
    await asyncio.sleep(0)
    batcher.start()
    await asyncio.sleep(0)
    assert not early.done()
    loaded.set()
    assert len(await early) == 1
    await batcher.stop()


async def test_stopping_finishes_the_batch_in_hand_and_tells_the_others(
    batcher: Batcher[ScriptedEncoder], encoder: ScriptedEncoder
) -> None:
    first = await held(batcher, encoder)
    second = asyncio.create_task(batcher.embed(["too late"], "query"))
    await waiting_texts(batcher, 1)
    stopping = asyncio.create_task(batcher.stop())
    await asyncio.sleep(0)
    encoder.gate.set()
    await stopping
    assert len(await first) == 1
    for late in (second, batcher.embed(["later still"], "query")):
        with pytest.raises(Unavailable, match="stopping"):
            await late
    assert encoder.batches == [("in hand",)]
