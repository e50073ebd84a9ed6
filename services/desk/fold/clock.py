"""The call's audio clock against the wall's, as its events tell it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from contracts.base import UNSTAMPED, Event
from contracts.call import CallEnded
from services.desk.call_view import CallView, Clock

AHEAD_MS = 400
BEHIND_MS = 1_500
"""How far audio may be off the expected before the call's clock is set anew, ms: voice activity
is always decided a little late."""


def advanced(view: CallView, event: Event) -> CallView:
    """The view with its clock set: latest audio time, and the wall time it was known at."""
    wall = event.wall_time
    heard = max(event.at_ms, getattr(event, "end_ms", 0), getattr(event, "audio_ms", 0))
    last = max(wall, view.last_event_at or UNSTAMPED)
    if view.clock is None or isinstance(event, CallEnded):
        clock = _clock(event.at_ms if isinstance(event, CallEnded) else heard, wall)
    elif view.ended_at is not None:
        clock = view.clock
    else:
        expected = view.clock.at(wall)
        # What is derived comes late, about earlier audio: it can only set the clock forward.
        ahead = heard > expected + AHEAD_MS
        behind = event.event == "progressed" and heard < expected - BEHIND_MS
        going_on = replace(view.clock, at_ms=max(expected, view.clock.at_ms))
        clock = _clock(heard, wall) if ahead or behind else going_on
    return replace(view, clock=clock, last_event_at=last)


def _clock(at_ms: int, wall: datetime) -> Clock:
    try:
        return Clock(wall - timedelta(milliseconds=at_ms), at_ms)
    except OverflowError:  # an audio time of centuries: no call, but no reason to fall over
        return Clock(wall, 0)
