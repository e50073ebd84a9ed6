"""What the embedding service hears (requests `embed`) and says (vectors)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from contracts.requests import Embed, Embedding, Problem
from services.common.bus import Bus, RequestFailed
from services.common.failure import CannotStart
from services.common.service import Service
from services.embedding import encoder
from services.embedding.batching import (
    ModelFailed,
    Unavailable,
    make_batcher,
    make_matters_batcher,
)
from services.embedding.settings import Settings

GENERAL, MATTERS = "the embedding model", "the model of the knowledge base"
_BYTES_A_NUMBER = 12
"""A number of a reply: sign, point, seven digits, comma, and some air."""


def create_app(settings: Settings) -> Service:
    """The service, wired."""
    service = Service("embedding", settings)
    chosen = settings.embedding
    general, matters = make_batcher(chosen), make_matters_batcher(chosen)

    async def embed(asked: Embed) -> Embedding:
        batcher, name = (matters, MATTERS) if asked.model == "matters" else (general, GENERAL)
        try:
            model = await batcher.ready()
        except CannotStart:
            raise _refused("unavailable", f"{name} cannot be loaded") from None
        room = service.bus.client.max_payload // (_BYTES_A_NUMBER * model.dimension)
        if len(asked.texts) > room:
            raise _refused("invalid", f"ask for at most {room} texts at once with this model")
        try:
            purpose: encoder.Purpose = "query" if asked.purpose == "query" else "passage"
            vectors = await batcher.embed(asked.texts, purpose)
        except Unavailable as error:
            raise _refused("unavailable", str(error)) from None
        except ModelFailed as error:
            raise _refused("internal", f"the embedding model failed ({error})") from None
        return Embedding(
            model=model.id,
            dimension=model.dimension,
            # Seven digits are all that single precision holds.
            vectors=tuple(tuple(np.round(v.astype(float), 7).tolist()) for v in vectors),
        )

    @asynccontextmanager
    async def model(_: Bus) -> AsyncIterator[None]:
        service.detail = "loading the model"
        general.start()
        matters.start()
        try:
            service.models = ((await general.ready()).described,)
            try:
                service.models += ((await matters.ready()).described,)
            except CannotStart as error:
                # Only finding entries by what is meant needs it: everybody else is served.
                lacking = str(error)
                service.log.error(lacking)
                service.lacking = lambda: lacking
            yield
        finally:
            await general.stop()
            await matters.stop()

    def figures() -> dict[str, float]:
        counts = general.counts
        return {
            "cache_hits": counts.hits,
            "cache_misses": counts.misses,
            "cached": general.cached,
            "batches": counts.batches,
            "request_p50_ms": round(counts.percentile_ms(50), 1),
            "request_p95_ms": round(counts.percentile_ms(95), 1),
            "matters_request_p50_ms": round(matters.counts.percentile_ms(50), 1),
            "matters_request_p95_ms": round(matters.counts.percentile_ms(95), 1),
        }

    service.figures_of = figures
    show = service.queues.add
    show("texts", chosen.queue, lambda: general.depth, lambda: general.counts.refused)
    show("matters_texts", chosen.queue, lambda: matters.depth, lambda: matters.counts.refused)
    # Together, so that requests which wait share a batch.
    service.answers(Embed, embed, at_once=32)
    service.lives_with(model)
    return service


def _refused(code: str, sentence: str) -> RequestFailed:
    return RequestFailed(Problem(code=code, message=sentence))
