"""From events to the view of a call: a pure fold that takes events in any order, and twice.

Anything a producer may send is folded without an error: a withdrawal of what never came is
ignored, an event seen again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.base import UNSTAMPED, Event
from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallTypeAssessed
from contracts.card import CardShown, CardWithdrawn
from contracts.escalation import (
    EscalationAcknowledged,
    EscalationClosed,
    EscalationRaised,
    EscalationTakenOver,
)
from contracts.feedback import FeedbackGiven
from contracts.phrase import PhraseDue, PhraseSaid
from contracts.score import ScoreChanged
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.transcript import TranscriptFinal, TranscriptPartial
from contracts.warning import (
    HoldEnded,
    HoldStarted,
    SilenceEnded,
    SilenceStarted,
    WarningConfirmed,
    WarningRaised,
    WarningWithdrawn,
)
from services.desk import slots
from services.desk.call_view import (
    CallView,
    Clock,
    Escalated,
    EscalationState,
    Line,
    ShownCard,
    Span,
    StandingWarning,
    Tick,
)
from services.desk.marks import hits_of, marked
from services.desk.masking import mask_number

AHEAD_MS = 400
BEHIND_MS = 1_500
"""How far audio may be off the expected before the call's clock is set anew, ms: voice activity
is always decided a little late."""
MAX_LINES = 2_000
MAX_SPANS = 4_000
MAX_ITEMS = 500
"""Bounds of what is held of one call; the oldest goes first."""


def fold(view: CallView, event: Event) -> CallView:
    """The view after one event of its call."""
    if event.wall_time.tzinfo is None:
        event = event.model_copy(update={"wall_time": event.wall_time.replace(tzinfo=UTC)})
    view = _advance(view, event)
    handler = _HANDLERS.get(type(event))
    return handler(view, event) if handler else view


def _advance(view: CallView, event: Event) -> CallView:
    """Set the clock: latest audio time, and the wall time it was known at."""
    wall = event.wall_time
    heard = max(event.at_ms, getattr(event, "end_ms", 0), getattr(event, "audio_ms", 0))
    last = max(wall, view.last_event_at or UNSTAMPED)
    if view.clock is None or isinstance(event, CallEnded):
        clock = _clock(event.at_ms if isinstance(event, CallEnded) else heard, wall)
    elif view.ended_at is not None:
        clock = view.clock
    else:
        expected = view.clock.at(wall)
        # What is derived comes late, about earlier audio: it can only set the clock forward.
        ahead = heard > expected + AHEAD_MS
        behind = event.event == "progressed" and heard < expected - BEHIND_MS
        going_on = replace(view.clock, at_ms=max(expected, view.clock.at_ms))
        clock = _clock(heard, wall) if ahead or behind else going_on
    return replace(view, clock=clock, last_event_at=last)


def _clock(at_ms: int, wall: datetime) -> Clock:
    try:
        return Clock(wall - timedelta(milliseconds=at_ms), at_ms)
    except OverflowError:  # an audio time of centuries: no call, but no reason to fall over
        return Clock(wall, 0)


def _started(view: CallView, event: CallStarted) -> CallView:
    return replace(
        view,
        agent_id=event.agent_id,
        number=mask_number(event.caller_number),
        region=event.region,
        started_at=event.wall_time,
    )


def _ended(view: CallView, event: CallEnded) -> CallView:
    return replace(
        view,
        ended_ms=event.at_ms,
        ended_at=event.wall_time,
        ended_by=event.ended_by,
        partials=(),
        hold=None,
        silence=None,
    )


def _speech_started(view: CallView, event: SpeechStarted) -> CallView:
    if any(s.role == event.role and s.start_ms == event.at_ms for s in view.speech):
        return view
    if event.role == "caller":
        view = _over(view, slots.CALLER_KINDS)
    return replace(view, speech=(*view.speech, Span(event.role, event.at_ms, None))[-MAX_SPANS:])


def _speech_ended(view: CallView, event: SpeechEnded) -> CallView:
    span = Span(event.role, event.at_ms, max(event.end_ms, event.at_ms))
    others = tuple(s for s in view.speech if (s.role, s.start_ms) != (span.role, span.start_ms))
    return replace(view, speech=(*others, span)[-MAX_SPANS:])


def _partial(view: CallView, event: TranscriptPartial) -> CallView:
    if view.ended_at is not None or dict(view.decoded).get(event.role, -1) >= event.end_ms:
        return view
    earlier = next((p for p in view.partials if p.role == event.role), None)
    if earlier and (earlier.at_ms, earlier.end_ms) > (event.at_ms, event.end_ms):
        return view
    others = tuple(p for p in view.partials if p.role != event.role)
    return replace(view, partials=(*others, event) if event.text else others)


def _final(view: CallView, event: TranscriptFinal) -> CallView:
    decoded = dict(view.decoded)
    decoded[event.role] = max(decoded.get(event.role, 0), event.end_ms)
    partials = tuple(
        p for p in view.partials if p.role != event.role or p.end_ms > decoded[event.role]
    )
    lines = tuple(
        line for line in view.lines if (line.role, line.start_ms) != (event.role, event.at_ms)
    )
    if event.text.strip():
        line = Line(event.role, event.at_ms, event.end_ms, event.text, event.corrections)
        lines = tuple(sorted((*lines, marked(line, hits_of(view))), key=_line_order)[-MAX_LINES:])
    delay = view.delay_ms
    if view.started_at is not None:
        took = (event.wall_time - view.started_at) / timedelta(milliseconds=1) - event.end_ms
        # A recording played faster than it was spoken has no delay that means anything.
        delay = round(took) if took >= 0 else None
    return replace(
        view, lines=lines, partials=partials, decoded=tuple(decoded.items()), delay_ms=delay
    )


def _line_order(line: Line) -> tuple[int, int, str]:
    return line.start_ms, line.end_ms, line.role


def _remark(view: CallView) -> CallView:
    hits = hits_of(view)
    return replace(view, lines=tuple(marked(line, hits) for line in view.lines))


def _type(view: CallView, event: CallTypeAssessed) -> CallView:
    before = view.type.type if view.type else None
    previous = view.previous_type
    if before is not None and before != event.type:
        previous = before
    elif event.previous is not None:
        previous = event.previous
    return replace(view, type=event, previous_type=previous if event.type else None)


def _card(view: CallView, event: CardShown) -> CallView:
    if any(card.event.event_id == event.event_id for card in view.cards):
        return view
    card = ShownCard(event, seen_ms=view.now_ms)
    cards = slots.with_card(view.cards, card, view.now_ms)[-MAX_ITEMS:]
    return _remark(replace(view, cards=cards))


def _card_withdrawn(view: CallView, event: CardWithdrawn) -> CallView:
    return _change_card(view, event.card_id, event.at_ms, withdrawn=True)


def _change_card(view: CallView, card_id: str, at_ms: int, **changes: Any) -> CallView:
    """Change a card, as far as it came before `at_ms`: a later one may bear the same id."""
    cards = tuple(
        replace(card, **changes)
        if card.event.card_id == card_id and card.event.at_ms <= at_ms
        else card
        for card in view.cards
    )
    return _remark(replace(view, cards=cards))


def _warning(view: CallView, event: WarningRaised) -> CallView:
    if any(w.event.warning_id == event.warning_id for w in view.warnings):
        return view
    warning = StandingWarning(event, seen_ms=view.now_ms, provisional=event.provisional)
    return _remark(replace(view, warnings=(*view.warnings, warning)[-MAX_ITEMS:]))


def _change_warning(view: CallView, warning_id: str, **changes: Any) -> CallView:
    warnings = tuple(
        replace(w, **changes) if w.event.warning_id == warning_id else w for w in view.warnings
    )
    return _remark(replace(view, warnings=warnings))


def _warning_confirmed(view: CallView, event: WarningConfirmed) -> CallView:
    return _change_warning(view, event.warning_id, provisional=False)


def _warning_withdrawn(view: CallView, event: WarningWithdrawn) -> CallView:
    return _change_warning(view, event.warning_id, withdrawn=True)


def _hold_started(view: CallView, event: HoldStarted) -> CallView:
    return replace(view, hold=event) if view.ended_at is None else view


def _hold_ended(view: CallView, event: HoldEnded) -> CallView:
    if view.hold and view.hold.at_ms > event.at_ms:
        return view
    return _over(replace(view, hold=None), slots.WAITING_KINDS)


def _silence_started(view: CallView, event: SilenceStarted) -> CallView:
    return replace(view, silence=event) if view.ended_at is None else view


def _silence_ended(view: CallView, event: SilenceEnded) -> CallView:
    if view.silence and view.silence.at_ms > event.at_ms:
        return view
    return _over(replace(view, silence=None), slots.SILENCE_KINDS)


def _over(view: CallView, kinds: frozenset[str]) -> CallView:
    warnings = tuple(
        replace(w, over_ms=view.now_ms) if w.event.kind in kinds and w.over_ms is None else w
        for w in view.warnings
    )
    return replace(view, warnings=warnings)


def _phrase_due(view: CallView, event: PhraseDue) -> CallView:
    return _tick(view, Tick(event.phrase, event.name, event.at_ms, said=False))


def _phrase_said(view: CallView, event: PhraseSaid) -> CallView:
    return _tick(view, Tick(event.phrase, event.name, event.at_ms, said=True))


def _tick(view: CallView, tick: Tick) -> CallView:
    known = next((t for t in view.ticks if t.phrase == tick.phrase), None)
    if known is None:
        return replace(view, ticks=(*view.ticks, tick)[-MAX_ITEMS:])
    # Said stays said, unless the phrase falls due again later (a second wait, a second thanks).
    if known.said and not tick.said and tick.at_ms <= known.at_ms:
        return view
    return replace(view, ticks=tuple(tick if t.phrase == tick.phrase else t for t in view.ticks))


def _score(view: CallView, event: ScoreChanged) -> CallView:
    if any(d.event_id == event.event_id for d in view.deductions):
        return view
    return replace(view, deductions=(*view.deductions, event)[-MAX_ITEMS:])


def _escalation_raised(view: CallView, event: EscalationRaised) -> CallView:
    known = next(
        (e for e in view.escalations if e.event.escalation_id == event.escalation_id), None
    )
    if known is None:
        escalated = Escalated(event, raised_at=event.wall_time)
        return replace(view, escalations=(*view.escalations, escalated)[-MAX_ITEMS:])
    if event.rise <= known.event.rise:
        return view
    return _change_escalation(view, event.escalation_id, event=event)


def _change_escalation(view: CallView, escalation_id: str, **changes: Any) -> CallView:
    return replace(
        view,
        escalations=tuple(
            replace(e, **changes) if e.event.escalation_id == escalation_id else e
            for e in view.escalations
        ),
    )


_AFTER: dict[type[Event], EscalationState] = {
    EscalationAcknowledged: "acknowledged",
    EscalationTakenOver: "taken_over",
    EscalationClosed: "closed",
}


def _escalation_handled(
    view: CallView, event: EscalationAcknowledged | EscalationTakenOver | EscalationClosed
) -> CallView:
    order = ("raised", "acknowledged", "taken_over", "closed")
    state = _AFTER[type(event)]
    for escalated in view.escalations:
        same = escalated.event.escalation_id == event.escalation_id
        if same and order.index(state) > order.index(escalated.state):
            return _change_escalation(
                view,
                event.escalation_id,
                state=state,
                supervisor=event.supervisor,
                handled_at=event.wall_time,
                verdict=getattr(event, "verdict", ""),
            )
    return view


def _feedback(view: CallView, event: FeedbackGiven) -> CallView:
    if event.target == "warning":
        return _change_warning(view, event.target_id, verdict=event.verdict)
    return _change_card(view, event.target_id, event.at_ms, verdict=event.verdict)


_HANDLERS: dict[type[Event], Callable[[CallView, Any], CallView]] = {
    CallStarted: _started,
    CallEnded: _ended,
    SpeechStarted: _speech_started,
    SpeechEnded: _speech_ended,
    TranscriptPartial: _partial,
    TranscriptFinal: _final,
    CallTypeAssessed: _type,
    CardShown: _card,
    CardWithdrawn: _card_withdrawn,
    WarningRaised: _warning,
    WarningConfirmed: _warning_confirmed,
    WarningWithdrawn: _warning_withdrawn,
    HoldStarted: _hold_started,
    HoldEnded: _hold_ended,
    SilenceStarted: _silence_started,
    SilenceEnded: _silence_ended,
    PhraseDue: _phrase_due,
    PhraseSaid: _phrase_said,
    ScoreChanged: _score,
    EscalationRaised: _escalation_raised,
    EscalationAcknowledged: _escalation_handled,
    EscalationTakenOver: _escalation_handled,
    EscalationClosed: _escalation_handled,
    FeedbackGiven: _feedback,
}
