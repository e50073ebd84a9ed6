"""The agent asks the caller to say it again, and again."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event
from services.conduct.call import Call
from services.conduct.notices import Notices, agent_words

Step = tuple[Call, list[Event]]
RECENT = 64
"""How many utterances of the agent are looked at at most."""


def judge(call: Call, notices: Notices) -> Step:
    """Whether the caller was asked to repeat too often; told of again after as many more."""
    asked = [
        words
        for words in call.agent.words[-RECENT:]
        if words.start > call.repeats and "asks_to_repeat" in words.manner.signs
    ]
    # Who asks a caller that has not been heard yet prompts for a voice.
    asked = [words for words in asked if call.caller_spoke(until=words.start)]
    times = notices.limits.repeat_times
    window = notices.limits.ms("repeat_window_s")
    for index in range(len(asked) - times + 1):
        group = asked[index : index + times]
        if group[-1].start - group[0].start > window:
            continue
        warning = notices.warning(
            call,
            "asks_to_repeat",
            level="remind",
            at=group[0].start,
            end=group[-1].end,
            due=group[-1].end,
            causes=[words.event_id for words in group],
            evidence=agent_words(group[-1]),
        )
        return replace(call, repeats=group[-1].start), [warning]
    return call, []
