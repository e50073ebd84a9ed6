"""What must reach a supervisor, and its life until it is closed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contracts.base import Event
from contracts.escalation import (
    EscalationAcknowledged,
    EscalationClosed,
    EscalationRaised,
    EscalationTakenOver,
)
from services.desk.call_view import MAX_ITEMS, CallView, Escalated, EscalationState

_ORDER: tuple[EscalationState, ...] = ("raised", "acknowledged", "taken_over", "closed")
_AFTER: dict[type[Event], EscalationState] = {
    EscalationAcknowledged: "acknowledged",
    EscalationTakenOver: "taken_over",
    EscalationClosed: "closed",
}


def raised(view: CallView, event: EscalationRaised) -> CallView:
    """An escalation, or one that rose again."""
    known = next(
        (e for e in view.escalations if e.event.escalation_id == event.escalation_id), None
    )
    if known is None:
        escalated = Escalated(event, raised_at=event.wall_time)
        return replace(view, escalations=(*view.escalations, escalated)[-MAX_ITEMS:])
    if event.rise <= known.event.rise:
        return view
    return _change(view, event.escalation_id, event=event)


def handled(
    view: CallView, event: EscalationAcknowledged | EscalationTakenOver | EscalationClosed
) -> CallView:
    """A supervisor acted; the state never goes back."""
    state = _AFTER[type(event)]
    for escalated in view.escalations:
        same = escalated.event.escalation_id == event.escalation_id
        if same and _ORDER.index(state) > _ORDER.index(escalated.state):
            return _change(
                view,
                event.escalation_id,
                state=state,
                supervisor=event.supervisor,
                handled_at=event.wall_time,
                verdict=getattr(event, "verdict", ""),
            )
    return view


def _change(view: CallView, escalation_id: str, **changes: Any) -> CallView:
    return replace(
        view,
        escalations=tuple(
            replace(e, **changes) if e.event.escalation_id == escalation_id else e
            for e in view.escalations
        ),
    )
