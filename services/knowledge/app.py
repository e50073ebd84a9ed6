"""What the knowledge service hears (calls, searches, editors) and says (cards, answers, news)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime

from contracts import envelope
from contracts.card import CardShown
from services.common.bus import Bus
from services.common.said import cards_shown
from services.common.service import Cause, Service
from services.common.settings import prepare_directory
from services.knowledge.answers import Answers
from services.knowledge.editors import ForEditors
from services.knowledge.finding.background import read_background
from services.knowledge.finding.embedder import BusEmbedder
from services.knowledge.gaps.keeper import GapKeeper
from services.knowledge.gaps.meaning import Meaning
from services.knowledge.keeping.feedback import Feedback
from services.knowledge.on_calls.early import OPEN
from services.knowledge.on_calls.following import following
from services.knowledge.opening import open_kept
from services.knowledge.settings import Settings, region_tree
from services.knowledge.telling import news_on


def create_app(settings: Settings, *, today: Callable[[], date] = date.today) -> Service:
    """The service, wired. `today`: the day that decides what is valid. Raises CannotStart where the
    table of regions has a mistake."""
    service = Service("knowledge", settings)
    partials = service.queues.add("partials", OPEN)
    _measure(service)
    log, home = service.log, settings.knowledge.region
    regions = region_tree(settings.knowledge)
    prepare_directory(settings.data_dir)
    answers = Answers(regions, home, today)

    @asynccontextmanager
    async def knowing(bus: Bus) -> AsyncIterator[None]:
        service.detail = "opening the knowledge base"
        embedder = BusEmbedder(bus)
        opening = open_kept(
            *(settings, regions, embedder),
            tell=news_on(bus),
            failed=service.fail,
            today=today,
            log=log,
        )
        async with opening as kept:
            base, database = kept.base, kept.base.store.database
            service.lacking = base.lacking
            gaps = GapKeeper(
                *(database, base, Meaning(embedder), regions, home), today=today, log=log
            )
            answers.use(kept, gaps)
            calls = following(
                *(bus, base, today, kept.completed, log),
                talk=read_background().talk,
                editors=ForEditors(gaps, Feedback(database)),
            )
            async with answers.wordings.telling(bus, log), gaps.running(), calls as followed:
                service.figures_of = lambda: kept.figures() | followed.figures()
                early = followed.early
                partials.depth, partials.dropped = lambda: early.waiting, lambda: early.dropped
                service.follows_calls(followed.handler)
                yield

    answers.answer_on(service)
    service.lives_with(knowing)
    return service


def _measure(service: Service) -> None:
    """Count cards, and measure how long after its final one comes: waiting at the bus included, by
    the clocks of whoever published the final and of this process."""
    cards_shown(service)
    delay = service.figures.histogram(
        "banxi_card_delay_seconds", "from the final of what a caller asked to its card"
    )

    def measured(_: CardShown, final: Cause) -> None:
        if heard := envelope.said_at(final):  # a card for a partial comes before its final
            delay.at().observe(max(0.0, (datetime.now(UTC) - heard).total_seconds()))

    service.when_said(CardShown, measured)
