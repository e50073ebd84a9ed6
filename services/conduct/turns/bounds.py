"""How a call begins and ends: opening and closing."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event
from services.conduct.call import Call
from services.conduct.notices import Notices, agent_words
from services.conduct.turns.hang_up import transfer_announced
from services.conduct.waits.silent_caller import OPENING_PAUSE_MS, opening, script_was_run

Step = tuple[Call, list[Event]]
LAST_TURNS = 3
"""The agent's turns at the end of a call among which thanks or goodbye are looked for."""


def judge_opening(call: Call, notices: Notices) -> Step:
    """Whether the agent's first words named the line or the 工号, or offered help."""
    first = opening(call)
    if call.opening_judged or first is None or first.end is None:
        return call, []
    words = [w for w in call.agent.words_of(first) if w.text]
    if any("opening" in w.marks.signs for w in words):
        return replace(call, opening_judged=True), []
    gone_on = call.over or call.clock > first.end + OPENING_PAUSE_MS
    answered = any(span.start > first.start for span in call.caller.spans[:6])
    complete = call.settled or all(call.agent.settled(span) for span in first.spans)
    if not words or not complete or not (gone_on or answered):
        return call, []
    warning = notices.warning(
        call,
        "missing_opening",
        at=0,
        end=first.end,
        due=first.end,
        causes=[w.event_id for w in words],
        evidence=agent_words(words[0]),
    )
    return replace(call, opening_judged=True), [warning]


def judge_ending(call: Call, notices: Notices) -> Step:
    """Whether the agent took leave, once all words before the hang-up are known."""
    if call.closing_judged or call.ended_at is None or call.ended_by == "lost":
        return call, []
    ended_at = call.ended_at
    before = [span for span in call.agent.spans if span.start <= ended_at]
    known = call.settled or all(call.agent.settled(span) for span in before[-LAST_TURNS:])
    said = [words for words in call.agent.words if words.text and words.start <= ended_at]
    if not known or not said:
        return call, []
    call = replace(call, closing_judged=True)
    if _had_no_chance(call) or _goes_on_elsewhere(call, ended_at):
        return call, []
    turns = [turn for turn in call.agent.turns(last=32) if turn.start <= ended_at]
    last = [turn for turn in turns if call.agent.words_of(turn)][-LAST_TURNS:]
    closing = [w for turn in last for w in call.agent.words_of(turn)]
    if any("closing" in w.marks.signs for w in closing) or script_was_run(call) or not last:
        return call, []
    warning = notices.warning(
        call,
        "missing_closing",
        at=last[-1].start,
        end=ended_at,
        due=ended_at,
        causes=[w.event_id for w in call.agent.words_of(last[-1])],
        evidence=agent_words(said[-1]),
    )
    return call, [warning]


def _goes_on_elsewhere(call: Call, ended_at: int) -> bool:
    """Whether the caller was put through: who takes the call takes leave at its end."""
    return call.ended_by == "transfer" or transfer_announced(call, ended_at) is not None


def _had_no_chance(call: Call) -> bool:
    """Whether the caller was gone before leave could be taken: without a word, or out of a wait."""
    waiting = bool(call.holds) and call.holds[-1].end == call.ended_at
    return call.ended_by == "caller" and (waiting or not call.caller_spoke())
