"""Why a silence was to be expected: who had said that there would be one, and by which words."""

from __future__ import annotations

from services.conduct.call import Call, Hold
from services.conduct.channel import BOUNDARY_MS, Span, Words
from services.conduct.notices import Notices

SHORT = 8
"""A reply of so few characters leaves what was agreed."""
SHORT_MS = 2_000
"""A reply of which no words are known, and that was no longer."""
NODS = 3
"""Behind so many 好的 of the agent the words are looked for that they followed."""


def announcement(call: Call, start: int, lasts: int, notices: Notices) -> tuple[str, str] | None:
    """The event that announced a silence of `lasts` ms from `start` on, and what it says; None
    where nobody announced it, or where it lasts longer than what was said can mean."""
    if holds := _holds(call, start):
        return holds[0].event_id, "坐席已请来电人稍等。"
    if words := _asked_by_caller(call, start):
        return words.event_id, "来电人请坐席稍等。"
    words = _agents_last(call, start)
    if words is None:
        return None
    if "closing" in words.marks.signs:
        return words.event_id, "坐席已经道别，在等来电人挂机。"
    if "lets_look" in words.manner.signs:
        return words.event_id, "坐席在等来电人去找或记录。"
    if lasts <= notices.times.ms("hold_limit_s"):
        if "transfer" in words.manner.signs:
            return words.event_id, "坐席已说明转接。"
        if "records" in words.manner.signs:
            return words.event_id, "坐席已说明正在记录。"
    return None


def _holds(call: Call, start: int) -> list[Hold]:
    return [
        hold
        for hold in call.holds
        if hold.start <= start + BOUNDARY_MS and (hold.end is None or hold.end > start)
    ]


def _asked_by_caller(call: Call, moment: int) -> Words | None:
    """The caller's words that had asked the agent to wait, where a silence from `moment` on is what
    they asked for: nothing but 好的 came after them."""
    caller = call.caller.last_voice(moment)
    if caller is None or caller.end is None or caller.end > moment:
        return None
    said = [words for words in call.caller.words_in(caller) if words.text]
    if not said or "caller_waits" not in said[-1].manner.signs:
        return None
    agent = call.agent.last_voice(moment)
    if agent and agent.start > caller.start:
        reply = call.agent.words_in(agent)
        if not reply or sum(words.manner.characters for words in reply) > SHORT:
            return None
    return said[-1]


def _agents_last(call: Call, moment: int) -> Words | None:
    """The agent's last words before a moment, 好的 left out, where the caller only took note of
    them; None where they are not known, or the caller went on to something else."""
    span = call.agent.last_voice(moment)
    for _ in range(NODS):
        if span is None or span.end is None or span.end > moment:
            return None
        said = [words for words in call.agent.words_in(span) if words.text]
        if not said or not all(words.marks.acknowledgement for words in said):
            break
        span = call.agent.last_voice(span.start)
    else:
        return None
    if span is None or not said:
        return None
    replies = call.caller.between(said[-1].end - BOUNDARY_MS, moment)
    return said[-1] if all(_takes_note(call, reply) for reply in replies) else None


def _takes_note(call: Call, reply: Span) -> bool:
    """Whether the caller's stretch leaves what the agent had said: 好, 谢谢, 再见."""
    said = [words for words in call.caller.words_in(reply) if words.text]
    if not said:
        return reply.noise or (reply.end is not None and reply.end - reply.start <= SHORT_MS)
    return all(
        words.manner.characters <= SHORT or not words.marks.signs.isdisjoint({"leaves", "thanks"})
        for words in said
    )
