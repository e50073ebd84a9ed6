"""Interruption: the agent starts while the caller is speaking, and both go on."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event, Evidence
from services.conduct.call import Call, Interruption
from services.conduct.channel import BOUNDARY_MS, Channel, Span, Words
from services.conduct.notices import Notices

Step = tuple[Call, list[Event]]
RESUME_MS = 700
"""An agent who goes on within this time after having been cut in on does not interrupt."""

KEPT = 32
"""How many, the last ones, may still be confirmed or withdrawn."""


def judge(call: Call, notices: Notices) -> Step:
    """Interruptions that can be known now, and what has become of those raised before."""
    events: list[Event] = []
    known = {one.start for one in call.interruptions}
    found = list(call.interruptions)
    for span in call.agent.spans[-6:]:
        if span.start in known or span.continues:
            continue
        raised = _raise(call, span, notices)
        if raised:
            found.append(raised[0])
            events += raised[1]
    after: list[Interruption] = []
    for one in found:
        if one.open:
            one, said = _settle(call, one, notices)
            events += said
        after.append(one)
    return replace(call, interruptions=tuple(after[-KEPT:])), events


def _raise(call: Call, span: Span, notices: Notices) -> tuple[Interruption, list[Event]] | None:
    caller = _speaking_at(call.caller, span.start)
    if caller is None or _resumes(call, span, caller[0].start):
        return None
    end = min(_until(call, call.agent.stretch(span)), _until(call, caller))
    overlap = notices.times.ms("overlap_s")
    if end - span.start < overlap:
        return None
    words = _words(call.agent, call.agent.stretch(span))
    if words and all(w.marks.acknowledgement for w in words):
        return Interruption(span.start, "", open=False), []
    warning = notices.warning(
        call,
        "interruption",
        at=span.start,
        end=end,
        due=span.start + overlap,
        causes=[caller[0].event_id, span.event_id],
        evidence=Evidence(role="agent", start_ms=span.start, end_ms=end),
        provisional=not words,
    )
    return Interruption(span.start, warning.warning_id, open=not words), [warning]


def _settle(call: Call, one: Interruption, notices: Notices) -> tuple[Interruption, list[Event]]:
    """Confirm or withdraw a provisional interruption once the agent's words are known."""
    span = call.agent.span_at(one.start)
    if span is None:
        return one, []
    stretch = call.agent.stretch(span)
    words = _words(call.agent, stretch)
    turned = [w for w in words if not w.marks.acknowledgement]
    closed = replace(one, open=False)
    if turned or call.settled:
        held = notices.confirmed(
            call, "interruption", one.warning_id, one.start, turned, span.event_id
        )
        return closed, [held]
    if words and all(call.agent.settled(part) for part in stretch):
        reason = "只是应答，没有打断来电人。"
        cause = words[0].event_id
        return closed, [
            notices.withdrawn(call, "interruption", one.warning_id, one.start, reason, cause)
        ]
    return one, []


def _speaking_at(channel: Channel, at: int) -> list[Span] | None:
    """The caller's stretch, cuts at short pauses bridged, that was going on at `at`."""
    for span in reversed(channel.spans[-8:]):
        if span.continues:
            continue
        stretch = channel.stretch(span)
        end = stretch[-1].end
        if span.start <= at - BOUNDARY_MS and (end is None or end > at):
            return stretch
    return None


def _until(call: Call, stretch: list[Span]) -> int:
    """Up to where a stretch is known to go on."""
    end = stretch[-1].end
    return max(call.decided, stretch[-1].start) if end is None else end


def _resumes(call: Call, span: Span, caller_start: int) -> bool:
    """The caller had cut in on the agent, who only goes on."""
    before = call.agent.before(span.start)
    if before is None or before.end is None:
        return False
    return span.start - before.end < RESUME_MS and before.start < caller_start


def _words(channel: Channel, stretch: list[Span]) -> list[Words]:
    """Finals that lie in a stretch, by their middle."""
    end = stretch[-1].end
    near = {words.start: words for span in stretch for words in channel.words_in(span)}
    return [
        words
        for words in near.values()
        if (end is None or (words.start + words.end) / 2 <= end)
        and (words.start + words.end) / 2 >= stretch[0].start
    ]
