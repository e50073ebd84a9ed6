"""The ended calls of the last hours, for their own agents: score, appeals and decisions, and the
words these rest on, but not the conversation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services.desk.call_view import CallView

SHIFT_S = 12 * 3600.0
"""How long an agent's ended call, or the decision of an appeal, stays in the list, seconds."""
MAX_OF_AGENT = 60
"""How many of them an agent has at most; the oldest goes first."""
SWEEP_S = 60.0


def brief(view: CallView) -> CallView:
    """What is kept of an ended call: a long transcript weighs a hundred times its score."""
    return replace(view, lines=(), partials=(), speech=(), decoded=(), cards=())


def is_of_shift(view: CallView, now: datetime) -> bool:
    """Whether an ended call is recent, or an appeal of it was decided lately."""
    times = [a.decision.wall_time for a in view.appeals if a.decision]
    times += [view.ended_at] if view.ended_at else []
    return any(now - time < timedelta(seconds=SHIFT_S) for time in times)


class Shift:
    """Ended calls by agent, bounded in time and number."""

    def __init__(self) -> None:
        self._agents: dict[str, dict[str, CallView]] = {}
        self._whose: dict[str, str] = {}
        self._swept: datetime | None = None

    def __len__(self) -> int:
        return len(self._whose)

    def get(self, call_id: str) -> CallView | None:
        """A call, where it is kept."""
        return self._agents[self._whose[call_id]][call_id] if call_id in self._whose else None

    def keep(self, view: CallView) -> None:
        """Keep what is needed of an ended call; one that is nobody's is left out."""
        if view.agent_id is None or view.ended_at is None:
            return
        own = self._agents.setdefault(view.agent_id, {})
        own[view.call_id] = brief(view)
        self._whose[view.call_id] = view.agent_id
        if len(own) > MAX_OF_AGENT:
            self.drop(min(own.values(), key=_ended).call_id)

    def drop(self, call_id: str) -> None:
        """Keep a call no longer."""
        agent_id = self._whose.pop(call_id, None)
        if agent_id is not None:
            del self._agents[agent_id][call_id]
            if not self._agents[agent_id]:
                del self._agents[agent_id]

    def agents(self) -> set[str]:
        """工号 of everybody with a call here."""
        return set(self._agents)

    def of_agent(self, agent_id: str) -> list[CallView]:
        """An agent's calls, in no order."""
        return list(self._agents.get(agent_id, {}).values())

    def forget(self, now: datetime) -> list[CallView]:
        """Let go of calls that are too old; returns them. Looks once a minute."""
        if self._swept and now - self._swept < timedelta(seconds=SWEEP_S):
            return []
        self._swept = now
        old = [v for own in self._agents.values() for v in own.values() if not is_of_shift(v, now)]
        for view in old:
            self.drop(view.call_id)
        return old


def _ended(view: CallView) -> datetime:
    assert view.ended_at
    return view.ended_at
