"""Forbidden phrases in a call: from an agent's final to a warning and its card."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event
from services.conduct.call import Call, Words
from services.conduct.notices import Notices
from services.conduct.phrases import Hit, PhraseBook

Step = tuple[Call, list[Event]]


def judge(call: Call, book: PhraseBook, notices: Notices, heard: Words) -> Step:
    """What the agent's utterance `heard`, already part of the call, holds."""
    previous = _previous(call, heard, notices.times.ms("split_s"))
    events: list[Event] = []
    for hit in book.hits(heard.text, previous.text if previous else ""):
        if _known(call, hit, heard, previous):
            continue
        begin, end = _span(hit, heard, previous)
        warning = notices.forbidden(call, hit, heard, begin, end)
        events += [warning, notices.better_wording(warning, hit)]
        call = replace(call, phrases=call.phrases | {(hit.rule.id, heard.start)})
    return call, events


def _previous(call: Call, heard: Words, apart: int) -> Words | None:
    before = [w for w in call.agent.words if w.text and w.start < heard.start]
    if not before or heard.start - before[-1].end > apart:
        return None
    return before[-1]


def _known(call: Call, hit: Hit, heard: Words, previous: Words | None) -> bool:
    """Whether it was raised already: for this utterance, or for the one it began in."""
    places = [heard.start]
    if hit.split and previous:
        places.append(previous.start)
    return any((hit.rule.id, place) in call.phrases for place in places)


def _span(hit: Hit, heard: Words, previous: Words | None) -> tuple[int, int]:
    """Where it was said, ms: recognisers give no times of words, so by its share of the text."""
    lasts = max(heard.end - heard.start, 0)
    end = heard.start + round(lasts * min(hit.end, 1.0))
    begin = heard.start + round(lasts * max(hit.start, 0.0))
    if hit.split and previous:
        share = min(-hit.start * len(heard.text) / max(len(previous.text), 1), 1.0)
        begin = previous.end - round((previous.end - previous.start) * share)
    return min(begin, end), end
