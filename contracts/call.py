"""The call itself: answered, going on, over."""

from __future__ import annotations

from typing import ClassVar, Literal

from contracts.base import Event, Id, Ms

EndedBy = Literal["agent", "caller", "transfer", "unknown", "lost"]
"""Who ended a call; `lost` = the connection was gone longer than the grace time."""


class CallStarted(Event):
    """A call was answered; the audio clock is at 0."""

    event: ClassVar[str] = "started"

    agent_id: Id
    """The agent's 工号."""
    caller_number: str
    """The calling number as the exchange delivers it. Personal data: masked before it is shown."""
    region: str | None = None
    """Name of the region the call is about, where the exchange knows it; None = the site's own."""
    pace: Literal["live", "replay", "script"] = "live"
    """`live` from a telephone, `replay` from a recording, `script` without audio."""


class CallEnded(Event):
    """The call is over. `at_ms` is the hang-up."""

    event: ClassVar[str] = "ended"

    ended_by: EndedBy
    """Who hung up."""
    reason: str = ""
    """Why, where it was not a plain hang-up. Never holds words of the call."""


class CallProgressed(Event):
    """Voice activity is decided for both channels up to `audio_ms`; timers may fire up to there."""

    event: ClassVar[str] = "progressed"

    audio_ms: Ms
    """Up to where voice activity is decided, ms. Equal to `at_ms`."""
