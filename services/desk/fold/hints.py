"""Cards and warnings, and what people say of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contracts.card import CardShown, CardWithdrawn
from contracts.feedback import FeedbackGiven
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.desk import slots
from services.desk.call_view import MAX_ITEMS, CallView, ShownCard, StandingWarning
from services.desk.fold import ticks
from services.desk.marks import remarked


def card_shown(view: CallView, event: CardShown) -> CallView:
    """A card asks for its place."""
    if any(card.event.event_id == event.event_id for card in view.cards):
        return view
    cards = slots.with_card(view, _again(view, event))[-MAX_ITEMS:]
    return remarked(replace(view, cards=cards))


def _again(view: CallView, event: CardShown) -> ShownCard:
    """A card as it comes; one that stands and says the same, only marked differently, keeps its age
    and what the agent said of it."""
    new = ShownCard(event, seen_ms=view.now_ms)
    for card in reversed(view.cards):
        if card.event.card_id == event.card_id and not card.withdrawn:
            same = (card.event.kind, card.event.body, card.event.source)
            if same == (event.kind, event.body, event.source) and not card.superseded:
                return replace(new, seen_ms=card.seen_ms, verdict=card.verdict)
            break
    return new


def card_withdrawn(view: CallView, event: CardWithdrawn) -> CallView:
    """A card no longer holds."""
    return _change_card(view, event.card_id, event.at_ms, withdrawn=True)


def warning_raised(view: CallView, event: WarningRaised) -> CallView:
    """A warning, or what is known better of one that was raised before.

    A warning withdrawn and raised again stands again only once it is firm: what came and went
    does not come a second time on a mere supposition.
    """
    known = next((w for w in view.warnings if w.event.warning_id == event.warning_id), None)
    view = ticks.missed(view, event)
    if known is None:
        raised = StandingWarning(
            event, view.now_ms, provisional=event.provisional, raised=(event.event_id,)
        )
        return remarked(replace(view, warnings=(*view.warnings, raised)[-MAX_ITEMS:]))
    if event.event_id in known.raised:
        return view
    again = known.withdrawn and not event.provisional
    return _change_warning(
        view,
        event.warning_id,
        event=event,
        seen_ms=view.now_ms if again else known.seen_ms,
        provisional=event.provisional and (known.provisional or known.withdrawn),
        withdrawn=known.withdrawn and event.provisional,
        raised_again=known.withdrawn and event.provisional,
        raised=(*known.raised, event.event_id)[-MAX_ITEMS:],
    )


def warning_confirmed(view: CallView, event: WarningConfirmed) -> CallView:
    """A provisional warning holds."""
    known = next((w for w in view.warnings if w.event.warning_id == event.warning_id), None)
    if known is None:
        return view
    return _change_warning(
        view,
        event.warning_id,
        provisional=False,
        withdrawn=known.withdrawn and not known.raised_again,
        raised_again=False,
    )


def warning_withdrawn(view: CallView, event: WarningWithdrawn) -> CallView:
    """A warning was wrong."""
    return _change_warning(view, event.warning_id, withdrawn=True, raised_again=False)


def feedback_given(view: CallView, event: FeedbackGiven) -> CallView:
    """What the agent says of a card or warning."""
    if event.target == "warning":
        return _change_warning(view, event.target_id, verdict=event.verdict)
    return _change_card(view, event.target_id, event.at_ms, verdict=event.verdict)


def _change_card(view: CallView, card_id: str, at_ms: int, **changes: Any) -> CallView:
    """Change a card, as far as it came before `at_ms`: a later one may bear the same id."""
    cards = tuple(
        replace(card, **changes)
        if card.event.card_id == card_id and card.event.at_ms <= at_ms
        else card
        for card in view.cards
    )
    return remarked(replace(view, cards=cards))


def _change_warning(view: CallView, warning_id: str, **changes: Any) -> CallView:
    warnings = tuple(
        replace(w, **changes) if w.event.warning_id == warning_id else w for w in view.warnings
    )
    return remarked(replace(view, warnings=warnings))
