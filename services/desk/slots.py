"""Which card stands in each of the page's three places: at most one a place.

`wrong` is shared by wording cards and warnings; a card and the warning it belongs to are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from contracts.base import Role
from contracts.card import CardShown, Slot
from contracts.warning import WarningKind, WarningRaised
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

WAITING_KINDS: frozenset[WarningKind] = frozenset({"hold_over_30s"})
SILENCE_KINDS: frozenset[WarningKind] = frozenset({"silence"})
OVER_BY_VOICE: Mapping[Role, frozenset[WarningKind]] = {
    "caller": frozenset({"silent_caller"}),
    "agent": frozenset({"caller_unattended", "hold_unannounced"}),
}
"""Warnings that are over when the wait or the silence is, or when that side speaks."""
_UNTIL_OVER = WAITING_KINDS | SILENCE_KINDS | OVER_BY_VOICE["caller"] | OVER_BY_VOICE["agent"]

_PRIORITY: dict[WarningKind, int] = {
    "forbidden_phrase": 90,
    "hold_over_30s": 80,
    "caller_unattended": 80,
    "silence": 70,
    "agent_hung_up_first": 70,
    "silent_caller": 60,
    "hold_unannounced": 60,
    "interruption": 60,
    "talking_over": 60,
}
_WORDING = 100
"""How far wording for a moment stands before advice for the whole call, whatever its priority."""
_QUIETER = 40
"""How far a hint, and what may yet be withdrawn, stands behind an alarm."""


def with_card(view: CallView, new: ShownCard) -> tuple[ShownCard, ...]:
    """The call's cards after a new one: it takes its place, or waits behind one of higher
    priority. One about a warning that may yet be withdrawn replaces nothing; advice for the whole
    call is only covered by wording for a moment, and is there again when that has passed."""
    warning = about(view, new)
    if warning and warning.provisional:
        return (*view.cards, new)
    return (
        *(replace(c, superseded=True) if _gives_way(view, c, new) else c for c in view.cards),
        new,
    )


def _gives_way(view: CallView, card: ShownCard, new: ShownCard) -> bool:
    """Whether a card that stands is replaced by a new one for good."""
    if card.event.slot != new.event.slot or not card.stands(view.now_ms):
        return False
    if _is_wording(new, than=card):
        return False
    stronger = new.event.priority >= card.event.priority and not _is_wording(card, than=new)
    return stronger or new.seen_ms - card.seen_ms >= YIELD_MS


def _is_wording(card: ShownCard, than: ShownCard) -> bool:
    """Whether a card is wording for a moment, and the other advice for the whole call."""
    return card.event.kind == "wording" and than.event.kind == "advice"


def advice(view: CallView) -> ShownCard | None:
    """The advice that holds for the call now, whether or not it is on the page."""
    for card in reversed(view.cards):
        if card.event.kind == "advice" and card.event.slot == "moment":
            return None if card.withdrawn or card.verdict == "wrong" else card
    return None


def leaves_at(warning: StandingWarning) -> int:
    """Audio time at which a warning leaves the page by itself, ms."""
    if warning.over_ms is not None:
        return max(warning.over_ms, warning.seen_ms) + AFTER_MS
    remind = warning.event.level == "remind" and warning.event.kind not in _UNTIL_OVER
    return warning.seen_ms + (REMIND_MS if remind else ALARM_MS)


def placed(view: CallView) -> dict[Slot, ShownCard | StandingWarning | None]:
    """What stands in each place now. An ended call shows no cards: its summary does."""
    places: dict[Slot, ShownCard | StandingWarning | None] = dict.fromkeys(SLOTS)
    if view.ended_at is not None:
        return places
    for slot in SLOTS:
        standing = [c for c in view.cards if c.event.slot == slot and _stands(view, c)]
        ranked: list[tuple[tuple[int, int], ShownCard | StandingWarning]]
        ranked = [(_card_rank(view, c), c) for c in standing]
        if slot == "wrong":
            ranked += [(_warning_rank(w), w) for w in _warnings(view)]
        places[slot] = max(ranked, key=lambda item: item[0], default=(None, None))[1]
    return places


def about(view: CallView, card: ShownCard) -> StandingWarning | None:
    """The warning that a card of the `wrong` place belongs to: the two are one matter, shown
    once, confirmed, dismissed and withdrawn together."""
    if card.event.slot != "wrong":
        return None
    own = [w for w in view.warnings if _belongs(card.event, w.event)]
    return max(own, key=lambda w: (w.event.at_ms == card.event.at_ms, w.seen_ms), default=None)


def _belongs(card: CardShown, warning: WarningRaised) -> bool:
    """Whether a card names a warning it was made from, or is of its rule and moment."""
    if {warning.event_id, warning.warning_id} & set(card.derived_from):
        return True
    if card.by.name != warning.by.name:
        return False
    start = min((e.start_ms for e in card.evidence), default=card.at_ms)
    end = max((e.end_ms for e in card.evidence), default=card.at_ms)
    return start == warning.at_ms or (start < warning.end_ms and warning.at_ms < end)


def _stands(view: CallView, card: ShownCard) -> bool:
    if not card.stands(view.now_ms):
        return False
    warning = about(view, card)
    if warning is None:
        return True
    taken_back = warning.withdrawn or warning.verdict is not None
    return not taken_back and warning.event.level != "note"


def _warnings(view: CallView) -> list[StandingWarning]:
    """Warnings that may stand; one that a card belongs to leaves it the place, and a phrase that
    is missing is told by its tick unless it is an alarm."""
    cards = [c for c in view.cards if c.event.slot == "wrong" and not c.withdrawn]
    return [
        warning
        for warning in view.warnings
        if not warning.withdrawn
        and warning.verdict is None
        and warning.event.level != "note"
        and not (warning.event.kind == "missing_phrase" and warning.event.level == "remind")
        and view.now_ms < leaves_at(warning)
        and not any(_belongs(card.event, warning.event) for card in cards)
    ]


def _card_rank(view: CallView, card: ShownCard) -> tuple[int, int]:
    warning = about(view, card)
    if warning:
        return _weight(warning), card.seen_ms
    first = card.event.slot == "moment" and card.event.kind == "wording"
    return card.event.priority + (_WORDING if first else 0), card.seen_ms


def _weight(warning: StandingWarning) -> int:
    weight = _PRIORITY.get(warning.event.kind, 50)
    return weight if is_loud(warning) else weight - _QUIETER


def is_loud(warning: StandingWarning) -> bool:
    """Whether it is an alarm that is certain; everything else is a quiet hint."""
    return warning.event.level == "alarm" and not warning.provisional


def _warning_rank(warning: StandingWarning) -> tuple[int, int]:
    return _weight(warning), warning.seen_ms
