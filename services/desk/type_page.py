"""What the pages show of the call's type: what it is and may be, how it came about, and when."""

from __future__ import annotations

from services.desk.call_view import CallView
from services.desk.trail import Step, steps, trail, type_now
from services.desk.wire import Json, Sections, millis, words

ALSO_MIN = 0.15
"""Confidence from which a second type is worth naming."""
MAX_WORDS = 4
"""How many pieces of evidence are shown."""
MAX_COURSE = 60
"""How many turns and moments are listed; the latest."""


def call_type(view: CallView) -> Json:
    """The type with what else it may be, the intake kind, and the types before it; `type` is None
    while it is not known. `turned`: wall time of the last turn."""
    known, confidence = type_now(view)
    assessed = view.type
    # The assessment that goes with a turn may still be on its way.
    its_own = assessed if assessed and known and assessed.type == known else None
    evidence = its_own.evidence if its_own else view.turns[-1].evidence if known else ()
    also = [t for t in its_own.types if t.type != known] if its_own else []
    return {
        "type": known,
        "confidence": round(confidence * 100),
        "also": {"type": also[0].type, "confidence": round(also[0].confidence * 100)}
        if also and also[0].confidence >= ALSO_MIN
        else None,
        "intake": assessed.intake if assessed else None,
        "words": [piece.words for piece in evidence if piece.words][:MAX_WORDS],
        "trail": [_step(step) for step in trail(view)],
        "turned": millis(view.turns[-1].wall_time) if view.turns else 0,
    }


def course(view: CallView) -> list[Json]:
    """The call's turns and moments in one row, in the order they came. `later`: what a turn was
    corrected to."""
    turns: list[Sections] = [
        {
            "kind": "turn",
            "at": step.turn.at_ms,
            "text": f"{step.turn.previous} → {step.turn.type}",
            "words": words(step.turn.evidence),
            "later": step.type if step.mistaken else None,
        }
        for step in steps(view)
        if step.turn
    ]
    moments: list[Sections] = [
        {
            "kind": "moment",
            "at": moment.at_ms,
            "text": moment.name,
            "words": words(moment.evidence),
            "later": None,
        }
        for moment in view.situations
    ]
    return sorted([*turns, *moments], key=lambda item: item["at"])[-MAX_COURSE:]


def _step(step: Step) -> Json:
    return {
        "type": step.type,
        "at": step.turn.at_ms if step.turn else 0,
        "words": words(step.turn.evidence) if step.turn else "",
        "mistaken": step.mistaken,
    }
