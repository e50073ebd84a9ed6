"""Which cards agents say they used."""

from __future__ import annotations

from contracts.feedback import FeedbackGiven
from services.common.said import CARD_KINDS
from services.common.service import Cause, Service
from services.desk.board import Board


def count_used(service: Service, board: Board) -> None:
    """Count the cards that agents mark as used."""
    used = service.figures.counter("banxi_cards_used_total", "cards agents used", kind=CARD_KINDS)

    def note(given: FeedbackGiven, _: Cause) -> None:
        view = board.get(given.call_id)
        if view is None or (given.target, given.verdict) != ("card", "useful"):
            return
        for card in view.cards:
            if card.event.card_id == given.target_id:
                used.at(kind=card.event.kind).inc()
                break

    service.when_said(FeedbackGiven, note)
