"""The caller cuts in on the agent: who goes on over it is talking over, who stops was interrupted.

Decided on voice activity; the caller's words decide whether it was more than an acknowledgement.
"""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event, Evidence
from services.conduct.call import Call, Overlap
from services.conduct.channel import BOUNDARY_MS, Channel, Span, Words
from services.conduct.notices import Notices
from services.conduct.turns.interruption import RESUME_MS

Step = tuple[Call, list[Event]]
RECENT = 6
"""How many stretches of the caller, the last ones, may still be judged."""
KEPT = 16


def judge(call: Call, notices: Notices) -> Step:
    """Where the caller has cut in, and what has become of what was raised before."""
    events: list[Event] = []
    found: list[Overlap] = []
    for one in call.overlaps:
        if one.open:
            one, said = _settle(call, one, notices)
            events += said
        found.append(one)
    known = {one.start for one in found}
    for span in call.caller.spans[-RECENT:]:
        if span.start in known or span.continues or span.noise:
            continue
        judged = _judge(call, span, notices)
        if judged:
            found.append(judged[0])
            events += judged[1]
    return replace(call, overlaps=tuple(found[-KEPT:])), events


def _judge(call: Call, span: Span, notices: Notices) -> tuple[Overlap, list[Event]] | None:
    """What can be said of the caller's beginning to speak; None while nothing can."""
    start = span.start
    nothing: tuple[Overlap, list[Event]] = (Overlap(start, "", open=False), [])
    agent = _going_on(call.agent, start)
    if not agent or _resumes(call, span, agent[0].start):
        return nothing if call.clock > start + RESUME_MS else None
    caller = call.caller.stretch(span, RESUME_MS)
    agent_until, caller_until = _until(call, agent), _until(call, caller)
    both = min(agent_until, caller_until) - start
    turned, only_acknowledged = _meant(call, caller)
    if only_acknowledged:
        return nothing
    if both >= notices.times.ms("talking_over_s"):
        return _talking_over(call, agent, caller, start + both, turned, notices)
    if agent[-1].end is None or not _is_over(call, agent[-1].end):
        return None
    end = agent[-1].end
    cut_off = call.ended_at is not None and call.ended_at <= end + BOUNDARY_MS
    if cut_off or caller_until < end or both < notices.times.ms("overlap_s"):
        return nothing
    if not (turned or call.settled):
        return None
    return Overlap(start, "", open=False), [
        notices.warning(
            call,
            "interrupted",
            level="note",
            at=start,
            end=end,
            due=end,
            causes=[agent[0].event_id, span.event_id],
            evidence=Evidence(role="caller", start_ms=start, end_ms=end),
        )
    ]


def _talking_over(
    call: Call,
    agent: list[Span],
    caller: list[Span],
    end: int,
    turned: list[Words],
    notices: Notices,
) -> tuple[Overlap, list[Event]]:
    start = caller[0].start
    known = bool(turned) and _is_heard(call, agent)
    warning = notices.warning(
        call,
        "talking_over",
        level="remind",
        at=start,
        end=end,
        due=start + notices.times.ms("talking_over_s"),
        causes=[agent[0].event_id, caller[0].event_id],
        evidence=Evidence(role="agent", start_ms=start, end_ms=end),
        provisional=not known,
    )
    return Overlap(start, warning.warning_id, open=not known), [warning]


def _settle(call: Call, one: Overlap, notices: Notices) -> tuple[Overlap, list[Event]]:
    """Confirm or withdraw what was raised before the caller's words were known."""
    span = call.caller.span_at(one.start)
    if span is None:
        return one, []
    turned, only_acknowledged = _meant(call, call.caller.stretch(span, RESUME_MS))
    agent = _going_on(call.agent, one.start)
    closed = replace(one, open=False)
    if only_acknowledged or not agent:
        reason = "来电人只是应答。" if only_acknowledged else "坐席一侧只是杂音。"
        cause = span.ended_by or span.event_id
        return closed, [
            notices.withdrawn(call, "talking_over", one.warning_id, one.start, reason, cause)
        ]
    if (turned and _is_heard(call, agent)) or call.settled:
        cause = turned[0].event_id if turned else span.event_id
        return closed, [
            notices.confirmed(call, "talking_over", one.warning_id, one.start, (), cause)
        ]
    return one, []


def _meant(call: Call, caller: list[Span]) -> tuple[list[Words], bool]:
    """The caller's words that were more than an acknowledgement, and whether there were none."""
    said = [words for span in caller for words in call.caller.words_in(span)]
    turned = [words for words in said if words.text and not words.marks.acknowledgement]
    return turned, not turned and all(call.caller.settled(span) for span in caller)


def _is_heard(call: Call, agent: list[Span]) -> bool:
    """Whether words of the agent are known: what went on was no noise."""
    return any(words.text for span in agent for words in call.agent.words_in(span))


def _going_on(channel: Channel, at: int) -> list[Span]:
    """What one side was saying at `at`, from before; empty where it was silent."""
    span = channel.last_voice(at - BOUNDARY_MS + 1)
    if span is None or not (span.end is None or span.end > at):
        return []
    return channel.stretch(span, RESUME_MS)


def _is_over(call: Call, end: int) -> bool:
    """Whether a stretch that ended will not be gone on with."""
    return call.over or call.clock > end + RESUME_MS


def _until(call: Call, stretch: list[Span]) -> int:
    """Up to where a stretch is known to go on."""
    end = stretch[-1].end
    return max(call.decided, stretch[-1].start) if end is None else end


def _resumes(call: Call, span: Span, agent_start: int) -> bool:
    """The agent had cut in on the caller, who only goes on."""
    before = call.caller.last_voice(span.start)
    if before is None or before.end is None:
        return False
    return span.start - before.end < RESUME_MS and before.start < agent_start
