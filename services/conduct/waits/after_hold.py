"""Back from a wait that was announced: the agent thanks for it, or apologises."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event
from services.conduct.call import Call, Hold
from services.conduct.channel import Turn, Words
from services.conduct.notices import Notices, agent_words

Step = tuple[Call, list[Event]]
PAUSE_MS = 2_000
"""A pause within the agent's first words after a wait: what follows still belongs to them."""
ENOUGH = 8
"""So many characters and more are words about the matter, where 喂，您好 is only a beginning."""
TURNS = 2
"""Among so many turns after the wait thanks are looked for."""
RECENT = 4
"""How many holds, the last ones, may still be judged."""


def judge(call: Call, notices: Notices) -> Step:
    """Holds the agent has come back from, once the words of the return are known."""
    events: list[Event] = []
    holds = list(call.holds)
    for index in range(max(0, len(holds) - RECENT), len(holds)):
        hold = holds[index]
        if hold.thanks_judged or hold.end is None:
            continue
        judged, said = _judge(call, hold, notices)
        if judged:
            holds[index] = replace(hold, thanks_judged=True)
            events += said
    return replace(call, holds=tuple(holds)) if holds else call, events


def _judge(call: Call, hold: Hold, notices: Notices) -> tuple[bool, list[Event]]:
    """Whether a hold can be judged, and what comes of it."""
    assert hold.end is not None
    asked_for = notices.thanks_for_waiting
    if hold.end - hold.since < notices.times.ms("thanks_from_s") or not asked_for:
        # A noise may have cut it short for the moment.
        return hold.decided, []
    turns = [t for t in call.agent.turns(PAUSE_MS, 24, noise=False) if t.start >= hold.end]
    said: list[Words] = []
    for number, turn in enumerate(turns[:TURNS], 1):
        said += [words for words in call.agent.words_of(turn) if words.text]
        if any(asked_for & words.marks.signs for words in said):
            return True, []
        if not (call.settled or _known(call, turn)):
            return False, []
        if any(other.since == hold.since and other.start > hold.start for other in call.holds):
            # The agent only asked to wait on: that wait is judged as a whole.
            return True, []
        spoken = sum(words.manner.characters for words in said)
        if spoken >= ENOUGH or (number == TURNS and spoken):
            return True, [_warning(call, hold, turn, said, notices)]
    if not call.settled:
        return False, []
    return True, [_warning(call, hold, turns[0], said, notices)] if said else []


def _known(call: Call, turn: Turn) -> bool:
    """Whether a turn is over, and all its words are there."""
    if turn.end is None or not all(call.agent.settled(span) for span in turn.spans):
        return False
    caller = call.caller.next_voice(turn.end)
    return call.over or caller is not None or call.clock > turn.end + PAUSE_MS


def _warning(call: Call, hold: Hold, turn: Turn, said: list[Words], notices: Notices) -> Event:
    end = max(words.end for words in said)
    return notices.warning(
        call,
        "hold_without_thanks",
        level="remind",
        at=turn.start,
        end=end,
        due=end,
        causes=[hold.event_id, *(words.event_id for words in said)],
        evidence=agent_words(said[0]),
    )
