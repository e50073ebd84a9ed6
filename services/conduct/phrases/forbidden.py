"""Forbidden phrases in a call: from what was found in an agent's final to warnings and cards.

A warning that was raised on a partial already (`early.py`) is confirmed or taken back. Our own
warnings come back as events of the call: what the call remembers of them is folded from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from contracts.base import Event
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.conduct.call import Call
from services.conduct.channel import Words
from services.conduct.phrases.book import Hit
from services.conduct.phrases.notices import PhraseNotices, place_of, warning_of

Step = tuple[Call, list[Event]]


def previous(call: Call, heard: Words, apart: int) -> Words | None:
    """The agent's utterance in which a phrase of `heard` may begin: at most `apart` ms before."""
    before = [w for w in call.agent.words if w.text and w.start < heard.start]
    if not before or heard.start - before[-1].end > apart:
        return None
    return before[-1]


def judge(
    call: Call, hits: Sequence[Hit], notices: PhraseNotices, heard: Words, before: Words | None
) -> list[Event]:
    """What follows from the phrases found in the agent's utterance `heard`; `before`: the one in
    which a phrase may have begun."""
    events: list[Event] = []
    early = {w.warning_id: w for w in call.early if w.warning_id.endswith(f"-{heard.start}")}
    for hit in hits:
        if hit.split and before and (hit.rule.id, before.start) in call.phrases:
            continue  # it was raised for the utterance that it began in
        span = _span(hit, heard, before)
        raised = early.pop(warning_of(hit.rule.id, heard.start), None)
        if raised:
            events.append(notices.confirmed(raised, hit, heard.event_id, span))
        else:
            utterance = heard.start, heard.event_id
            again = warning_of(hit.rule.id, heard.start) in call.refuted
            raised = notices.raised(call.call_id, call.site, hit, utterance, span, again=again)
            events.append(raised)
        events.append(notices.better_wording(raised, hit))
    return events + [notices.refuted(raised, heard.event_id) for raised in early.values()]


def remember(call: Call, event: Event, notices: PhraseNotices) -> Step:
    """Fold one of our own warnings about a phrase. One that was raised early may come back late,
    behind the firm one: then it is settled here."""
    if isinstance(event, WarningConfirmed | WarningWithdrawn):
        rest = tuple(w for w in call.early if w.warning_id != event.warning_id)
        if isinstance(event, WarningWithdrawn):
            call = replace(call, refuted=call.refuted | {event.warning_id})
        return replace(call, early=rest), []
    if not isinstance(event, WarningRaised) or event.kind != "forbidden_phrase":
        return call, []
    place = place_of(event)
    if event.provisional:
        if place in call.phrases:
            return call, [notices.confirmed_late(event)]
        return replace(call, early=(*call.early, event)), []
    late = [w for w in call.early if w.warning_id == event.warning_id]
    call = replace(
        call,
        phrases=call.phrases | {place},
        early=tuple(w for w in call.early if w not in late),
    )
    return call, [notices.confirmed_late(raised) for raised in late]


def forget(call: Call, notices: PhraseNotices, before: int | None = None) -> Step:
    """Take back what was raised early and never came true: of utterances that began before
    `before`, ms, and have no final; None = all, since nothing more will come. What has its final is
    decided by that, which may still be under way."""
    if not call.early:
        return call, []
    heard = {words.start for words in call.agent.words if words.text}
    stale = [
        w
        for w in call.early
        if before is None or (place_of(w)[1] < before and place_of(w)[1] not in heard)
    ]
    if not stale:
        return call, []
    rest = tuple(w for w in call.early if w not in stale)
    refuted = call.refuted | {w.warning_id for w in stale}
    return replace(call, early=rest, refuted=refuted), [notices.refuted(w, "") for w in stale]


def _span(hit: Hit, heard: Words, previous: Words | None) -> tuple[int, int]:
    """Where it was said, ms: recognisers give no times of words, so by its share of the text."""
    lasts = max(heard.end - heard.start, 0)
    end = heard.start + round(lasts * min(hit.end, 1.0))
    begin = heard.start + round(lasts * max(hit.start, 0.0))
    if hit.split and previous:
        share = min(-hit.start * len(heard.text) / max(len(previous.text), 1), 1.0)
        begin = previous.end - round((previous.end - previous.start) * share)
    return min(begin, end), end
