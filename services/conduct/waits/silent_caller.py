"""The silent caller: no voice after the opening, and the three steps that follow."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event
from services.conduct.call import Call
from services.conduct.channel import BOUNDARY_MS, Turn
from services.conduct.notices import Notices

Step = tuple[Call, list[Event]]
OPENING_PAUSE_MS = 2_000
"""A pause within the opening: what follows within it still belongs to the opening."""
PROMPTS_BEFORE_HANGING_UP = 2
LEAD_MS = 1_000
"""So long before its moment a step's wording is offered, that it can be read before it is said."""


def opening(call: Call) -> Turn | None:
    """The agent's first words, coughs before them left out; None before they have begun."""
    spans = [span for span in call.agent.spans[:12] if not span.noise]
    if not spans:
        return None
    held = [spans[0]]
    for span in spans[1:]:
        before = held[-1].end
        if before is None or span.start - before > OPENING_PAUSE_MS:
            break
        if any(held[0].start < s.start < span.start for s in call.caller.spans[:6]):
            break
        held.append(span)
    return Turn(tuple(held))


def judge(call: Call, notices: Notices) -> Step:
    """Whether the caller is silent since the opening, and which step is due."""
    events: list[Event] = []
    if call.silent_card and (call.caller_spoke() or call.over):
        reason = "通话已结束。" if call.over else "来电人已经说话。"
        if call.ended_at is not None:
            at, cause = call.ended_at, call.ended_id
        else:
            at, cause = call.caller.spans[-1].start, call.caller.spans[-1].event_id
        card_id = call.silent_card
        events.append(notices.card_withdrawn(call, "silent_caller", card_id, at, reason, cause))
        call = replace(call, silent_card="")
    first = opening(call)
    if first is None or first.end is None or call.caller_spoke() or call.over:
        return call, events
    wait = notices.times.ms("silent_caller_s")
    due = first.end + wait
    # An agent who prompts at that very moment has noticed it too: the moment has come.
    prompted = any(span.start >= due - BOUNDARY_MS for span in call.agent.spans)
    if not call.silent_warned and (call.clock >= due or prompted):
        causes = [span.ended_by for span in first.spans]
        events.append(
            notices.warning(call, "silent_caller", at=first.end, end=due, due=due, causes=causes)
        )
        call = replace(call, silent_warned=True)
    prompts = _prompts(call, first)
    last = prompts[-1] if prompts else first
    steps = notices.waiting.file.silent_caller.steps
    step = min(len(prompts) + 1, len(steps))
    if last.end is None or step <= call.silent_step:
        return call, events
    # The last one is no wording but leave to hang up: not before its moment.
    at = last.end + (wait if step == len(steps) else _offered_after(wait))
    if call.clock >= at:
        card_id, text = f"silent-caller-{step}", steps[step - 1]
        why = "来电人一直没有声音，按无声电话的步骤处理。"
        cause = last.spans[-1].ended_by
        events.append(notices.moment_card(call, "silent_caller", text, card_id, at, why, cause))
        call = replace(call, silent_step=step, silent_card=card_id)
    return call, events


def _offered_after(wait: int) -> int:
    """How long after the agent's last words a wording comes, ms: not in a mere pause of them."""
    return max(wait - LEAD_MS, min(wait, OPENING_PAUSE_MS))


def script_was_run(call: Call) -> bool:
    """Whether the agent prompted a silent caller as the rules ask before hanging up.

    What was said counts where it is known; where the recogniser heard nothing, speaking counts."""
    first = opening(call)
    if first is None or call.caller_spoke():
        return False
    prompts = 0
    for turn in _prompts(call, first):
        said = [words for words in call.agent.words_of(turn) if words.text]
        if not said or any(w.marks.prompt or "closing" in w.marks.signs for w in said):
            prompts += 1
    return prompts >= PROMPTS_BEFORE_HANGING_UP


def _prompts(call: Call, first: Turn) -> list[Turn]:
    turns = call.agent.turns(OPENING_PAUSE_MS, last=64)
    return [turn for turn in turns if turn.start > first.spans[-1].start]
