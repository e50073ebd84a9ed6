"""Vectors of what is said, asked of the embedding service over the bus."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

import nats.errors
import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from contracts.requests import Embed, Embedding
from services.common.bus import Bus, RequestFailed

Vector = npt.NDArray[Any]
"""One text as the model sees it; unit length."""
REST_S = 5.0
"""After a failure the embedding service is left alone this long: a call that waits out the whole
patience at every utterance would fall behind."""


class Embeds(Protocol):
    """Where vectors come from."""

    @property
    def model(self) -> str:
        """Id of the model."""
        ...

    async def vectors(self, texts: Sequence[str]) -> list[Vector] | None:
        """One vector a text; None where there are none to be had now."""
        ...


class NoAnswer(RuntimeError):
    """Why there are no vectors. Never holds the texts."""


async def ask_vectors(bus: Bus, texts: Sequence[str], patience_s: float) -> Embedding:
    """Vectors for at most 64 texts. Raises NoAnswer."""
    # Examples and utterances alike are `query`: both sides of the comparison are things said.
    try:
        reply = await bus.request(Embed(texts=tuple(texts)), Embedding, timeout_s=patience_s)
    except RequestFailed as error:
        raise NoAnswer(error.problem.message) from None
    except nats.errors.Error as error:
        raise NoAnswer(f"the bus is not there ({type(error).__name__})") from None
    except ValidationError:
        raise NoAnswer("its answer is no contract") from None
    if len(reply.vectors) != len(texts) or any(
        len(vector) != reply.dimension for vector in reply.vectors
    ):
        raise NoAnswer("its answer does not fit what was asked")
    return reply


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
        """Id of the model whose vectors are wanted."""
        return self._model

    def wants(self, model: str) -> None:
        """From now on vectors of this model are wanted."""
        self._model = model

    async def vectors(self, texts: Sequence[str]) -> list[Vector] | None:
        """One vector a text of the wanted model, or None."""
        self.asked += 1
        if time.monotonic() < self._rest_until:
            self.unanswered += 1
            return None
        started = time.perf_counter()
        try:
            reply = await ask_vectors(self._bus, texts, self._patience_s)
        except NoAnswer as problem:
            self._note_down(str(problem))
            return None
        if reply.model != self._model:
            self._note_down("the embedding model is another one: start this service again")
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
