"""Every conclusion names the events it rests on, and they are events of the call."""

from __future__ import annotations

import pytest

from contracts.base import Derived, Event
from contracts.card import CardShown, CardWithdrawn
from contracts.phrase import PhraseDue
from contracts.warning import WarningRaised
from services.common.calls import CallSettled
from tests.unit.conduct.stories import CLOSING, OPENING, agent, caller, fold, only
from tools.recordings import Hangup
from tools.scripted_calls import Line, Script, timeline

pytestmark = pytest.mark.unit


def told(*lines: Line, hangup: float) -> list[Event]:
    """What conduct says of a script; every cause it names must be an event that was told."""
    script = Script(script=lines, hangup=Hangup(by="agent", at=hangup))
    heard = [step.event for step in timeline(script, "c", "s")]
    said = fold([*heard, CallSettled("c", round(hangup * 1000))])
    ids = {event.event_id for event in heard}
    for event in said:
        if isinstance(event, Derived):
            assert event.derived_from, event.event_id
            assert set(event.derived_from) <= ids, event.event_id
    return said


def cards(said: list[Event]) -> list[tuple[str, tuple[str, ...]]]:
    return [(e.event, e.derived_from) for e in said if isinstance(e, CardShown | CardWithdrawn)]


def test_a_silence_rests_on_the_last_speech_of_both_sides() -> None:
    said = told(
        agent(0.5, 4, OPENING),
        caller(4.5, 8),
        agent(8.5, 11, "好的我看一下"),
        agent(21, 24, CLOSING),
        hangup=25,
    )
    last = ("c:agent:8500:speech.ended", "c:caller:4500:speech.ended")
    assert only(said, "silence", "remind").derived_from == last
    assert only(said, "silence").derived_from == last
    assert only(said, "agent_hung_up_first").derived_from == ("c:-:25000:ended",)


def test_where_nobody_has_spoken_a_silence_rests_on_the_start() -> None:
    said = told(hangup=12)
    assert only(said, "silence").derived_from == ("c:-:0:started",)
    due = next(e for e in said if isinstance(e, PhraseDue))
    assert due.derived_from == ("c:-:0:started",)


@pytest.mark.parametrize(
    ("more", "ended_it"),
    [([agent(50, 53, CLOSING)], "c:agent:50000:speech.started"), ([], "c:-:55000:ended")],
)
def test_the_card_of_a_hold_rests_on_the_request_until_something_ends_it(
    more: list[Line], ended_it: str
) -> None:
    wait = agent(8.5, 11, "我帮您看一下，请您稍等")
    said = told(agent(0.5, 4, OPENING), caller(4.5, 8), wait, *more, hangup=55)
    request = next(
        e.derived_from for e in said if isinstance(e, WarningRaised) and e.kind == "hold_over_30s"
    )
    assert cards(said) == [("card.shown", request), ("card.withdrawn", (ended_it,))]
    assert request[0].endswith(":8500:transcript.final")


@pytest.mark.parametrize(
    ("more", "ended_it"),
    [([caller(20, 23)], "c:caller:20000:speech.started"), ([], "c:-:24000:ended")],
)
def test_the_cards_of_a_silent_call_rest_on_what_was_not_answered(
    more: list[Line], ended_it: str
) -> None:
    said = told(agent(0.5, 5, OPENING), agent(10, 12, "您好，听得到吗"), *more, hangup=24)
    assert only(said, "silent_caller").derived_from == ("c:agent:500:speech.ended",)
    assert cards(said) == [
        ("card.shown", ("c:agent:500:speech.ended",)),
        ("card.shown", ("c:agent:10000:speech.ended",)),
        ("card.withdrawn", (ended_it,)),
    ]
