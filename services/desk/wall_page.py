"""What the supervisors' wall shows of a call: a tile, and its escalations."""

from __future__ import annotations

from contracts.escalation import Severity
from services.desk import agent_page, score_page, type_page, wording
from services.desk.call_view import CallView, Escalated
from services.desk.risk import assess
from services.desk.strip import strip
from services.desk.wire import Json, Sections, millis

RECENT_LINES = 8
_SEVERITY: dict[Severity, str] = {"notice": "提醒", "urgent": "紧急", "red_line": "红线"}


def sections(view: CallView, *, quiet: bool, tile: bool = True) -> Sections:
    """All sections of one call. `quiet`: nothing was heard of it for a while; `tile`: the call
    itself is on the wall, not its appeals alone."""
    risk = assess(view)
    return {
        "tile": tile,
        "head": {
            "agent": view.agent_id,
            "number": view.number,
            "region": view.region,
            "started": millis(view.started_at),
        },
        "clock": agent_page.clock(view),
        "end": wording.ENDED_BY[view.ended_by or "unknown"] if view.ended_at else None,
        "quiet": quiet,
        "type": type_page.call_type(view),
        "course": type_page.course(view),
        "risk": {"rank": risk.rank, "level": risk.level, "why": risk.why},
        "strip": strip(view),
        "recent": [agent_page.line(line) for line in view.lines[-RECENT_LINES:]],
        "partials": [{"role": p.role, "at": p.at_ms, "text": p.text} for p in view.partials],
        "score": view.score,
        "escalations": [_escalation(view, e) for e in view.escalations],
        "appeals": score_page.open_appeals(view),
    }


def _escalation(view: CallView, escalated: Escalated) -> dict[str, Json]:
    event = escalated.event
    return {
        "id": event.escalation_id,
        "call": view.call_id,
        "agent": event.agent_id,
        "severity": event.severity,
        "label": _SEVERITY[event.severity],
        "title": event.title,
        "reason": event.reason,
        "words": [e.words for e in event.evidence if e.words][:3],
        "at": min((e.start_ms for e in event.evidence if e.words), default=0) or event.at_ms,
        "origin": wording.rule_source(event.by.source),
        "rule": f"{event.by.name} {event.by.version}",
        "raised": millis(escalated.raised_at),
        "rise": event.rise,
        "state": escalated.state,
        "supervisor": escalated.supervisor,
        "handled": millis(escalated.handled_at),
    }
