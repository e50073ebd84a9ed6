"""Scripted calls for conduct: who says what when, and what conduct makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Literal

from contracts.base import Event, Producer, Role
from contracts.call import CallProgressed
from contracts.transcript import TranscriptFinal
from contracts.warning import WarningRaised
from services.common.calls import CallSettled, Happening
from services.conduct.books import load_rules
from services.conduct.handler import ConductHandler
from tools.recordings import Hangup
from tools.scripted_calls import Line, Script, timeline

BY = Producer(name="test", version="0")
OPENING = "您好，便民热线，七号话务员为您服务"
CLOSING = "谢谢您来电，再见"
By = Literal["caller", "agent", "transfer", "unknown"]
Change = Callable[[list[Event]], list[Event]]


def agent(start: float, end: float, text: str) -> Line:
    return Line(role="agent", start=start, end=end, text=text)


def caller(start: float, end: float, text: str = "我想问一下公积金怎么提取") -> Line:
    return Line(role="caller", start=start, end=end, text=text)


@cache
def handler() -> ConductHandler:
    return ConductHandler(load_rules())


def fold(happenings: Iterable[Happening], judge: ConductHandler | None = None) -> list[Event]:
    """Everything conduct says of a call, in order; `judge`: with other rules than the service's."""
    judge = judge or handler()
    call, said = judge.open("c", "s"), []
    for happening in happenings:
        call, events = judge.fold(call, happening)
        said += events
    return said


def play(
    *lines: Line,
    hangup: float,
    by: By = "caller",
    change: Change = list,
    judge: ConductHandler | None = None,
) -> list[Event]:
    """The same of a script, as its events come when it is played; `change` disturbs them."""
    script = Script(script=lines, hangup=Hangup(by=by, at=hangup))
    events = change([step.event for step in timeline(script, "c", "s")])
    return fold([*events, CallSettled("c", round(hangup * 1000))], judge)


def alarms(events: Iterable[Event]) -> list[str]:
    """The kinds of the alarms among events."""
    return [e.kind for e in events if isinstance(e, WarningRaised) and e.level == "alarm"]


def only(events: Iterable[Event], kind: str, level: str = "alarm") -> WarningRaised:
    """The one warning of a kind."""
    found = [
        e for e in events if isinstance(e, WarningRaised) and (e.kind, e.level) == (kind, level)
    ]
    assert len(found) == 1, (kind, found)
    return found[0]


def names(events: Iterable[Event]) -> list[str]:
    return [event.event for event in events]


def progress(at_ms: int) -> CallProgressed:
    return CallProgressed(call_id="c", site="s", at_ms=at_ms, audio_ms=at_ms)


def final(role: Role, start: int, end: int, text: str) -> TranscriptFinal:
    return TranscriptFinal(
        call_id="c", site="s", at_ms=start, end_ms=end, role=role, text=text, heard=text, by=BY
    )
