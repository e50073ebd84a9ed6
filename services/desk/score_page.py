"""What the pages show of a call's score: its deductions, and the appeals that wait."""

from __future__ import annotations

from contracts.requests import ScoreSheet
from services.desk.call_view import CallView
from services.desk.charges import Charge, charges
from services.desk.wire import Json, millis, words


def score(view: CallView) -> Json:
    """The score now and every deduction, for the call's own agent."""
    return {"score": view.score, "deductions": [_deduction(c) for c in charges(view)]}


def unjudged(sheet: ScoreSheet) -> Json:
    """What the score table leaves to the inspector, and the score as conduct has it."""
    return {
        "score": sheet.score,
        "unjudged": [
            {"name": item.name, "points": item.points, "why": item.why} for item in sheet.unjudged
        ],
    }


def open_appeals(view: CallView) -> Json:
    """The appeals of a call that wait for a supervisor."""
    return [
        _deduction(item)
        | {
            "call": view.call_id,
            "agent": view.agent_id,
            "appealed": millis(item.appeal.appealed_at),
        }
        for item in charges(view)
        if item.appeal and item.state == "appealed"
    ]


def _deduction(item: Charge) -> dict[str, Json]:
    event, appeal = item.event, item.appeal
    decision = appeal.decision if appeal else None
    spoken = [piece.start_ms for piece in event.evidence if piece.words and piece.start_ms]
    return {
        "id": event.deduction_id,
        "name": event.name,
        "points": -event.points,
        "reason": event.reason,
        "words": words(event.evidence),
        "at": min(spoken, default=event.at_ms),
        "state": item.state,
        "appeal": appeal.event.reason if appeal else "",
        "supervisor": decision.supervisor if decision else "",
        "remark": decision.remark if decision else "",
    }
