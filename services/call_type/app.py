"""What the call-type service hears (finals of the caller) and says (assessments, advice cards)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from contracts.call_type import CALL_TYPES, INTAKES
from contracts.requests import Model
from services.call_type.assess import Assessor
from services.call_type.embedder import embed_examples
from services.call_type.handler import NAME, CallTypeHandler
from services.call_type.prototypes import fit
from services.call_type.settings import Settings
from services.call_type.tables import load_tables
from services.common.bus import Bus
from services.common.service import Service
from services.common.settings import prepare_directory
from services.common.vectors import AskingEmbedder


def create_app(settings: Settings) -> Service:
    """The service, wired. A mistake in a table stops it at its start, with a sentence."""
    service = Service("call_type", settings)
    chosen = settings.call_type
    cache = prepare_directory(settings.data_dir / "cache")

    @asynccontextmanager
    async def assessing(bus: Bus) -> AsyncIterator[None]:
        tables = load_tables(chosen.tables)
        service.models = (Model(name=NAME, version=tables.digest),)
        service.detail = "waiting for the embedding service"
        types, intakes = tables.type_examples, tables.intake_examples
        texts = [text for _, text in (*types, *intakes)]
        model, rows = await embed_examples(bus, texts, cache, service.log)
        by_type = await asyncio.to_thread(fit, CALL_TYPES, types, rows[: len(types)])
        by_intake = await asyncio.to_thread(fit, INTAKES, intakes, rows[len(types) :])
        assessor = Assessor(tables, by_type, by_intake)
        embedder = AskingEmbedder(bus, model, chosen.patience_s, service.log)
        service.figures = lambda: _figures(embedder)
        service.follows_calls(CallTypeHandler(assessor, tables, embedder, chosen.firm))
        yield

    service.lives_with(assessing)
    return service


def _figures(embedder: AskingEmbedder) -> dict[str, float]:
    times = embedder.times_ms or [0.0]
    return {
        "utterances": embedder.asked,
        "words_only": embedder.unanswered,
        "embedding_p50_ms": round(float(np.percentile(times, 50)), 1),
        "embedding_p95_ms": round(float(np.percentile(times, 95)), 1),
    }
