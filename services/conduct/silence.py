"""Silence of both sides: noted, reminded, alarmed, unless the agent announced it."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event
from contracts.warning import Level, SilenceEnded, SilenceStarted
from services.conduct.call import BOUNDARY_MS, Call, Hold, Silence
from services.conduct.notices import Notices

Step = tuple[Call, list[Event]]


def judge(call: Call, notices: Notices) -> Step:
    """What has become of the silences up to the call's clock."""
    call = _with_new(call, notices)
    events: list[Event] = []
    kept: list[Silence] = []
    for silence in call.silences:
        after = _closed(call, silence)
        after, said = _decide(call, after, notices)
        events += said
        if after.end is None or not _is_done(call, after, notices):
            kept.append(after)
    return replace(call, silences=tuple(kept)), events


def _with_new(call: Call, notices: Notices) -> Call:
    since = call.quiet_since()
    if since is None or call.over or call.clock - since <= notices.times.ms("silence_note_s"):
        return call
    if any(silence.end is None for silence in call.silences):
        return call
    return replace(call, silences=(*call.silences, Silence(since)))


def _closed(call: Call, silence: Silence) -> Silence:
    if silence.end is not None:
        return silence
    end = call.voice_after(silence.start)
    if end is None:
        end = call.ended_at
    return silence if end is None else replace(silence, end=max(end, silence.start))


def _decide(call: Call, silence: Silence, notices: Notices) -> tuple[Silence, list[Event]]:
    lasted = (call.clock if silence.end is None else silence.end) - silence.start
    announced = _announced(call, silence)
    events: list[Event] = []

    def ripe(field: str) -> bool:
        """Passed, and the agent's last words known or waited for long enough."""
        limit = notices.times.ms(field)
        patience = silence.start + limit + notices.times.ms("words_wait_s")
        return lasted > limit and (not _waits_for_words(call, silence) or call.clock >= patience)

    if announced and silence.warned:
        for warning_id in silence.warned:
            reason = "坐席已请来电人稍等。"
            cause = _holds(call, silence)[0].event_id
            events.append(
                notices.withdrawn(call, "silence", warning_id, silence.start, reason, cause)
            )
        silence = replace(silence, warned=())
    if not silence.noted and ripe("silence_note_s"):
        events.append(
            SilenceStarted(
                call_id=call.call_id, site=call.site, at_ms=silence.start, announced=announced
            )
        )
        silence = replace(silence, noted=True)
    if not announced and not _belongs_to_silent_caller(call, silence):
        levels: tuple[tuple[Level, str], ...] = (
            ("alarm", "silence_alarm_s"),
            ("remind", "silence_remind_s"),
        )
        for level, field in levels:
            if level == "remind" and (silence.warned or silence.end is not None):
                continue
            due = silence.start + notices.times.ms(field)
            warning = notices.warning(
                call,
                "silence",
                level=level,
                at=silence.start,
                end=silence.start + lasted,
                due=due,
                causes=call.quiet_by(silence.start),
            )
            if ripe(field) and warning.warning_id not in silence.warned:
                events.append(warning)
                silence = replace(silence, warned=(*silence.warned, warning.warning_id))
    if silence.noted and silence.end is not None and not silence.closed:
        events.append(
            SilenceEnded(
                call_id=call.call_id, site=call.site, at_ms=silence.start, end_ms=silence.end
            )
        )
        silence = replace(silence, closed=True)
    return silence, events


def _is_done(call: Call, silence: Silence, notices: Notices) -> bool:
    """Nothing can come of it any more, not even by words that are still to come."""
    assert silence.end is not None
    short = silence.end - silence.start <= notices.times.ms("silence_note_s")
    return short or (silence.closed and not _waits_for_words(call, silence))


def _holds(call: Call, silence: Silence) -> list[Hold]:
    return [
        hold
        for hold in call.holds
        if hold.start <= silence.start + BOUNDARY_MS
        and (hold.end is None or hold.end > silence.start)
    ]


def _announced(call: Call, silence: Silence) -> bool:
    return bool(_holds(call, silence))


def _waits_for_words(call: Call, silence: Silence) -> bool:
    """Whether the words of the agent's last utterance before it are still to come."""
    if call.settled:
        return False
    before = [span for span in call.agent.spans[-6:] if span.start < silence.start]
    return bool(before) and not call.agent.settled(before[-1])


def _belongs_to_silent_caller(call: Call, silence: Silence) -> bool:
    """While the caller has not said a word since the opening, only that script's steps count."""
    return bool(call.agent.spans) and not call.caller_spoke(until=silence.start)
