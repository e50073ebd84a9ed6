"""The caller cuts in: talked over, or given way to."""

from __future__ import annotations

import pytest

from contracts.base import Event
from contracts.transcript import TranscriptFinal
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from tests.unit.conduct.stories import CLOSING, OPENING, agent, caller, only, play
from tools.scripted_calls import Line

pytestmark = pytest.mark.unit

BEGIN = [agent(0.5, 4, OPENING), caller(4.5, 6)]
END = agent(24, 26, CLOSING)
LONG = "这个要先在网上预约，再带身份证和银行卡到窗口办理"


def kinds(said: list[Event]) -> list[str]:
    return [
        e.kind
        for e in said
        if isinstance(e, WarningRaised) and e.kind in ("talking_over", "interrupted")
    ]


def test_going_on_over_the_caller_is_raised_at_two_seconds_and_confirmed_by_words() -> None:
    said = play(*BEGIN, agent(7, 14, LONG), caller(10, 13), END, hangup=28)
    raised = only(said, "talking_over", "remind")
    assert (raised.at_ms, raised.due_ms, raised.provisional) == (10_000, 12_000, True)
    assert raised.end_ms <= 12_500
    confirmed = [e.warning_id for e in said if isinstance(e, WarningConfirmed)]
    assert confirmed == [raised.warning_id]
    assert kinds(said) == ["talking_over"]


def test_it_is_taken_back_where_the_caller_only_agreed() -> None:
    said = play(*BEGIN, agent(7, 14, LONG), caller(10, 12.4, "嗯嗯对对，好的好的"), END, hangup=28)
    raised = only(said, "talking_over", "remind")
    assert [e.warning_id for e in said if isinstance(e, WarningWithdrawn)] == [raised.warning_id]


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        ("the caller said one word", [agent(7, 14, LONG), caller(10, 10.6, "哎")]),
        ("the caller gave way", [agent(7, 14, LONG), caller(10, 11.5)]),
        ("the agent cut in", [caller(7, 14), agent(10, 13, LONG)]),
        ("the agent was only finishing", [agent(7, 10.3, LONG), caller(10, 13)]),
        (
            "the caller goes on after the agent cut in",
            [caller(7, 10.2), agent(9.8, 14, LONG), caller(10.8, 13.2)],
        ),
    ],
)
def test_what_is_neither(what: str, lines: list[Line]) -> None:
    assert kinds(play(*BEGIN, *lines, END, hangup=28)) == [], what


def test_giving_way_is_noted_and_charged_to_nobody() -> None:
    said = play(*BEGIN, agent(7, 11, LONG), caller(10, 14), END, hangup=28)
    found = only(said, "interrupted", "note")
    assert (found.at_ms, found.end_ms, found.due_ms) == (10_000, 11_000, 11_000)
    assert kinds(said) == ["interrupted"]


def test_an_acknowledgement_at_the_end_of_the_agents_words_is_nothing() -> None:
    said = play(*BEGIN, agent(7, 11, LONG), caller(10, 11.5, "嗯嗯好的"), END, hangup=28)
    assert kinds(said) == []


def test_a_short_pause_of_the_agent_is_no_giving_way() -> None:
    said = play(*BEGIN, agent(7, 10.8, LONG), agent(11.3, 14, LONG), caller(10, 13), END, hangup=28)
    assert kinds(said) == ["talking_over"]


def test_hold_music_talks_over_nobody() -> None:
    said = play(*BEGIN, agent(7, 14, ""), caller(10, 13), END, hangup=28)
    withdrawn = {e.warning_id for e in said if isinstance(e, WarningWithdrawn)}
    raised = {
        e.warning_id for e in said if isinstance(e, WarningRaised) and e.kind == "talking_over"
    }
    assert raised <= withdrawn


def test_without_words_both_hold_when_the_call_is_settled() -> None:
    def dumb(events: list[Event]) -> list[Event]:
        return [e for e in events if not isinstance(e, TranscriptFinal)]

    said = play(*BEGIN, agent(7, 14, LONG), caller(10, 13), END, hangup=28, change=dumb)
    assert [e.event for e in said].count("warning.confirmed") == 1
    said = play(*BEGIN, agent(7, 11, LONG), caller(10, 14), END, hangup=28, change=dumb)
    assert kinds(said) == ["interrupted"]


def test_a_hang_up_in_the_midst() -> None:
    said = play(*BEGIN, agent(7, 14, LONG), caller(10, 14), hangup=12.5)
    assert kinds(said) == ["talking_over"]
    assert kinds(play(*BEGIN, agent(7, 14, LONG), caller(10, 14), hangup=11)) == []
