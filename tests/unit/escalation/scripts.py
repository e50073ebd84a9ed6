"""Events of scripted calls, short to write."""

from __future__ import annotations

from contracts.base import Event, Evidence, Producer
from contracts.call import CallStarted
from contracts.call_type import CallType, CallTypeAssessed, CallTypeTurned
from contracts.escalation import EscalationClosed, EscalationRaised
from contracts.transcript import TranscriptFinal
from contracts.warning import (
    Level,
    WarningConfirmed,
    WarningKind,
    WarningRaised,
    WarningWithdrawn,
)
from services.escalation.files import read
from services.escalation.policy import follow
from services.escalation.red_lines import RedLines
from services.escalation.rules import Rules
from services.escalation.settings import DATA
from services.escalation.view import CallView, Policy

CALL = {"call_id": "c1", "site": "s1"}
BY = Producer(name="r", version="1")
POLICY = Policy(read(DATA / "policy.yaml", Rules), read(DATA / "red_lines.yaml", RedLines))
"""The policy that comes with the service."""


def started() -> CallStarted:
    return CallStarted(**CALL, at_ms=0, agent_id="015", caller_number="13900000000")


def warning(
    id_: str,
    kind: WarningKind,
    at_ms: int = 1000,
    *,
    lasts_ms: int = 1000,
    level: Level = "alarm",
    provisional: bool = False,
    words: str = "",
) -> WarningRaised:
    return WarningRaised(
        **CALL,
        at_ms=at_ms,
        by=BY,
        warning_id=id_,
        kind=kind,
        level=level,
        provisional=provisional,
        end_ms=at_ms + lasts_ms,
        due_ms=at_ms + lasts_ms,
        message="…",
        evidence=(Evidence(words=words, role="agent"),) if words else (),
    )


def confirmed(id_: str) -> WarningConfirmed:
    return WarningConfirmed(**CALL, at_ms=5000, by=BY, warning_id=id_)


def withdrawn(id_: str) -> WarningWithdrawn:
    return WarningWithdrawn(**CALL, at_ms=6000, by=BY, warning_id=id_, reason="…")


def assessed(type_: CallType | None, confidence: float, at_ms: int = 1000) -> CallTypeAssessed:
    return CallTypeAssessed(**CALL, at_ms=at_ms, by=BY, type=type_, confidence=confidence)


def turned(
    previous: CallType, type_: CallType, confidence: float, at_ms: int = 1000
) -> CallTypeTurned:
    return CallTypeTurned(
        **CALL, at_ms=at_ms, by=BY, previous=previous, type=type_, confidence=confidence
    )


def says(text: str, at_ms: int = 1000, lasts_ms: int = 2000, role: str = "caller") -> Event:
    return TranscriptFinal.model_validate(
        {
            **CALL,
            "at_ms": at_ms,
            "end_ms": at_ms + lasts_ms,
            "role": role,
            "text": text,
            "heard": text,
            "by": BY,
        }
    )


def run(*events: Event) -> list[Event]:
    """What the policy makes of a call, its own events coming back to it as they do on the bus."""
    view = CallView("c1", "s1")
    said: list[Event] = []
    for event in events:
        view, made = follow(view, event, POLICY)
        for one in made:
            view, more = follow(view, one, POLICY)
            assert not more
        said.extend(made)
    return said


def titles(events: list[Event]) -> list[str]:
    return [event.title for event in events if isinstance(event, EscalationRaised)]


def closed(events: list[Event]) -> list[tuple[str, str, str]]:
    return [
        (event.escalation_id, event.supervisor, event.verdict)
        for event in events
        if isinstance(event, EscalationClosed)
    ]
