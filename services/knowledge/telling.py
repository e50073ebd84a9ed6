"""Tells the site that entries count differently from now on."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

import nats.errors

from contracts.news import BaseChanged
from services.common.bus import Bus
from services.knowledge.base import Tell

MOST_NAMED = 100
"""Entries that news name; where there are more they name none."""


def news_on(bus: Bus) -> Tell:
    """Publishes each change. Every process says so as soon as its own searches know: who asks again
    then may be answered by one that said so before, or is told once more."""

    async def tell(number: int, ids: Collection[str]) -> None:
        named = tuple(ids) if len(ids) <= MOST_NAMED else ()
        with suppress(nats.errors.Error):  # news may be lost
            await bus.publish_news(BaseChanged(site=bus.site, revision=number, entry_ids=named))

    return tell
