from __future__ import annotations

import pytest

from contracts.base import Event
from contracts.speech import SpeechStarted
from contracts.warning import WarningConfirmed, WarningWithdrawn
from tests.unit.conduct.stories import (
    CLOSING,
    OPENING,
    agent,
    alarms,
    caller,
    names,
    only,
    play,
)
from tools.scripted_calls import Line

pytestmark = pytest.mark.unit

BEGIN = agent(0.5, 4, OPENING)
END = agent(20, 22, CLOSING)


def test_talking_over_the_caller_is_raised_at_half_a_second_and_confirmed_by_words() -> None:
    said = play(BEGIN, caller(5, 10), agent(9, 12, "您把单位名称报一下"), END, hangup=24)
    raised = only(said, "interruption")
    assert (raised.at_ms, raised.due_ms, raised.provisional) == (9_000, 9_500, True)
    assert raised.end_ms < 9_700
    confirmed = next(e for e in said if isinstance(e, WarningConfirmed))
    assert confirmed.warning_id == raised.warning_id
    assert confirmed.evidence[0].words == "您把单位名称报一下"


@pytest.mark.parametrize("words", ["嗯嗯，好的", "嗯，我明白", "我在听，您慢慢说"])
def test_an_acknowledgement_is_taken_back(words: str) -> None:
    said = play(BEGIN, caller(5, 10), agent(8, 9.2, words), END, hangup=24)
    raised = only(said, "interruption")
    assert next(e for e in said if isinstance(e, WarningWithdrawn)).warning_id == raised.warning_id
    assert "warning.confirmed" not in names(said)


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        ("overlap too short", [caller(5, 9.4), agent(9, 12, "您把单位名称报一下")]),
        ("the caller cuts in", [agent(5, 10, "这个要到窗口去办理"), caller(8, 14)]),
        (
            "the agent goes on after the caller cut in",
            [agent(5, 8, "这个要到窗口"), caller(7.5, 12), agent(8.6, 10, "去办理的")],
        ),
        ("both begin at once", [caller(5, 9), agent(5.1, 9, "您把单位名称报一下")]),
    ],
)
def test_what_is_no_interruption(what: str, lines: list[Line]) -> None:
    said = play(BEGIN, *lines, END, hangup=24)
    assert "interruption" not in alarms(said), what


def test_words_that_come_first_make_it_final_at_once() -> None:
    """A streaming recogniser may be quicker than the end of speech."""

    def early(events: list[Event]) -> list[Event]:
        words = next(e for e in events if e.event == "transcript.final" and e.at_ms == 9_000)
        events.remove(words)
        began = next(i for i, e in enumerate(events) if e.event_id == "c:agent:9000:speech.started")
        return [*events[: began + 1], words, *events[began + 1 :]]

    lines = [caller(5, 10), agent(9, 12, "您把单位名称报一下")]
    said = play(BEGIN, *lines, END, hangup=24, change=early)
    assert not only(said, "interruption").provisional


def test_without_words_it_holds_when_the_call_is_settled() -> None:
    said = play(
        BEGIN,
        caller(5, 10),
        agent(9, 12, "您把单位名称报一下"),
        END,
        hangup=24,
        change=lambda events: [
            e for e in events if not (e.event == "transcript.final" and e.at_ms == 9_000)
        ],
    )
    assert names(said).count("warning.confirmed") == 1


def test_a_cut_of_a_long_utterance_is_no_new_turn() -> None:
    def cut(events: list[Event]) -> list[Event]:
        return [
            e.model_copy(update={"continues": True})
            if isinstance(e, SpeechStarted) and e.at_ms == 9_000
            else e
            for e in events
        ]

    said = play(
        BEGIN,
        agent(5, 8.8, "这个业务要先到窗口"),
        caller(8, 12),
        agent(9, 11, "递交材料"),
        END,
        hangup=24,
        change=cut,
    )
    assert "interruption" not in alarms(said)
