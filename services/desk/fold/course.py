"""The call itself: answered, of which type, over."""

from __future__ import annotations

from dataclasses import replace

from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallTypeAssessed
from services.desk.call_view import CallView
from services.desk.masking import mask_number


def started(view: CallView, event: CallStarted) -> CallView:
    """Answered: whose call it is, and when its clock was at 0."""
    return replace(
        view,
        agent_id=event.agent_id,
        number=mask_number(event.caller_number),
        region=event.region,
        started_at=event.wall_time,
    )


def ended(view: CallView, event: CallEnded) -> CallView:
    """Over: nothing is open, nobody waits."""
    return replace(
        view,
        ended_ms=event.at_ms,
        ended_at=event.wall_time,
        ended_by=event.ended_by,
        partials=(),
        hold=None,
        silence=None,
    )


def assessed(view: CallView, event: CallTypeAssessed) -> CallView:
    """The type, and the one before it."""
    before = view.type.type if view.type else None
    previous = view.previous_type
    if before is not None and before != event.type:
        previous = before
    elif event.previous is not None:
        previous = event.previous
    return replace(view, type=event, previous_type=previous if event.type else None)
