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
from services.common.asking import Asking, NoAnswer
from services.common.bus import Bus, RequestFailed

Vector = npt.NDArray[Any]
"""One text as the model sees it; unit length."""


class Embeds(Protocol):
    """Where vectors come from."""

    @property
    def model(self) -> str:
        """Id of the model."""
        ...

    async def vectors(self, texts: Sequence[str]) -> list[Vector] | None:
        """One vector a text; None where there are none to be had now."""
        ...


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


class AskingEmbedder(Asking):
    """Asks for each utterance; never raises, and says None where there is no answer in time."""

    def __init__(self, bus: Bus, model: str, patience_s: float, log: logging.Logger) -> None:
        super().__init__(log, "the embedding service", "going on by words alone")
        self._bus = bus
        self._model = model
        self._patience_s = patience_s
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
        if not self._may_ask():
            return None
        started = time.perf_counter()
        try:
            reply = await ask_vectors(self._bus, texts, self._patience_s)
        except NoAnswer as problem:
            self._failed(str(problem))
            return None
        if reply.model != self._model:
            self._failed("the embedding model is another one: start this service again")
            return None
        self._answered()
        self.times_ms.append((time.perf_counter() - started) * 1000)
        return [np.asarray(vector, dtype=np.float32) for vector in reply.vectors]
