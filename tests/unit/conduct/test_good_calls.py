"""Whole calls, our own warnings fed back: good ones are left alone, what is wrong is heard."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.base import Event
from contracts.score import ScoreChanged
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.common.calls import CallSettled, Happening
from tests.unit.conduct.stories import handler
from tools.recordings import Hangup
from tools.scripted_calls import Line, Script, timeline

pytestmark = pytest.mark.unit

CALLS: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("whole_calls.yaml").read_text(encoding="utf-8")
)


@cache
def told(kind: str, number: int) -> list[Event]:
    """Everything conduct says of a call, its own events coming back as they do from the bus."""
    known = CALLS[kind][number]
    lines = tuple(
        Line(role=role, start=start, end=end, text=text)
        for role, start, end, text in known["script"]
    )
    script = Script(script=lines, hangup=Hangup(**known["hangup"]))
    waiting: list[Happening] = [step.event for step in timeline(script, "c", "s")]
    waiting.append(CallSettled("c", script.end_ms))
    call, said = handler().open("c", "s"), []
    while waiting:
        call, events = handler().fold(call, waiting.pop(0))
        said += events
        waiting[:0] = events
    return said


def left(said: list[Event]) -> list[WarningRaised]:
    """The warnings that hold in the end."""
    gone = {e.warning_id for e in said if isinstance(e, WarningWithdrawn)}
    held = {e.warning_id for e in said if isinstance(e, WarningConfirmed)}
    return [
        e
        for e in said
        if isinstance(e, WarningRaised)
        and e.warning_id not in gone
        and (not e.provisional or e.warning_id in held)
    ]


def score(said: list[Event]) -> int:
    return next((e.score for e in reversed(said) if isinstance(e, ScoreChanged)), 100)


def ids(kind: str) -> list[str]:
    return [call["name"] for call in CALLS[kind]]


@pytest.mark.parametrize("number", range(5), ids=ids("good"))
def test_a_call_that_is_led_well_is_left_alone(number: int) -> None:
    said = told("good", number)
    raised = [(e.kind, e.level, e.by.name) for e in said if isinstance(e, WarningRaised)]
    assert not [one for one in raised if one[1] == "alarm"]
    assert len([one for one in raised if one[1] == "remind"]) <= 1, raised
    assert score(said) >= 95, raised


@pytest.mark.parametrize("number", range(5), ids=ids("bad"))
def test_what_is_done_wrong_is_heard(number: int) -> None:
    said = told("bad", number)
    found = {warning.kind for warning in left(said)}
    assert set(CALLS["bad"][number]["heard"]) <= found, found
    assert score(said) < 95
