"""What several services say, counted in the same way."""

from __future__ import annotations

from typing import get_args

from contracts.card import CardKind, CardShown
from services.common.service import Service

CARD_KINDS: tuple[str, ...] = get_args(CardKind)


def cards_shown(service: Service) -> None:
    """Count the cards a service shows."""
    shown = service.figures.counter("banxi_cards_shown_total", "cards shown", kind=CARD_KINDS)
    service.when_said(CardShown, lambda card, _: shown.at(kind=card.kind).inc())
