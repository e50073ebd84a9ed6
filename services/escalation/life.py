"""The life of an escalation: raised, acknowledged, taken over, closed; rising while nobody looks.

Pure: events and times come in as values. `step` takes events in any order and never raises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from contracts.base import Event
from contracts.escalation import (
    EscalationAcknowledged,
    EscalationClosed,
    EscalationRaised,
    EscalationTakenOver,
)

State = Literal["raised", "acknowledged", "taken_over", "closed"]
EscalationEvent = EscalationRaised | EscalationAcknowledged | EscalationTakenOver | EscalationClosed


@dataclass(frozen=True, slots=True)
class Life:
    """One escalation as far as it has come."""

    raised: EscalationRaised
    """It, as it last rose."""
    state: State = "raised"
    supervisor: str = ""
    """Who acted on it last."""


class Conflict(ValueError):
    """What is asked does not fit the state. The message is one sentence that says what to do."""


def step(life: Life | None, event: EscalationEvent) -> Life | None:
    """An escalation after one more of its events; None while it has not been raised."""
    if isinstance(event, EscalationRaised):
        if life is None:
            return Life(event)
        return replace(life, raised=event) if event.rise >= life.raised.rise else life
    if life is None or life.state == "closed":
        return life
    match event:
        case EscalationClosed():
            return replace(life, state="closed", supervisor=event.supervisor)
        case EscalationTakenOver() if life.state != "taken_over":
            return replace(life, state="taken_over", supervisor=event.supervisor)
        case EscalationAcknowledged() if life.state == "raised":
            return replace(life, state="acknowledged", supervisor=event.supervisor)
    return life


def unfold(events: Iterable[Event]) -> dict[str, Life]:
    """The escalations of one call, by id, from its events."""
    lives: dict[str, Life] = {}
    for event in events:
        if isinstance(event, EscalationEvent):
            stepped = step(lives.get(event.escalation_id), event)
            if stepped:
                lives[event.escalation_id] = stepped
    return lives


# Commands. Each gives the event to publish, or None where there is nothing left to do.


def acknowledge(life: Life, supervisor: str) -> EscalationAcknowledged | None:
    """A supervisor has seen it. Raises Conflict where it is closed."""
    _not_closed(life)
    if life.state != "raised":
        return None
    return EscalationAcknowledged(**_place(life), supervisor=supervisor)


def take_over(life: Life, supervisor: str) -> EscalationTakenOver | None:
    """A supervisor takes it over. Raises Conflict where it is closed or somebody else has it."""
    _not_closed(life)
    if life.state == "taken_over":
        if life.supervisor != supervisor:
            raise Conflict("another supervisor has taken this escalation over: ask them")
        return None
    return EscalationTakenOver(**_place(life), supervisor=supervisor)


def close(life: Life, supervisor: str, verdict: Literal["real", "false"]) -> EscalationClosed:
    """A supervisor closes it. Raises Conflict where it is closed."""
    _not_closed(life)
    return EscalationClosed(**_place(life), supervisor=supervisor, verdict=verdict)


def risen(life: Life) -> EscalationRaised:
    """It, raised once more."""
    return life.raised.model_copy(update={"rise": life.raised.rise + 1})


def _not_closed(life: Life) -> None:
    if life.state == "closed":
        raise Conflict("this escalation is closed already: reload the page")


def _place(life: Life) -> dict[str, Any]:
    # All events of an escalation bear its own moment, as `silence.ended` bears the silence's start.
    # So their ids name the escalation and what became of it: twice is once, whoever does it.
    raised = life.raised
    return {
        "call_id": raised.call_id,
        "site": raised.site,
        "at_ms": raised.at_ms,
        "escalation_id": raised.escalation_id,
    }


def _utc(time: datetime) -> datetime:
    # Others may publish escalations too; a time without a zone is taken as UTC.
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@dataclass(slots=True)
class Board:
    """Escalations that are not closed, of all calls. It holds no clock: times come in."""

    rise_after: timedelta
    rise_times: int
    _open: dict[tuple[str, str], Life] = field(default_factory=dict)

    def learn(self, event: Event) -> None:
        """Take note of an event; anything but an escalation's is nothing."""
        if not isinstance(event, EscalationEvent):
            return
        key = (event.call_id, event.escalation_id)
        life = step(self._open.get(key), event)
        if life is None or life.state == "closed":
            self._open.pop(key, None)
        else:
            self._open[key] = life

    def forget(self, life: Life) -> None:
        """Take one off the board: the bus does not know it as open."""
        self._open.pop((life.raised.call_id, life.raised.escalation_id), None)

    def is_due(self, life: Life, now: datetime) -> bool:
        """Whether it must rise again at wall time `now`."""
        return (
            life.state == "raised"
            and life.raised.rise < self.rise_times
            and now - _utc(life.raised.wall_time) >= self.rise_after
        )

    def due(self, now: datetime) -> tuple[Life, ...]:
        """What must rise again at wall time `now`."""
        return tuple(life for life in self._open.values() if self.is_due(life, now))

    @property
    def open(self) -> int:
        """How many are not closed."""
        return len(self._open)

    @property
    def unacknowledged(self) -> int:
        """How many nobody has acknowledged."""
        return sum(life.state == "raised" for life in self._open.values())
