"""What a supervisor must see, and its life until closed."""

from __future__ import annotations

from typing import ClassVar, Literal

from contracts.base import Derived, Event, Id

Severity = Literal["notice", "urgent", "red_line"]


class EscalationRaised(Derived):
    """Something reached the supervisors; raised again, `rise` higher, while nobody takes it."""

    event: ClassVar[str] = "escalation.raised"

    escalation_id: str
    """Id in its call."""
    severity: Severity
    """How urgent."""
    title: str
    """One line for the wall."""
    reason: str
    """Why, in words: which rule of the policy."""
    agent_id: Id
    """工号 of the agent on the call."""
    rise: int = 0
    """How often it has risen again because nobody acknowledged it."""

    @property
    def key(self) -> str:
        """The escalation and how often it rose."""
        return f"{self.escalation_id}.{self.rise}"


class _Handled(Event):
    escalation_id: str
    """The escalation."""
    supervisor: Id
    """Account of the supervisor."""

    @property
    def key(self) -> str:
        """The escalation."""
        return self.escalation_id


class EscalationAcknowledged(_Handled):
    """A supervisor has seen it."""

    event: ClassVar[str] = "escalation.acknowledged"


class EscalationTakenOver(_Handled):
    """A supervisor takes the matter over."""

    event: ClassVar[str] = "escalation.taken_over"


class EscalationClosed(_Handled):
    """A supervisor closed it."""

    event: ClassVar[str] = "escalation.closed"

    verdict: Literal["real", "false"]
    """Whether it was rightly raised."""
