"""What the conduct service hears and says.

Hears `started`, `speech.*`, `progressed`, `transcript.final` and `ended`; says `warning.*`,
`silence.*`, `hold.*`, `phrase.*` and the cards `wrong` and `moment`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts.requests import Model
from services.common.bus import Bus
from services.common.service import Service
from services.conduct.books import load_phrases, load_waiting
from services.conduct.handler import ConductHandler
from services.conduct.settings import Settings


def create_app(settings: Settings) -> Service:
    """The service, wired. A mistake in a rule file stops it at its start, with a sentence."""
    service = Service("conduct", settings)
    chosen = settings.conduct

    @asynccontextmanager
    async def judging(_: Bus) -> AsyncIterator[None]:
        phrases = load_phrases(chosen.phrases)
        waiting = load_waiting(chosen.waiting, chosen.own_times())
        service.models = (
            Model(name="phrases", version=phrases.version),
            Model(name="waiting", version=waiting.version),
        )
        service.follows_calls(ConductHandler(phrases, waiting))
        yield

    service.lives_with(judging)
    return service
