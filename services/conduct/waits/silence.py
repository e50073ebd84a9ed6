"""Silence of both sides: noted, reminded, alarmed, unless the agent announced it."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event
from contracts.warning import Level, SilenceEnded, SilenceStarted
from services.conduct.call import Call, Silence
from services.conduct.notices import Notices
from services.conduct.waits.announced import announcement

Step = tuple[Call, list[Event]]
KEPT = 8
"""How many silences at most wait for words that may change what they were."""


def judge(call: Call, notices: Notices) -> Step:
    """What has become of the silences up to the call's clock."""
    events: list[Event] = []
    kept: list[Silence] = []
    judged = call.silence_judged
    for silence in _merged(call, _with_new(call, notices)):
        after, said = _decide(call, _ended(call, silence), notices)
        events += said
        if after.end is None or not _is_done(call, after, notices):
            kept.append(after)
        else:
            judged = max(judged, after.start)
    return replace(call, silences=tuple(kept[-KEPT:]), silence_judged=judged), events


def _with_new(call: Call, notices: Notices) -> list[Silence]:
    silences = list(call.silences)
    since = call.quiet_since()
    if since is None or call.over or call.clock - since <= notices.times.ms("silence_note_s"):
        return silences
    if since <= call.silence_judged or any(s.end is None or s.start == since for s in silences):
        return silences
    return [*silences, Silence(since, since)]


def _merged(call: Call, silences: list[Silence]) -> list[Silence]:
    """Where the stretch before a silence turned out to be noise, it had begun earlier, perhaps as
    one that is known."""
    found: list[Silence] = []
    for silence in silences:
        silence = replace(silence, start=call.quiet_before(silence.start))
        same = next((s for s in found if s.start == silence.start), None)
        if same is None:
            found.append(silence)
            continue
        if not silence.noted:
            silence = replace(silence, piece=same.end if same.noted and same.end else same.piece)
        warned = tuple(dict.fromkeys(same.warned + silence.warned))
        returned = max(same.returned, silence.returned)
        found[found.index(same)] = replace(silence, warned=warned, returned=returned)
    return found


def _ended(call: Call, silence: Silence) -> Silence:
    """When it ended, as far as is known by now."""
    end = call.voice_after(silence.start)
    if end is None:
        end = call.ended_at
    if end is not None:
        end = max(end, silence.start)
    if not silence.closed or silence.end is None:
        return replace(silence, end=end)
    if silence.end == silence.piece or (end is not None and end <= silence.end):
        return silence
    # What ended it was noise: it goes on.
    return replace(silence, piece=silence.end, end=end, noted=False, closed=False)


def _decide(call: Call, silence: Silence, notices: Notices) -> tuple[Silence, list[Event]]:
    lasted = (call.clock if silence.end is None else silence.end) - silence.start
    announced_by = announcement(call, silence.start, lasted, notices)
    announced = announced_by is not None
    events: list[Event] = []

    def ripe(field: str) -> bool:
        """Passed, and the agent's last words known or waited for long enough."""
        limit = notices.times.ms(field)
        patience = silence.start + limit + notices.times.ms("words_wait_s")
        return lasted > limit and (not _waits_for_words(call, silence) or call.clock >= patience)

    if announced_by and silence.warned:
        for _, warning_id in silence.warned:
            cause, reason = announced_by
            events.append(
                notices.withdrawn(call, "silence", warning_id, silence.start, reason, cause)
            )
        silence = replace(silence, warned=(), returned=silence.returned + 1)
    if not silence.noted and ripe("silence_note_s"):
        events.append(
            SilenceStarted(
                call_id=call.call_id, site=call.site, at_ms=silence.piece, announced=announced
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
            if any(level == raised for raised, _ in silence.warned):
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
                returned=silence.returned,
            )
            if ripe(field):
                events.append(warning)
                silence = replace(silence, warned=(*silence.warned, (level, warning.warning_id)))
    if silence.noted and silence.end is not None and not silence.closed:
        events.append(
            SilenceEnded(
                call_id=call.call_id, site=call.site, at_ms=silence.piece, end_ms=silence.end
            )
        )
        silence = replace(silence, closed=True)
    return silence, events


def _is_done(call: Call, silence: Silence, notices: Notices) -> bool:
    """Nothing can come of it any more, not even by words that are still to come."""
    assert silence.end is not None
    voice = call.agent.next_voice(silence.end)
    by_agent = voice is not None and voice.start == silence.end
    if voice and by_agent and not (call.settled or call.agent.settled(voice)):
        return False
    short = silence.end - silence.start <= notices.times.ms("silence_note_s")
    return short or (silence.closed and not _waits_for_words(call, silence))


def _waits_for_words(call: Call, silence: Silence) -> bool:
    """Whether words that may have announced it are still to come: the agent's last before it, and
    the caller's where the caller spoke last."""
    if call.settled:
        return False
    agent = call.agent.last_voice(silence.start)
    if agent and not call.agent.settled(agent):
        return True
    caller = call.caller.last_voice(silence.start)
    return bool(caller and caller.end == silence.start and not call.caller.settled(caller))


def _belongs_to_silent_caller(call: Call, silence: Silence) -> bool:
    """While the caller has not said a word since the opening, only that script's steps count."""
    return bool(call.agent.spans) and not call.caller_spoke(until=silence.start)
