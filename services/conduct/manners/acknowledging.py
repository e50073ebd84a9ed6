"""The caller tells for long, and not a word comes from the agent."""

from __future__ import annotations

from dataclasses import replace

from contracts.base import Event, Evidence
from services.conduct.call import Call
from services.conduct.channel import Span
from services.conduct.notices import Notices

Step = tuple[Call, list[Event]]


def judge(call: Call, notices: Notices) -> Step:
    """Whether the caller has been telling for too long without an answer."""
    last = call.agent.last_voice()
    if last is None or last.end is None:
        return call, []
    limit = notices.limits.ms("acknowledge_s")
    spans = _telling(call, last.end, notices.limits.ms("acknowledge_pause_s"))
    if not spans:
        return call, []
    start = max(spans[0].start, last.end)
    end = call.decided if spans[-1].end is None else spans[-1].end
    if end - start < limit or start <= call.unacknowledged:
        return call, []
    warning = notices.warning(
        call,
        "no_acknowledgement",
        level="remind",
        at=start,
        end=end,
        due=start + limit,
        causes=[last.ended_by, spans[0].event_id],
        evidence=Evidence(role="caller", start_ms=start, end_ms=end),
    )
    return replace(call, unacknowledged=end), [warning]


def _telling(call: Call, since: int, pause: int) -> list[Span]:
    """What the caller has been saying since the agent's last word, short pauses bridged."""
    spans: list[Span] = []
    for span in reversed(call.caller.spans):
        over = span.end is not None and span.end <= since
        if over or (span.start <= call.unacknowledged and not spans):
            break
        if span.noise:
            continue
        if spans and span.end is not None and spans[-1].start - span.end > pause:
            break
        spans.append(span)
    return spans[::-1]
