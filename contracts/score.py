"""The live quality score, and what people say against it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.base import Derived, Event, Id

DeductionId = Annotated[str, Field(min_length=1, max_length=200)]
"""Id of a deduction in its call."""


class ScoreChanged(Derived):
    """A deduction was made or taken back; the evidence is in `evidence`."""

    event: ClassVar[str] = "score.changed"

    deduction_id: DeductionId
    """The deduction; appeals name it."""
    item: str
    """Id of the item of the score table, for instance `rhetorical-question`."""
    name: str
    """The item's Chinese name on the page."""
    score: Annotated[int, Field(ge=0, le=100)]
    """The score now, 0–100."""
    points: int
    """Points of this change; negative for a deduction, positive where one is taken back."""
    reason: str
    """What for, in words for the agent."""

    @property
    def key(self) -> str:
        """The deduction, and which way it went."""
        return f"{self.deduction_id}.{'made' if self.points < 0 else 'returned'}"


class DeductionAppealed(Event):
    """An agent holds that a deduction is wrong."""

    event: ClassVar[str] = "deduction.appealed"

    deduction_id: DeductionId
    """The deduction."""
    agent_id: Id
    """工号."""
    reason: Annotated[str, Field(max_length=500)] = ""
    """Why, in the agent's own words; may be empty."""

    @property
    def key(self) -> str:
        """One appeal a deduction."""
        return self.deduction_id


class AppealDecided(Event):
    """A supervisor decided an appeal."""

    event: ClassVar[str] = "appeal.decided"

    deduction_id: DeductionId
    """The deduction."""
    supervisor: Id
    """Account of the supervisor who decided."""
    accepted: bool
    """True: the agent is right and the points are given back; False: the deduction stands."""
    remark: Annotated[str, Field(max_length=500)] = ""
    """Why, in the supervisor's own words; may be empty."""

    @property
    def key(self) -> str:
        """One decision a deduction."""
        return self.deduction_id
