"""A wait nobody announced: the agent left the caller waiting without a word, and came back.

Silence of both sides has a reminder and an alarm of its own while it lasts; this is told when it is
over, so as not to say the same twice: as a note where that alarm was raised, as a reminder where it
was not, because the caller's 喂 or 嗯 broke the silence though nobody answered.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from contracts.base import Event
from services.conduct.call import Call
from services.conduct.channel import Span
from services.conduct.notices import Notices
from services.conduct.waits.announced import announcement

Step = tuple[Call, list[Event]]
PATIENCE_MS = 20_000
"""So long a return is not judged while words are still to come."""
SHORT_MS = 1_000
"""A sound of the caller of which no words are known: shorter than this, it is no turn."""
RETURNS = 12
"""How many returns, the last ones, may still be judged."""


def judge(call: Call, notices: Notices) -> Step:
    """Returns of the agent that can be judged now, and a caller who gave up waiting."""
    events: list[Event] = []
    voices = [span for span in call.agent.spans[-RETURNS:] if not span.noise]
    for voice in voices:
        if voice.start <= call.returned:
            continue
        if not (call.settled or call.agent.settled(voice) or _waited(call, voice.start)):
            return call, events
        known, found = _judge(call, voice.start, voice.event_id, notices)
        if not known:
            return call, events
        call = replace(call, returned=voice.start)
        events += found
    if call.settled and call.ended_at is not None and call.ended_at > call.returned:
        if call.ended_by in ("caller", "unknown"):
            events += _judge(call, call.ended_at, call.ended_id, notices)[1]
        call = replace(call, returned=call.ended_at)
    return call, events


def _judge(call: Call, until: int, cause: str, notices: Notices) -> tuple[bool, list[Event]]:
    """Whether the wait before `until` can be judged, and what comes of it."""
    limit = notices.times.ms("unannounced_s")
    before = call.agent.last_voice(until)
    if before is None or before.end is None or until - before.end < limit:
        return True, []
    sounds = [
        span
        for span in call.caller.spans[-32:]
        if span.start < until and (span.end is None or span.end > before.end)
    ]
    unknown = [s for s in (before, *sounds) if not call.channel(s.role).settled(s)]
    if unknown and not (call.settled or _waited(call, until)):
        return False, []
    if not call.agent.words_in(before):
        # Never decoded: it may have said that there would be a wait.
        return True, []
    told = [span for span in sounds if _tells(call, span)]
    if any(span.end is None or span.end > until for span in told):
        return True, []
    start = max([before.end, *(span.end for span in told if span.end is not None)])
    if until - start < limit or not _left_waiting(call, before, told, start, until, notices):
        return True, []
    edges = [(start, start), *((s.start, s.end or until) for s in sounds if s.start >= start)]
    edges.append((until, until))
    alarmed = notices.times.ms("silence_alarm_s")
    silent = any(after[0] - one[1] > alarmed for one, after in pairwise(edges))
    return True, [
        notices.warning(
            call,
            "hold_unannounced",
            level="note" if silent else "remind",
            at=start,
            end=until,
            due=start + limit,
            causes=[*call.quiet_by(start), cause],
        )
    ]


def _waited(call: Call, since: int) -> bool:
    return call.clock >= since + PATIENCE_MS


def _tells(call: Call, span: Span) -> bool:
    """Whether a sound of the caller is a turn: more than 嗯, or asking whether anybody is there."""
    if span.noise:
        return False
    said = [words for words in call.caller.words_in(span) if words.text]
    if not said:
        return span.end is None or span.end - span.start >= SHORT_MS
    return not all(
        words.marks.acknowledgement or "caller_asks" in words.manner.signs for words in said
    )


def _left_waiting(
    call: Call, before: Span, told: list[Span], start: int, until: int, notices: Notices
) -> bool:
    """Whether it was for the agent to speak, and nobody had said that there would be a wait."""
    if not call.caller_spoke(until=start):
        return False
    if any(h.start <= until and (h.end is None or h.end > before.start) for h in call.holds[-8:]):
        return False
    if announcement(call, start, until - start, notices):
        return False
    if told:
        return True
    said = [words for words in call.agent.words_in(before) if words.text]
    return not (said and ("question" in said[-1].manner.signs or "closing" in said[-1].marks.signs))
