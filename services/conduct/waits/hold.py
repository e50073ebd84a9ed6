"""Hold: the agent asked the caller to wait, and must speak again within the limit."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event
from contracts.warning import HoldEnded, HoldStarted
from services.conduct.call import Call, Hold
from services.conduct.channel import Span, Turn, Words
from services.conduct.notices import Notices

Step = tuple[Call, list[Event]]
WORTH_TELLING_MS = 3_000
"""A hold that was over before its words were known is told of only if it was that long."""
KEPT = 8
"""How many holds, the last ones, may still change."""


def judge(call: Call, notices: Notices) -> Step:
    """What has become of the holds up to the call's clock."""
    events: list[Event] = []
    holds = list(call.holds[:-KEPT])
    for hold in call.holds[-KEPT:]:
        after, said = _go_on(call, hold, notices)
        holds.append(after)
        events += said
    for hold in _new(call, notices):
        begun = _started(call, hold, notices)
        after, said = _go_on(call, hold, notices)
        holds.append(after)
        events += [begun, *said]
    return replace(call, holds=tuple(holds)), events


def _new(call: Call, notices: Notices) -> list[Hold]:
    """Holds whose request has just become known."""
    found: list[Hold] = []
    for turn in call.agent.turns(noise=False)[-4:]:
        end = turn.end
        if end is None or any(turn.start <= hold.start <= end for hold in call.holds[-KEPT:]):
            continue
        words = _request(call, turn, notices)
        voice = call.agent.next_voice(end)
        if words and (voice is None or voice.start - end >= WORTH_TELLING_MS):
            since = next((h.since for h in call.holds[-KEPT:] if h.end == turn.start), end)
            found.append(Hold(end, words.marks.request, words.event_id, since, end))
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
    if hold.decided:
        return hold, []
    voice = call.agent.next_voice(hold.start)
    end = voice.start if voice else call.ended_at
    events: list[Event] = []
    if hold.end is not None:
        if end is not None and end <= hold.end:
            return replace(hold, decided=_holds_good(call, voice)), []
        if hold.end == hold.piece:
            # Over as it began: only times that run backwards can make it go on.
            return replace(hold, decided=True), []
        # What ended it was noise: it goes on, with the time it had.
        hold = replace(hold, piece=hold.end, end=None)
        events.append(_started(call, hold, notices))
    hold, said = _time(call, hold, end, notices)
    events += said
    if end is not None:
        end = max(end, hold.piece)
        events.append(HoldEnded(call_id=call.call_id, site=call.site, at_ms=hold.piece, end_ms=end))
        if hold.card:
            reason = "坐席已再次说话。" if voice else "通话已结束。"
            cause = voice.event_id if voice else call.ended_id
            events.append(
                notices.card_withdrawn(call, "hold_over_30s", hold.card, end, reason, cause)
            )
        hold = replace(hold, end=end, card="", decided=_holds_good(call, voice))
    return hold, events


def _time(call: Call, hold: Hold, end: int | None, notices: Notices) -> tuple[Hold, list[Event]]:
    """The card and the warning of a hold that goes on, or went on until `end`."""
    events: list[Event] = []
    until = call.clock if end is None else end
    remind = hold.start + notices.times.ms("hold_remind_s")
    limit = hold.start + notices.times.ms("hold_limit_s")
    if until > limit and not hold.warned:
        causes = [hold.event_id]
        warning = notices.warning(
            call,
            "hold_over_30s",
            at=hold.start,
            end=until,
            due=limit,
            causes=causes,
            returned=hold.returned,
        )
        events.append(warning)
        hold = replace(hold, warned=warning.warning_id)
    elif hold.warned and end is not None and end <= limit:
        # Words were found in what seemed to be noise going on.
        spoke = call.agent.next_voice(hold.start)
        cause = spoke.event_id if spoke else ""
        reason = "坐席已经再次说话。"
        events.append(
            notices.withdrawn(call, "hold_over_30s", hold.warned, hold.start, reason, cause)
        )
        hold = replace(hold, warned="", returned=hold.returned + 1)
    if end is None and until > remind and not hold.card:
        card_id = f"hold-{hold.piece}"
        events.append(
            notices.moment_card(
                call,
                "hold_over_30s",
                notices.waiting.file.hold_card,
                card_id,
                max(remind, hold.piece),
                f"说过“{hold.words}”之后还没有再说话。",
                hold.event_id,
            )
        )
        hold = replace(hold, card=card_id)
    return hold, events


def _started(call: Call, hold: Hold, notices: Notices) -> HoldStarted:
    return HoldStarted(
        call_id=call.call_id,
        site=call.site,
        at_ms=hold.piece,
        limit_ms=max(hold.start + notices.times.ms("hold_limit_s"), hold.piece),
        words=hold.words,
    )


def _holds_good(call: Call, voice: Span | None) -> bool:
    """Whether the end of a hold can no longer turn out to be noise."""
    return voice is None or call.settled or call.agent.settled(voice)
