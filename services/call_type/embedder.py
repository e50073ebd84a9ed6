"""Vectors from the embedding service, asked over the bus; the examples' kept on disk."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import nats.errors
import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from contracts.requests import Embed, Embedding
from services.call_type.dialogue import Vector
from services.common.bus import Bus, RequestFailed

REST_S = 5.0
"""After a failure the embedding service is left alone this long: a call that waits out the whole
patience at every utterance would fall behind."""
_CHUNK = 16
_AGAIN_S = 1.0
_STARTING_S = 30.0
"""Patience with a service that is still loading its model, seconds."""

Rows = npt.NDArray[np.float32]


class AskingEmbedder:
    """Asks for each utterance; never raises, and says None where there is no answer in time."""

    def __init__(self, bus: Bus, model: str, patience_s: float, log: logging.Logger) -> None:
        self._bus = bus
        self._model = model
        self._patience_s = patience_s
        self._log = log
        self._rest_until = 0.0
        self._down = False
        self.asked = 0
        self.unanswered = 0
        self.times_ms: deque[float] = deque(maxlen=1000)

    @property
    def model(self) -> str:
        """Id of the model the examples were embedded with."""
        return self._model

    async def vectors(self, texts: Sequence[str]) -> list[Vector] | None:
        """One vector a text of the same model as the examples, or None."""
        self.asked += 1
        if time.monotonic() < self._rest_until:
            self.unanswered += 1
            return None
        started = time.perf_counter()
        try:
            reply = await _ask(self._bus, texts, self._patience_s)
        except _NoAnswer as problem:
            self._note_down(str(problem))
            return None
        if reply.model != self._model:
            self._note_down("the embedding model has changed: restart the call-type service")
            return None
        if self._down:
            self._log.info("the embedding service answers again")
            self._down = False
        self.times_ms.append((time.perf_counter() - started) * 1000)
        return [np.asarray(vector, dtype=np.float32) for vector in reply.vectors]

    def _note_down(self, reason: str) -> None:
        self.unanswered += 1
        self._rest_until = time.monotonic() + REST_S
        if not self._down:
            self._log.warning("going on by words alone: %s", reason)
            self._down = True


async def embed_examples(
    bus: Bus, texts: Sequence[str], folder: Path, log: logging.Logger
) -> tuple[str, Rows]:
    """Model and one row a text: from the disk where the same model embedded the same texts before,
    else from the embedding service, for which this waits as long as it takes."""
    first = await _ask_patiently(bus, texts[:1], log)
    digest = hashlib.sha256("\0".join((first.model, *texts)).encode()).hexdigest()[:16]
    file = folder / f"call_type-{digest}.npy"
    kept = await asyncio.to_thread(_read, file, (len(texts), first.dimension))
    if kept is not None:
        return first.model, kept
    rows: list[tuple[float, ...]] = []
    while len(rows) < len(texts):
        reply = await _ask_patiently(bus, texts[len(rows) : len(rows) + _CHUNK], log)
        if reply.model != first.model:
            # It was started again with another model in between.
            return await embed_examples(bus, texts, folder, log)
        rows += reply.vectors
    made = np.asarray(rows, dtype=np.float32)
    try:
        await asyncio.to_thread(_write, file, made)
    except OSError as error:
        log.warning("the examples' vectors cannot be kept: %s", error.strerror)
    return first.model, made


async def _ask_patiently(bus: Bus, texts: Sequence[str], log: logging.Logger) -> Embedding:
    told = False
    while True:
        try:
            return await _ask(bus, texts, _STARTING_S)
        except _NoAnswer as problem:
            if not told:
                log.info("waiting for the embedding service: %s", problem)
                told = True
            await asyncio.sleep(_AGAIN_S)


class _NoAnswer(RuntimeError):
    """Why there are no vectors. Never holds the texts."""


async def _ask(bus: Bus, texts: Sequence[str], patience_s: float) -> Embedding:
    # Examples and utterances alike are `query`: both sides of the comparison are things said.
    try:
        reply = await bus.request(Embed(texts=tuple(texts)), Embedding, timeout_s=patience_s)
    except RequestFailed as error:
        raise _NoAnswer(error.problem.message) from None
    except nats.errors.Error as error:
        raise _NoAnswer(f"the bus is not there ({type(error).__name__})") from None
    except ValidationError:
        raise _NoAnswer("its answer is no contract") from None
    if len(reply.vectors) != len(texts) or any(
        len(vector) != reply.dimension for vector in reply.vectors
    ):
        raise _NoAnswer("its answer does not fit what was asked")
    return reply


def _read(file: Path, shape: tuple[int, int]) -> Rows | None:
    try:
        rows = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None  # not there, or cut short: it is made anew
    fits = rows.shape == shape and rows.dtype == np.float32 and bool(np.isfinite(rows).all())
    return rows if fits else None


def _write(file: Path, rows: Rows) -> None:
    """Keep them, in place of those of other models and texts. Never half: renamed when whole."""
    for old in file.parent.glob("call_type-*.npy"):
        old.unlink(missing_ok=True)
    partial = file.with_suffix(".part")
    with partial.open("wb") as out:
        np.save(out, rows)
    os.replace(partial, file)
