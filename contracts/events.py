"""The catalogue of events: name → model. Adding an event is adding a line here."""

from __future__ import annotations

from pydantic import ValidationError

from contracts.base import Event
from contracts.call import CallEnded, CallProgressed, CallStarted
from contracts.call_type import CallTypeAssessed, CallTypeTurned
from contracts.card import CardShown, CardWithdrawn
from contracts.escalation import (
    EscalationAcknowledged,
    EscalationClosed,
    EscalationRaised,
    EscalationTakenOver,
)
from contracts.feedback import FeedbackGiven
from contracts.gap import GapNoted
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

KEPT: dict[str, type[Event]] = {
    model.event: model
    for model in (
        CallStarted,
        CallEnded,
        CallProgressed,
        SpeechStarted,
        SpeechEnded,
        TranscriptFinal,
        CallTypeAssessed,
        CallTypeTurned,
        SituationRecognised,
        CardShown,
        CardWithdrawn,
        WarningRaised,
        WarningConfirmed,
        WarningWithdrawn,
        SilenceStarted,
        SilenceEnded,
        HoldStarted,
        HoldEnded,
        PhraseDue,
        PhraseSaid,
        ScoreChanged,
        DeductionAppealed,
        AppealDecided,
        EscalationRaised,
        EscalationAcknowledged,
        EscalationTakenOver,
        EscalationClosed,
        FeedbackGiven,
        GapNoted,
    )
}
"""Events that are kept: `banxi.v1.{site}.call.{call_id}.{event}`."""

LIVE: dict[str, type[Event]] = {TranscriptPartial.event: TranscriptPartial}
"""Events that may be lost: `banxi.v1.{site}.live.{call_id}.{event}`."""


class NotAContract(ValueError):
    """A message that is none of ours. The text names fields and rules, never values:
    values may be a caller's words."""


def read_event(name: str, payload: bytes) -> Event:
    """Read the JSON of event `name`. Raises NotAContract with a reason that holds no payload."""
    model = KEPT.get(name) or LIVE.get(name)
    if model is None:
        raise NotAContract("unknown event name")
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        raise NotAContract(why(error)) from None


def why(error: ValidationError) -> str:
    """What is wrong with a message, field by field, without the values it held."""
    parts = []
    for item in error.errors(include_input=False, include_url=False, include_context=False)[:5]:
        field = ".".join(str(part) for part in item["loc"]) or "payload"
        parts.append(f"{field}: {item['msg']}")
    return "; ".join(parts)
