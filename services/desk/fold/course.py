"""The call itself: answered, of which type, at which moments, over."""

from __future__ import annotations

from dataclasses import replace

from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallTypeAssessed, CallTypeTurned
from contracts.situation import SituationRecognised
from services.desk.call_view import MAX_ITEMS, CallView
from services.desk.marks import remarked
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
    """The type as it was last assessed."""
    known = view.type
    if known and (known.wall_time, known.at_ms) > (event.wall_time, event.at_ms):
        return view
    return replace(view, type=event)


def turned(view: CallView, event: CallTypeTurned) -> CallView:
    """The caller turned to another type."""
    if any(turn.event_id == event.event_id for turn in view.turns):
        return view
    turns = sorted((*view.turns, event), key=lambda turn: (turn.at_ms, turn.event_id))
    return remarked(replace(view, turns=tuple(turns[-MAX_ITEMS:])))


def recognised(view: CallView, event: SituationRecognised) -> CallView:
    """A moment that needs its own wording."""
    if any(moment.event_id == event.event_id for moment in view.situations):
        return view
    found = sorted((*view.situations, event), key=lambda moment: (moment.at_ms, moment.event_id))
    return replace(view, situations=tuple(found[-MAX_ITEMS:]))
