"""What the call-type service hears (finals of both sides, speech, cards) and says (assessments,
turns, recognised moments, cards)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from contracts.requests import Model
from services.call_type import books
from services.call_type.handler import CallTypeHandler
from services.call_type.history import AskingHistory
from services.call_type.settings import Settings
from services.common.bus import Bus
from services.common.said import cards_shown
from services.common.service import Service
from services.common.vectors import AskingEmbedder


def create_app(settings: Settings) -> Service:
    """The service, wired. A mistake in a file stops it at its start, with a sentence."""
    service = Service("call_type", settings)
    cards_shown(service)
    chosen = settings.call_type

    @asynccontextmanager
    async def assessing(bus: Bus) -> AsyncIterator[None]:
        found = await asyncio.to_thread(books.load, chosen)
        service.models = (
            Model(name="call-type", version=found.assessor.model.about.version),
            Model(name="situations", version=found.moments.version),
        )
        embedder = AskingEmbedder(bus, found.embedding, chosen.patience_s, service.log)
        numbers = AskingHistory(
            bus,
            within_days=chosen.history_days,
            limit=chosen.history_calls,
            patience_s=min(0.5, chosen.patience_s),
            log=service.log,
        )
        service.figures_of = lambda: _figures(embedder, numbers)
        service.follows_calls(CallTypeHandler(found, embedder, numbers, chosen.firm))
        yield

    service.lives_with(assessing)
    return service


def _figures(embedder: AskingEmbedder, numbers: AskingHistory) -> dict[str, float]:
    times = embedder.times_ms or [0.0]
    return {
        "utterances": embedder.asked,
        "words_only": embedder.unanswered,
        "embedding_p50_ms": round(float(np.percentile(times, 50)), 1),
        "embedding_p95_ms": round(float(np.percentile(times, 95)), 1),
        "numbers_asked": numbers.asked,
        "numbers_unanswered": numbers.unanswered,
    }
