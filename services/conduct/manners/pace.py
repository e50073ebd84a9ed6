"""Pace: characters a minute of the agent's own speech, over the last half minute of it."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event, Evidence
from services.conduct.call import Call
from services.conduct.channel import Words
from services.conduct.notices import Notices

Step = tuple[Call, list[Event]]
MOST = 600
"""More characters a minute nobody speaks: the times of such words are wrong."""
RECENT = 60
"""How many utterances of the agent are looked at at most."""


def judge(call: Call, notices: Notices) -> Step:
    """Whether the agent has become too fast, or has slowed down again."""
    limits = notices.limits
    window = _window(call, limits.ms("pace_window_s"))
    lasted = sum(words.end - words.start for words in window)
    spoken = sum(words.manner.characters for words in window)
    if lasted < limits.ms("pace_least_s") or spoken < limits.pace_least_characters:
        return call, []
    pace = spoken * 60_000 / lasted
    if call.pace_high:
        return (replace(call, pace_high=False) if pace < limits.pace_calm else call), []
    start, end = window[0].start, window[-1].end
    if pace <= limits.pace_limit or start <= call.pace_raised:
        return call, []
    warning = notices.warning(
        call,
        "pace",
        level="remind",
        at=start,
        end=end,
        due=end,
        causes=[words.event_id for words in window],
        evidence=Evidence(role="agent", start_ms=start, end_ms=end, score=round(pace, 1)),
    )
    return replace(call, pace_high=True, pace_raised=start), [warning]


def _window(call: Call, size: int) -> list[Words]:
    """The last utterances that make up so much speech, oldest first."""
    window: list[Words] = []
    lasted = 0
    for words in reversed(call.agent.words[-RECENT:]):
        took = words.end - words.start
        if took <= 0 or words.manner.characters * 60_000 > MOST * took:
            continue
        window.append(words)
        lasted += took
        if lasted >= size:
            break
    return window[::-1]
