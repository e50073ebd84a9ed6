"""The deductions of a call, each with its life: made, given back, appealed, decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from contracts.score import ScoreChanged
from services.desk.call_view import Appeal, CallView

ChargeState = Literal["stands", "appealed", "confirmed", "accepted", "returned"]
"""`accepted`: a supervisor agreed and the points are on their way back."""


@dataclass(frozen=True, slots=True)
class Charge:
    """One deduction."""

    event: ScoreChanged
    """The event that made it."""
    returned: bool
    """Whether its points were given back."""
    appeal: Appeal | None

    @property
    def state(self) -> ChargeState:
        """Where it stands now."""
        if self.returned:
            return "returned"
        if self.appeal is None:
            return "stands"
        if self.appeal.decision is None:
            return "appealed"
        return "accepted" if self.appeal.decision.accepted else "confirmed"


def charges(view: CallView) -> list[Charge]:
    """Every deduction of a call in the order it was made, those given back too."""
    made: dict[str, ScoreChanged] = {}
    returned: set[str] = set()
    for change in view.score_changes:
        if change.points < 0:
            made[change.deduction_id] = change
            returned.discard(change.deduction_id)
        else:
            returned.add(change.deduction_id)
    appeals = {appeal.event.deduction_id: appeal for appeal in view.appeals}
    return [Charge(event, name in returned, appeals.get(name)) for name, event in made.items()]


def charge(view: CallView, deduction_id: str) -> Charge | None:
    """One deduction of a call."""
    return next((c for c in charges(view) if c.event.deduction_id == deduction_id), None)


def has_open_appeal(view: CallView) -> bool:
    """Whether an appeal of the call waits for a supervisor."""
    return bool(view.appeals) and any(c.state == "appealed" for c in charges(view))
