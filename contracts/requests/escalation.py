"""Requests of supervisors on escalations."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.base import Id
from contracts.requests.base import Reply, Request


class EscalationHandled(Reply):
    """The state of an escalation after a command."""

    escalation_id: str
    """The escalation."""
    state: str
    """`acknowledged`, `taken_over` or `closed`."""


class _OnEscalation(Request):
    service: ClassVar[str] = "escalation"
    reply: ClassVar[type[Reply]] = EscalationHandled

    call_id: Id
    """The call."""
    escalation_id: str
    """The escalation."""
    supervisor: Id
    """Account of the supervisor who acts."""


class AcknowledgeEscalation(_OnEscalation):
    """A supervisor has seen it."""

    verb: ClassVar[str] = "acknowledge"


class TakeOverEscalation(_OnEscalation):
    """A supervisor takes it over."""

    verb: ClassVar[str] = "take_over"


class CloseEscalation(_OnEscalation):
    """A supervisor closes it as real or false."""

    verb: ClassVar[str] = "close"

    verdict: Annotated[str, Field(pattern="^(real|false)$")]
    """Whether it was rightly raised."""
