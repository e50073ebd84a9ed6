"""Warnings about the agent's conduct, and what waits in a call: silence and hold."""

from __future__ import annotations

from typing import ClassVar, Literal

from contracts.base import AheadMs, Derived, Event, Ms

WarningKind = Literal[
    "forbidden_phrase",
    "silence",
    "hold_over_30s",
    "hold_unannounced",
    "hold_without_thanks",
    "caller_unattended",
    "silent_caller",
    "interruption",
    "talking_over",
    "interrupted",
    "agent_hung_up_first",
    "missing_opening",
    "missing_closing",
    "missing_phrase",
    "pace",
    "verbal_tic",
    "no_acknowledgement",
    "asks_to_repeat",
]
"""`hold_unannounced`: the caller had to wait and nobody said so · `hold_without_thanks`: back from
a hold without a word of thanks · `caller_unattended`: the caller asked whether anybody was there ·
`talking_over`: the agent went on over the caller's words · `interrupted`: the caller cut in, which
is nobody's fault · `missing_phrase`: the moment of a required phrase passed without it · `pace`:
much faster than the site's own setting."""
Level = Literal["note", "remind", "alarm"]
"""`note` is kept for who reviews the call, and shown to nobody during it; `remind` is a quiet hint
to the agent; `alarm` counts and may reach a supervisor."""


class WarningRaised(Derived):
    """Something about the agent's conduct. `at_ms` is the start of the span it is about."""

    event: ClassVar[str] = "warning.raised"

    warning_id: str
    """Id in its call; confirmation, withdrawal, escalation and feedback name it."""
    kind: WarningKind
    """What kind of thing it is."""
    level: Level
    """How loud."""
    provisional: bool = False
    """True while it may be withdrawn, for instance an interruption before its words are known."""
    end_ms: Ms
    """End of the span as far as known, ms."""
    due_ms: Ms
    """Earliest audio time at which it could be known, ms."""
    phrase: str = ""
    """The canonical wording of the phrase, where it is one."""
    message: str
    """One plain sentence for the agent."""
    instead: str = ""
    """What may be said instead."""

    @property
    def key(self) -> str:
        """The warning; one that is firm is another event than the provisional one before it."""
        return f"{self.warning_id}-provisional" if self.provisional else self.warning_id


class WarningConfirmed(Derived):
    """A provisional warning holds."""

    event: ClassVar[str] = "warning.confirmed"

    warning_id: str
    """The warning."""

    @property
    def key(self) -> str:
        """The warning."""
        return self.warning_id


class WarningWithdrawn(Derived):
    """A warning was wrong and is taken back."""

    event: ClassVar[str] = "warning.withdrawn"

    warning_id: str
    """The warning."""
    reason: str
    """Why, in words for the agent."""

    @property
    def key(self) -> str:
        """The warning."""
        return self.warning_id


class SilenceStarted(Event):
    """Both sides have been silent since `at_ms` (published once that is worth knowing)."""

    event: ClassVar[str] = "silence.started"

    announced: bool
    """Whether the agent had asked the caller to wait."""


class SilenceEnded(Event):
    """Somebody speaks again. `at_ms` is the silence's start, as in `silence.started`."""

    event: ClassVar[str] = "silence.ended"

    end_ms: Ms
    """End of the silence, ms."""


class HoldStarted(Event):
    """The agent asked the caller to wait; the hold runs from `at_ms`, the end of that request."""

    event: ClassVar[str] = "hold.started"

    limit_ms: AheadMs
    """Audio time at which the agent must have spoken again, ms (30 s after the start)."""
    words: str
    """The words that announced it."""


class HoldEnded(Event):
    """The agent speaks again. `at_ms` is the hold's start, as in `hold.started`."""

    event: ClassVar[str] = "hold.ended"

    end_ms: Ms
    """When the agent spoke again, ms."""
