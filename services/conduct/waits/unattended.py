"""The caller asks whether anybody is there, and the agent has been silent."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event, Evidence
from contracts.warning import Level
from services.conduct.call import Call, Unattended
from services.conduct.channel import SLACK_MS, Words
from services.conduct.notices import Notices

Step = tuple[Call, list[Event]]
RECENT = 6
"""How many utterances of the caller, the last ones, may still be judged."""
SHORT = 10
"""So few characters are a question of their own even where the caller had just been talking."""


def judge(call: Call, notices: Notices) -> Step:
    """What the caller has asked, and what has become of the card for it."""
    events: list[Event] = []
    for words in call.caller.words[-RECENT:]:
        if words.start <= call.asked or "caller_asks" not in words.manner.signs:
            continue
        answered = call.agent.next_voice(words.start)
        if answered and not (call.settled or call.agent.settled(answered)):
            break
        quiet_from = _quiet_from(call, words, notices)
        call = replace(call, asked=words.start)
        known = call.unattended
        if quiet_from is None or (known and known.quiet_from == quiet_from):
            continue
        level: Level = "note" if answered or call.over else "remind"
        events.append(
            notices.warning(
                call,
                "caller_unattended",
                level=level,
                at=words.start,
                end=words.end,
                due=words.end,
                causes=[words.event_id],
                evidence=Evidence(
                    words=words.text, role="caller", start_ms=words.start, end_ms=words.end
                ),
            )
        )
        shown, card = (known.shown, known.card) if known else (-1, "")
        call = replace(
            call,
            unattended=Unattended(quiet_from, words.end, words.event_id, shown, card),
        )
    call, said = _card(call, notices)
    return call, events + said


def _quiet_from(call: Call, words: Words, notices: Notices) -> int | None:
    """Since when the agent had been silent; None where the caller was not left alone."""
    least = notices.times.ms("unattended_s")
    agent = call.agent.last_voice(words.start)
    quiet_from = 0 if agent is None else agent.end
    if quiet_from is None or words.start - quiet_from < least:
        return None
    caller = call.caller.last_voice(words.start - SLACK_MS // 2)
    talked = caller and (caller.end is None or words.start - caller.end < least)
    return None if talked and words.manner.characters > SHORT else quiet_from


def _card(call: Call, notices: Notices) -> Step:
    """The card stands until the agent speaks; a noise is no answer."""
    one = call.unattended
    if one is None:
        return call, []
    answer = call.agent.next_voice(one.asked)
    if one.card and (answer or call.over):
        at = answer.start if answer else max(call.ended_at or 0, one.shown)
        reason = "坐席已经回应。" if answer else "通话已结束。"
        cause = answer.event_id if answer else call.ended_id
        gone = notices.card_withdrawn(call, "caller_unattended", one.card, at, reason, cause)
        return replace(call, unattended=replace(one, card="")), [gone]
    now = max(one.asked, call.clock)
    if one.card or answer or call.over or now <= one.shown:
        return call, []
    card_id = f"unattended-{now}"
    shown = notices.moment_card(
        call,
        "caller_unattended",
        notices.manner.file.unattended_card,
        card_id,
        now,
        "来电人在问有没有人，坐席还没有回应。",
        one.event_id,
    )
    return replace(call, unattended=replace(one, card=card_id, shown=now)), [shown]
