"""What escalation hears (every call; what supervisors ask) and says (`escalation.*` events)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from contracts.requests import AcknowledgeEscalation, CloseEscalation, TakeOverEscalation
from services.common.bus import Bus
from services.common.service import Service
from services.common.tasks import ended
from services.escalation.files import read
from services.escalation.handler import EscalationHandler
from services.escalation.life import Board
from services.escalation.red_lines import RedLines
from services.escalation.rules import Rules
from services.escalation.settings import Settings
from services.escalation.supervision import Supervision
from services.escalation.view import Policy
from services.escalation.witness import load_witness


def create_app(settings: Settings) -> Service:
    """The service, wired. Raises DataFileError where one of its files has a mistake."""
    service = Service("escalation", settings)
    rules = read(settings.escalation.policy, Rules)
    words = read(settings.escalation.red_lines, RedLines)
    witness = load_witness(
        settings.escalation.witness, frozenset(line.id for line in words.red_lines)
    )
    board = Board(timedelta(seconds=rules.rise_after_s), rules.rise_times)
    supervision = Supervision(board, lambda: service.bus, service.log)

    @asynccontextmanager
    async def rising(_: Bus) -> AsyncIterator[None]:
        await supervision.rebuild()
        task = asyncio.create_task(supervision.keep_rising())
        task.add_done_callback(stopped)
        try:
            yield
        finally:
            await ended(task)

    def stopped(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            service.fail(f"rising stopped ({type(error).__name__}): start escalation again")

    def figures() -> dict[str, float]:
        return {"open": board.open, "unacknowledged": board.unacknowledged}

    service.figures_of = figures
    service.answers(AcknowledgeEscalation, supervision.handle)
    service.answers(TakeOverEscalation, supervision.handle)
    service.answers(CloseEscalation, supervision.handle)
    service.follows_calls(EscalationHandler(Policy(rules, words, witness), board))
    service.lives_with(rising)
    return service
