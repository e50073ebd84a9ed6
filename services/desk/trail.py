"""What kind of call it is now, and the types it went through: the caller's turns, as they are seen
today. A turn to a type that was corrected later is told with the corrected one."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.call_type import CallType, CallTypeTurned
from services.desk.call_view import CallView


@dataclass(frozen=True, slots=True)
class Step:
    """A type that the call had for a while."""

    type: CallType
    """The type, corrected where it was mistaken at first."""
    turn: CallTypeTurned | None
    """How the call came to it; None for the one it began with."""

    @property
    def mistaken(self) -> CallType | None:
        """What it was taken for at first; None where that was right."""
        return self.turn.type if self.turn and self.turn.type != self.type else None


def type_now(view: CallView) -> tuple[CallType | None, float]:
    """The type and how sure it is. A turn may arrive before the assessment that goes with it."""
    last = view.turns[-1] if view.turns else None
    known = view.type
    if last and (known is None or (known.at_ms < last.at_ms and known.wall_time < last.wall_time)):
        return last.type, last.confidence
    return (known.type, known.confidence) if known else (None, 0.0)


def steps(view: CallView) -> tuple[Step, ...]:
    """Every turn with the type it is known to have led to, and before them the first type; nothing
    while the caller has not turned."""
    if not view.turns:
        return ()
    last = type_now(view)[0] or view.turns[-1].type
    types = [*(turn.previous for turn in view.turns), last]
    return tuple(map(Step, types, (None, *view.turns)))


def trail(view: CallView) -> tuple[Step, ...]:
    """The steps in which the type really changed: 求助 → 发泄 → 投诉."""
    kept: list[Step] = []
    for step in steps(view):
        if not kept or kept[-1].type != step.type:
            kept.append(step)
    return tuple(kept) if len(kept) > 1 else ()
