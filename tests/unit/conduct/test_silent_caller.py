from __future__ import annotations

import pytest

from contracts.base import Event
from contracts.card import CardShown, CardWithdrawn
from contracts.transcript import TranscriptFinal
from tests.unit.conduct.stories import CLOSING, OPENING, agent, alarms, caller, only, play

pytestmark = pytest.mark.unit

PROMPT = "您好，听得到吗，请讲话"


def steps(said: list[Event]) -> list[tuple[str, int]]:
    return [
        (e.card_id, e.at_ms) for e in said if isinstance(e, CardShown) and "silent" in e.card_id
    ]


def test_the_script_of_a_silent_call() -> None:
    said = play(
        agent(0.5, 5, OPENING),
        agent(10, 12, PROMPT),
        agent(17, 19, PROMPT),
        agent(24, 28, "抱歉听不到您的声音，请换一部电话再打，再见"),
        hangup=33,
        by="agent",
    )
    warning = only(said, "silent_caller")
    assert (warning.at_ms, warning.due_ms) == (5_000, 10_000)
    # No silence, no hang-up, no missing closing: only the steps count.
    assert alarms(said) == ["silent_caller"]
    assert steps(said) == [
        ("silent-caller-1", 10_000),
        ("silent-caller-2", 17_000),
        ("silent-caller-3", 24_000),
        ("silent-caller-4", 33_000),
    ]


def test_after_the_script_nobody_asks_for_a_closing() -> None:
    lines = [agent(at, at + 2, PROMPT) for at in (10, 17, 24)]
    said = play(agent(0.5, 5, OPENING), *lines, hangup=31, by="agent")
    assert alarms(said) == ["silent_caller"]


def test_hanging_up_after_one_prompt_is_too_early() -> None:
    said = play(agent(0.5, 5, OPENING), agent(10, 12, PROMPT), hangup=18, by="agent")
    assert alarms(said) == ["silent_caller", "agent_hung_up_first", "missing_closing"]


def test_other_talk_is_no_prompt() -> None:
    chat = "中午一起去吃面怎么样"
    said = play(
        agent(0.5, 5, OPENING),
        agent(10, 12, chat),
        agent(17, 19, chat),
        agent(24, 25, "走吧走吧"),
        hangup=30,
        by="agent",
    )
    assert "agent_hung_up_first" in alarms(said)


def test_the_first_word_ends_it() -> None:
    said = play(
        agent(0.5, 5, OPENING),
        caller(13, 16),
        agent(17, 20, "好的这就办"),
        agent(22, 24, CLOSING),
        hangup=26,
    )
    assert alarms(said) == ["silent_caller"]
    assert [e.at_ms for e in said if isinstance(e, CardWithdrawn)] == [13_000]


def test_a_caller_who_answers_in_time_is_not_silent() -> None:
    said = play(
        agent(0.5, 5, OPENING),
        caller(9.9, 13),
        agent(14, 17, "好的这就办"),
        agent(19, 21, CLOSING),
        hangup=23,
    )
    assert alarms(said) == []


def test_a_caller_who_spoke_into_the_opening_is_not_silent() -> None:
    said = play(caller(0.2, 0.8, "喂"), agent(1, 5, OPENING), agent(14, 17, CLOSING), hangup=18)
    assert "silent_caller" not in alarms(said)


def test_a_cough_is_no_voice() -> None:
    def empty(events: list[Event]) -> list[Event]:
        return [
            e.model_copy(update={"text": "", "heard": ""})
            if isinstance(e, TranscriptFinal) and e.role == "caller"
            else e
            for e in events
        ]

    said = play(
        agent(0.5, 5, OPENING),
        caller(7, 7.4),
        agent(12, 14, PROMPT),
        agent(19, 21, PROMPT),
        hangup=27,
        by="agent",
        change=empty,
    )
    assert "silent_caller" in alarms(said)
    assert "agent_hung_up_first" not in alarms(said)


def test_a_pause_within_the_opening_does_not_end_it() -> None:
    said = play(
        agent(0.5, 1.2, "您好"),
        agent(2.8, 6, OPENING),
        caller(10, 12),
        agent(13, 15, CLOSING),
        hangup=16,
    )
    assert alarms(said) == []
