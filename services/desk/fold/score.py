"""The score: what was deducted and given back, what was appealed, and how that was decided."""

from __future__ import annotations

from dataclasses import replace

from contracts.score import AppealDecided, DeductionAppealed, ScoreChanged
from services.desk.call_view import MAX_ITEMS, Appeal, CallView


def changed(view: CallView, event: ScoreChanged) -> CallView:
    """Points were taken off or given back."""
    if any(change.event_id == event.event_id for change in view.score_changes):
        return view
    return replace(view, score_changes=(*view.score_changes, event)[-MAX_ITEMS:])


def appealed(view: CallView, event: DeductionAppealed) -> CallView:
    """The agent says a deduction is wrong; the first time counts."""
    if any(a.event.deduction_id == event.deduction_id for a in view.appeals):
        return view
    return replace(view, appeals=(*view.appeals, Appeal(event, event.wall_time))[-MAX_ITEMS:])


def decided(view: CallView, event: AppealDecided) -> CallView:
    """A supervisor decided; whoever came first did."""
    appeals = tuple(
        replace(appeal, decision=event)
        if appeal.event.deduction_id == event.deduction_id and appeal.decision is None
        else appeal
        for appeal in view.appeals
    )
    return replace(view, appeals=appeals)
