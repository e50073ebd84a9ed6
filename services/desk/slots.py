"""Which card stands in each of the page's three places: at most one a place.

`wrong` is shared by wording cards and warnings; a warning that a card answers is not shown twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from contracts.card import Slot
from services.desk.call_view import CallView, ShownCard, StandingWarning

SLOTS: tuple[Slot, ...] = ("wrong", "answer", "moment")
"""By urgency: what was just said wrong, what to answer, what this moment needs."""

YIELD_MS = 20_000
"""A card of higher priority keeps its place against newer ones this long, ms of audio."""
REMIND_MS = 12_000
ALARM_MS = 40_000
"""How long a warning stands when nobody answers it, ms of audio."""
AFTER_MS = 4_000
"""How long a warning stays once what it warned of is over, ms of audio."""

WAITING_KINDS = frozenset({"hold_over_30s"})
SILENCE_KINDS = frozenset({"silence"})
CALLER_KINDS = frozenset({"silent_caller"})
"""Warnings that are over when the wait, the silence, or the caller's silence is."""

_PRIORITY = {
    "forbidden_phrase": 90,
    "hold_over_30s": 80,
    "silence": 70,
    "agent_hung_up_first": 70,
    "silent_caller": 60,
    "interruption": 60,
}


def with_card(cards: Sequence[ShownCard], new: ShownCard, now_ms: int) -> tuple[ShownCard, ...]:
    """The cards after a new one: it takes its place, or waits behind one of higher priority."""
    slot = new.event.slot
    rivals = [card for card in cards if card.event.slot == slot and card.stands(now_ms)]
    takes = all(
        new.event.priority >= card.event.priority or new.seen_ms - card.seen_ms >= YIELD_MS
        for card in rivals
    )
    if takes:
        cards = [replace(card, superseded=True) if card in rivals else card for card in cards]
    return (*cards, new)


def leaves_at(warning: StandingWarning) -> int:
    """Audio time at which a warning leaves the page by itself, ms."""
    if warning.over_ms is not None:
        return max(warning.over_ms, warning.seen_ms) + AFTER_MS
    kinds = WAITING_KINDS | SILENCE_KINDS | CALLER_KINDS
    remind = warning.event.level == "remind" and warning.event.kind not in kinds
    return warning.seen_ms + (REMIND_MS if remind else ALARM_MS)


def placed(view: CallView) -> dict[Slot, ShownCard | StandingWarning | None]:
    """What stands in each place now. An ended call shows no cards: its summary does."""
    places: dict[Slot, ShownCard | StandingWarning | None] = dict.fromkeys(SLOTS)
    if view.ended_at is not None:
        return places
    for slot in SLOTS:
        standing = [c for c in view.cards if c.event.slot == slot and c.stands(view.now_ms)]
        places[slot] = max(standing, key=_card_rank, default=None)
    warning = max(_warnings(view), key=_warning_rank, default=None)
    card = places["wrong"]
    if warning and not (isinstance(card, ShownCard) and card.event.priority > _weight(warning)):
        places["wrong"] = warning
    return places


def _warnings(view: CallView) -> list[StandingWarning]:
    """Warnings that may stand; one that a standing card was made from leaves it the place."""
    answered = {
        origin
        for card in view.cards
        if card.event.slot == "wrong" and not card.withdrawn
        for origin in card.event.derived_from
    }
    return [
        warning
        for warning in view.warnings
        if not warning.withdrawn
        and warning.verdict is None
        and view.now_ms < leaves_at(warning)
        and not answered & {warning.event.event_id, warning.event.warning_id}
    ]


def _card_rank(card: ShownCard) -> tuple[int, int]:
    return card.event.priority, card.seen_ms


def _weight(warning: StandingWarning) -> int:
    weight = _PRIORITY.get(warning.event.kind, 50)
    return weight if warning.event.level == "alarm" else weight - 40


def _warning_rank(warning: StandingWarning) -> tuple[int, int]:
    return _weight(warning), warning.seen_ms
