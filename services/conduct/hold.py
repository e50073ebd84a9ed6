"""Hold: the agent asked the caller to wait, and must speak again within the limit."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event
from contracts.warning import HoldEnded, HoldStarted
from services.conduct.call import Call, Hold, Span, Turn, Words
from services.conduct.notices import Notices

Step = tuple[Call, list[Event]]
WORTH_TELLING_MS = 3_000
"""A hold that was over before its words were known is told of only if it was that long."""


def judge(call: Call, notices: Notices) -> Step:
    """What has become of the holds up to the call's clock."""
    events: list[Event] = []
    holds: list[Hold] = []
    for hold in call.holds:
        after, said = _go_on(call, hold, notices)
        holds.append(after)
        events += said
    for hold in _new(call, notices):
        begun = HoldStarted(
            call_id=call.call_id,
            site=call.site,
            at_ms=hold.start,
            limit_ms=hold.start + notices.times.ms("hold_limit_s"),
            words=hold.words,
        )
        after, said = _go_on(call, hold, notices)
        holds.append(after)
        events += [begun, *said]
    return replace(call, holds=tuple(holds)), events


def _new(call: Call, notices: Notices) -> list[Hold]:
    """Holds whose request has just become known."""
    found: list[Hold] = []
    for turn in call.agent.turns()[-4:]:
        end = turn.end
        if end is None or any(turn.start < hold.start <= end for hold in call.holds):
            continue
        words = _request(call, turn, notices)
        voice = _agent_voice(call, end)
        if words and (voice is None or voice.start - end >= WORTH_TELLING_MS):
            found.append(Hold(end, words.marks.request, words.event_id))
    return found


def _request(call: Call, turn: Turn, notices: Notices) -> Words | None:
    """The words of a turn that ask to wait, where nothing but their reason follows them."""
    if not call.agent.settled(turn.spans[-1]):
        return None
    tail, goes_on = 0, False
    for words in reversed(call.agent.words_of(turn)):
        tail += words.marks.tail
        goes_on = goes_on or words.marks.goes_on
        if goes_on or tail > notices.waiting.file.hold.tail:
            return None
        if words.marks.request:
            return words
    return None


def _go_on(call: Call, hold: Hold, notices: Notices) -> tuple[Hold, list[Event]]:
    if hold.end is not None:
        return hold, []
    events: list[Event] = []
    voice = _agent_voice(call, hold.start)
    end = voice.start if voice else call.ended_at
    until = call.clock if end is None else end
    remind = hold.start + notices.times.ms("hold_remind_s")
    limit = hold.start + notices.times.ms("hold_limit_s")
    if until > limit and not hold.warned:
        events.append(
            notices.warning(
                call,
                "hold_over_30s",
                at=hold.start,
                end=until,
                due=limit,
                causes=[hold.event_id],
            )
        )
        hold = replace(hold, warned=True)
    if end is None and until > remind and not hold.card:
        card_id = f"hold-{hold.start}"
        events.append(
            notices.moment_card(
                call,
                "hold_over_30s",
                notices.waiting.file.hold_card,
                card_id,
                remind,
                f"说过“{hold.words}”之后还没有再说话。",
                hold.event_id,
            )
        )
        hold = replace(hold, card=card_id)
    if end is not None:
        end = max(end, hold.start)
        events.append(HoldEnded(call_id=call.call_id, site=call.site, at_ms=hold.start, end_ms=end))
        if hold.card:
            reason = "坐席已再次说话。" if voice else "通话已结束。"
            cause = voice.event_id if voice else call.ended_id
            events.append(
                notices.card_withdrawn(call, "hold_over_30s", hold.card, end, reason, cause)
            )
        hold = replace(hold, end=end, card="")
    return hold, events


def _agent_voice(call: Call, since: int) -> Span | None:
    """What the agent first said from `since` on."""
    return next((span for span in call.agent.spans[-8:] if span.start >= since), None)
