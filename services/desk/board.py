"""The calls of a site as the desk holds them: folded, found by agent, forgotten in time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.base import Event
from contracts.transcript import TranscriptFinal
from services.desk.call_view import CallView
from services.desk.charges import has_open_appeal
from services.desk.fold import fold
from services.desk.shift import Shift, brief, is_of_shift

ON_WALL_S = 20.0
"""How long an ended call stays on the wall, seconds; with something open, until that is closed
or decided."""
SUMMARY_S = 3600.0
"""How long an agent's last call stays as a summary, seconds."""
QUIET_S = 30.0
"""A live call of which nothing was heard this long is shown as quiet, seconds."""
LOST_S = 600.0
"""A call of which nothing was heard this long is forgotten, seconds: its end never came."""
UNHANDLED_S = 4 * 3600.0
"""How long an ended call with open escalations is held, seconds."""
DELAYS_S = 900.0
MAX_CALLS = 2_000


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers at the top of the wall."""

    live: int
    to_handle: int
    """Escalations that nobody took yet."""
    delay_p95_ms: int | None
    """Subtitle delay over the last 15 minutes; None without one."""


class Board:
    """All calls in memory. Time comes in as values; nothing here knows a clock or the bus."""

    def __init__(self) -> None:
        self._views: dict[str, CallView] = {}
        """Calls that a page shows in full, or the wall in part."""
        self._shift = Shift()
        self._delays: deque[tuple[datetime, int]] = deque(maxlen=2_000)

    def __len__(self) -> int:
        return len(self._views)

    def get(self, call_id: str) -> CallView | None:
        """A call, where it is known."""
        return self._views.get(call_id) or self._shift.get(call_id)

    def take(self, event: Event) -> CallView:
        """Fold an event into its call."""
        before = self.get(event.call_id) or CallView(event.call_id)
        view = fold(before, event)
        self._put(view)
        if isinstance(event, TranscriptFinal) and view.delay_ms is not None and view.last_event_at:
            self._delays.append((view.last_event_at, view.delay_ms))
        return view

    def adopt(self, view: CallView) -> None:
        """Take in an ended call that was read again, unless it is known."""
        known = self.get(view.call_id)
        if view.ended_at and (known is None or known.started_at is None):
            self._views.pop(view.call_id, None)
            if has_open_appeal(view):
                self._views[view.call_id] = brief(view)
            else:
                self._shift.keep(view)

    def know_earlier(self, call_id: str, calls: int) -> CallView | None:
        """Note how many calls the same number made before."""
        view = self._views.get(call_id)
        if view is not None:
            view = self._views[call_id] = replace(view, earlier_calls=calls)
        return view

    def of_agent(self, agent_id: str, now: datetime) -> list[CallView]:
        """The agent's live calls, newest first; without one, the last if it ended lately."""
        own = [v for v in self._views.values() if v.agent_id == agent_id and v.started_at]
        own.sort(key=_started, reverse=True)
        return [v for v in own if v.live] or [v for v in own[:1] if _is_fresh(v, now)]

    def ended_of(self, agent_id: str, now: datetime) -> list[CallView]:
        """The agent's ended calls of the shift and those with something to decide, newest
        first."""
        own = [v for v in self._views.values() if v.agent_id == agent_id and v.started_at]
        own = [v for v in own if v.ended_at and (is_of_shift(v, now) or has_open_appeal(v))]
        return sorted(own + self._shift.of_agent(agent_id), key=_started, reverse=True)

    def agents(self) -> set[str]:
        """工号 of everybody with a call in memory."""
        return {v.agent_id for v in self._views.values() if v.agent_id} | self._shift.agents()

    def on_wall(self, now: datetime) -> list[CallView]:
        """Calls the wall shows: live ones, those just ended, those with something to handle or
        to decide."""
        return [v for v in self._views.values() if _stays_on_wall(v, now)]

    def forget(self, now: datetime) -> list[CallView]:
        """Let go of calls no page needs, and of what is no longer needed of the others; returns
        both. An ended call goes on in its agent's list."""
        # Of each agent the newest call alone can become a summary.
        newest: dict[str, datetime] = {}
        for view in self._views.values():
            if view.agent_id and view.started_at:
                newest[view.agent_id] = max(newest.get(view.agent_id, _LONG_AGO), view.started_at)
        gone = [v for v in self._views.values() if not _is_needed(v, now, newest)]
        spare = len(self._views) - len(gone) - MAX_CALLS
        if spare > 0:
            kept = [v for v in self._views.values() if v not in gone]
            kept.sort(key=lambda v: (v.live, has_open_appeal(v), v.last_event_at or _LONG_AGO))
            gone += kept[:spare]
        for view in gone:
            del self._views[view.call_id]
            if is_of_shift(view, now):
                self._shift.keep(view)
        settled = [v for v in self._views.values() if v.lines and _is_settled(v, now)]
        for view in settled:
            self._views[view.call_id] = brief(view)
        return gone + settled + self._shift.forget(now)

    def _put(self, view: CallView) -> None:
        """Where a call belongs after something happened in it: an appeal brings it back to the
        wall."""
        if self._shift.get(view.call_id) is None:
            self._views[view.call_id] = view
        elif has_open_appeal(view):
            self._shift.drop(view.call_id)
            self._views[view.call_id] = brief(view)
        else:
            self._shift.keep(view)

    def figures(self, now: datetime) -> Figures:
        """The wall's numbers."""
        while self._delays and _age(self._delays[0][0], now) > DELAYS_S:
            self._delays.popleft()
        delays = sorted(delay for _, delay in self._delays)
        waiting = sum(e.state == "raised" for v in self.on_wall(now) for e in v.escalations)
        return Figures(
            live=sum(v.live and not is_lost(v, now) for v in self._views.values()),
            to_handle=waiting,
            delay_p95_ms=delays[int(0.95 * (len(delays) - 1))] if delays else None,
        )


def is_quiet(view: CallView, now: datetime) -> bool:
    """Whether nothing was heard of a live call for a while."""
    return view.live and view.last_event_at is not None and _age(view.last_event_at, now) > QUIET_S


def is_lost(view: CallView, now: datetime) -> bool:
    """Whether a live call must have ended without saying so."""
    return view.live and view.last_event_at is not None and _age(view.last_event_at, now) > LOST_S


def has_tile(view: CallView, now: datetime) -> bool:
    """Whether a call itself is on the wall: live, just ended, or with an open escalation."""
    if view.started_at is None or is_lost(view, now):
        return False
    if view.ended_at is None:
        return True
    age = _age(view.ended_at, now)
    return age < ON_WALL_S or (age < UNHANDLED_S and any(e.open for e in view.escalations))


def _stays_on_wall(view: CallView, now: datetime) -> bool:
    known = view.started_at is not None and view.ended_at is not None
    return has_tile(view, now) or (known and has_open_appeal(view))


def _is_settled(view: CallView, now: datetime) -> bool:
    """Whether only the appeals of a call are still of use."""
    return view.ended_at is not None and not (has_tile(view, now) or _is_fresh(view, now))


def _is_fresh(view: CallView, now: datetime) -> bool:
    """Whether an ended call may be its agent's summary."""
    return view.ended_at is not None and _age(view.ended_at, now) < SUMMARY_S


def _is_needed(view: CallView, now: datetime, newest: dict[str, datetime]) -> bool:
    last = view.last_event_at or _LONG_AGO
    if view.ended_at is None:
        return _age(last, now) <= LOST_S
    summary = view.agent_id is not None and newest.get(view.agent_id) == view.started_at
    return _stays_on_wall(view, now) or (summary and _is_fresh(view, now))


def _age(then: datetime, now: datetime) -> float:
    return (now - then) / timedelta(seconds=1)


def _started(view: CallView) -> datetime:
    return view.started_at or _LONG_AGO


_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
