"""What a service that follows calls is: a fold over a call's kept events.

The new state of the call and what follows come out of the state it had and one event. Feeding it is
the work of `services.common.consumer`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from contracts.base import Event

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class CallSettled:
    """Not on the bus: told to a handler when an ended call has been quiet for a while: late finals
    have come by then. Once, but for a process that died before what followed from it was out."""

    call_id: str
    at_ms: int
    """The hang-up, ms on the audio clock."""


Happening = Event | CallSettled


@dataclass(frozen=True, slots=True)
class Outcome(Generic[State]):
    """What came of an event: the call's new state, events to publish now, perhaps more later."""

    state: State
    events: Sequence[Event] = ()
    later: Awaitable[Sequence[Event]] | None = None
    """Slow work (a model). The next message is handled meanwhile; the message that caused it is
    acknowledged when the work's events have been published."""
    in_turn: bool = False
    """The slow work's events come after those of the call's earlier slow work that is in turn,
    however long each takes: for events that only make sense in order."""


class CallHandler(Protocol[State]):
    """A service's view of calls. `handle` must depend on nothing but its arguments and be
    deterministic, since it is run again (its outcome discarded) to rebuild state."""

    def open(self, call_id: str, site: str) -> State:
        """The state of a call of which nothing has happened yet."""
        ...

    async def handle(self, state: State, happening: Happening) -> Outcome[State]:
        """Fold one event into the state and say what follows from it."""
        ...


@runtime_checkable
class ReadsAgain(Protocol[State]):
    """A handler that wants to know when a call's earlier events have been folded again, before the
    next one is handled: what it then believes to have said may differ from what was published."""

    def read_again(self, state: State) -> State:
        """The state to go on from."""
        ...


@runtime_checkable
class LetsGo(Protocol):
    """A handler that keeps something of a call beside its state, or acts on it without an event
    (partials, a clock), and wants to know when the call is not held here any more."""

    def let_go(self, call_id: str) -> None:
        """The call left this process's memory: it is over, long quiet, or another replica's. If
        it comes back, it is opened and its events are folded again."""
        ...
