"""Required phrases as ticks: when their moment comes, when they are heard."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event
from services.conduct.call import Call, Words
from services.conduct.notices import Notices

Step = tuple[Call, list[Event]]
EXPLANATION = 40
"""An agent's utterance of at least that many characters explains something."""
HOLD_MS = 10_000
"""A wait of at least that long asks for thanks."""


def judge(call: Call, notices: Notices, heard: Words | None = None) -> Step:
    """Moments that have come, and what `heard`, an agent's utterance, ticks off."""
    events: list[Event] = []
    phrases = notices.waiting.file.required
    if heard:
        for phrase in phrases:
            if phrase.id in heard.marks.signs and phrase.id not in call.said:
                call = replace(call, said=call.said | {phrase.id})
                events.append(
                    notices.phrase("said", call, phrase, heard.start, heard.event_id, heard)
                )
    for phrase in phrases:
        moment = None if phrase.id in call.due | call.said else _moment(call, phrase.due)
        if moment is not None:
            at, cause = moment
            call = replace(call, due=call.due | {phrase.id})
            events.append(notices.phrase("due", call, phrase, at, cause))
    return call, events


def _moment(call: Call, due: str) -> tuple[int, str] | None:
    """When the moment of a phrase came, ms, and by which event; None while it has not."""
    if due == "start":
        return 0, call.started_id
    if due == "caller_spoke":
        ends = [(words.end, words.event_id) for words in call.caller.words if words.text]
    elif due == "explained":
        explained = [w for w in call.agent.words if len(w.text) >= EXPLANATION]
        # The opening may be long, but it explains nothing.
        ends = [(w.end, w.event_id) for w in explained if "opening" not in w.marks.signs]
    elif due == "after_hold":
        over = [(h.start, h.end, h.event_id) for h in call.holds if h.end is not None]
        ends = [(end, event_id) for start, end, event_id in over if end - start >= HOLD_MS]
    else:
        name = due.removeprefix("after:")
        ends = [(w.end, w.event_id) for w in call.agent.words if name in w.marks.signs]
    return min(ends, default=None)
