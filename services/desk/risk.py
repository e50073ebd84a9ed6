"""How much a call needs a supervisor's eye: a rank, a level, and one line that says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from contracts.call_type import CallType
from services.desk.call_view import CallView
from services.desk.trail import trail, type_now

Level = Literal["red", "amber", "calm"]

RECENT_MS = 120_000
"""How long a forbidden phrase keeps a call red when no escalation holds it there, ms of audio."""
HOLD_NOTICE_MS = 25_000
SILENCE_NOTICE_MS = 5_000

STEPS = 3
"""How many types of its trail the line that says why names."""

_TENSE: dict[CallType | None, int] = {"对抗": 30, "哭诉": 25, "投诉": 15, "发泄": 15, "纠缠": 15}
_SEVERITY = {"red_line": 200, "urgent": 120, "notice": 40}


@dataclass(frozen=True, slots=True)
class Risk:
    """A call's place on the wall."""

    rank: int
    """The higher, the nearer to the top."""
    level: Level
    why: str
    """One line; 平稳 where there is nothing to say."""


def assess(view: CallView) -> Risk:
    """Rank a call. Depends on the view alone."""
    rank, reasons, red = 0, [], False
    for escalated in view.escalations:
        if escalated.open:
            points = _SEVERITY[escalated.event.severity]
            # Somebody has it: below those that nobody has, still above the calm.
            rank += points if escalated.state == "raised" else points // 4
            red |= escalated.event.severity != "notice" and escalated.state == "raised"
            reasons.append(escalated.event.title)
    forbidden = [w for w in view.warnings if w.counts and w.event.kind == "forbidden_phrase"]
    if forbidden:
        rank += 25 * len(forbidden)
        red |= view.live and view.now_ms - forbidden[-1].seen_ms < RECENT_MS
        reasons.append(f"禁用语 ×{len(forbidden)}")
    cut_in = sum(w.counts and w.event.kind == "interruption" for w in view.warnings)
    if cut_in:
        rank += 8 * cut_in
        reasons.append(f"抢话 {cut_in} 次")
    if wait := _waiting(view):
        rank += 30
        reasons.insert(0, wait)
    if any(w.counts and w.event.kind == "agent_hung_up_first" for w in view.warnings):
        rank += 20
        reasons.append("坐席先挂机")
    if (kind := type_now(view)[0]) in _TENSE:
        rank += _TENSE[kind]
        if turned := trail(view):
            reasons.append(" → ".join(step.type for step in turned[-STEPS:]))
    if view.earlier_calls is not None and view.earlier_calls >= 2:
        rank += 10
        reasons.append(f"同号第 {view.earlier_calls + 1} 次来电")
    level: Level = "red" if red else "amber" if rank >= 30 else "calm"
    return Risk(rank, level, " · ".join(dict.fromkeys(reasons[:2])) or "平稳")


def _waiting(view: CallView) -> str:
    if view.hold and view.now_ms - view.hold.at_ms >= HOLD_NOTICE_MS:
        return f"等待 {(view.now_ms - view.hold.at_ms) // 1000} 秒"
    if view.silence and not view.silence.announced:
        silent = view.now_ms - view.silence.at_ms
        if silent >= SILENCE_NOTICE_MS:
            return f"双方沉默 {silent // 1000} 秒"
    return ""
