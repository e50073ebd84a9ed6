"""From events to the view of a call: a pure fold that takes events in any order, and twice.

Anything a producer may send is folded without an error: a withdrawal of what never came is
ignored, an event seen again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from contracts.base import Event
from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallTypeAssessed, CallTypeTurned
from contracts.card import CardShown, CardWithdrawn
from contracts.escalation import (
    EscalationAcknowledged,
    EscalationClosed,
    EscalationRaised,
    EscalationTakenOver,
)
from contracts.feedback import FeedbackGiven
from contracts.phrase import PhraseDue, PhraseSaid
from contracts.score import AppealDecided, DeductionAppealed, ScoreChanged
from contracts.situation import SituationRecognised
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
from services.desk.call_view import CallView
from services.desk.fold import clock, course, escalations, hints, score, talk, ticks, waits


def fold(view: CallView, event: Event) -> CallView:
    """The view after one event of its call."""
    if event.wall_time.tzinfo is None:
        event = event.model_copy(update={"wall_time": event.wall_time.replace(tzinfo=UTC)})
    view = clock.advanced(view, event)
    handler = _HANDLERS.get(type(event))
    return handler(view, event) if handler else view


_HANDLERS: dict[type[Event], Callable[[CallView, Any], CallView]] = {
    CallStarted: course.started,
    CallEnded: course.ended,
    CallTypeAssessed: course.assessed,
    CallTypeTurned: course.turned,
    SituationRecognised: course.recognised,
    SpeechStarted: talk.speech_started,
    SpeechEnded: talk.speech_ended,
    TranscriptPartial: talk.partial,
    TranscriptFinal: talk.final,
    CardShown: hints.card_shown,
    CardWithdrawn: hints.card_withdrawn,
    WarningRaised: hints.warning_raised,
    WarningConfirmed: hints.warning_confirmed,
    WarningWithdrawn: hints.warning_withdrawn,
    FeedbackGiven: hints.feedback_given,
    HoldStarted: waits.hold_started,
    HoldEnded: waits.hold_ended,
    SilenceStarted: waits.silence_started,
    SilenceEnded: waits.silence_ended,
    PhraseDue: ticks.due,
    PhraseSaid: ticks.said,
    ScoreChanged: score.changed,
    DeductionAppealed: score.appealed,
    AppealDecided: score.decided,
    EscalationRaised: escalations.raised,
    EscalationAcknowledged: escalations.handled,
    EscalationTakenOver: escalations.handled,
    EscalationClosed: escalations.handled,
}
