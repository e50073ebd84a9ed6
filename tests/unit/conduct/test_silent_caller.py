from __future__ import annotations

import pytest

from contracts.base import Event
from contracts.card import CardShown, CardWithdrawn
from contracts.speech import SpeechEnded
from contracts.transcript import TranscriptFinal
from contracts.warning import WarningRaised
from services.conduct.books import load_rules
from services.conduct.handler import ConductHandler
from services.conduct.settings import ConductSettings
from tests.unit.conduct.stories import (
    CLOSING,
    OPENING,
    agent,
    alarms,
    caller,
    handler,
    only,
    play,
    progress,
)
from tools.recordings import Hangup
from tools.scripted_calls import Script, timeline

pytestmark = pytest.mark.unit

PROMPT = "您好，听得到吗，请讲话"
HERE = {"call_id": "c", "site": "s"}


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
        ("silent-caller-1", 9_000),
        ("silent-caller-2", 16_000),
        ("silent-caller-3", 23_000),
        ("silent-caller-4", 33_000),
    ]
    assert [e.at_ms for e in said if isinstance(e, CardWithdrawn)] == [33_000]


def test_the_wording_is_there_before_the_agent_prompts_on_time() -> None:
    """Each prompt comes exactly five seconds after what the agent said before."""
    shown: dict[str, int] = {}
    call = handler().open("c", "s")
    lines = [agent(0.5, 5, OPENING), agent(10, 12, PROMPT), agent(17, 19, PROMPT)]
    script = Script(script=(*lines, agent(24, 28, PROMPT)), hangup=Hangup(by="agent", at=33))
    for step in timeline(script, "c", "s"):
        call, said = handler().fold(call, step.event)
        shown |= {e.card_id: step.due_ms for e in said if isinstance(e, CardShown)}
    assert 9_000 <= shown["silent-caller-1"] <= 9_500
    assert 16_000 <= shown["silent-caller-2"] <= 16_500
    assert 23_000 <= shown["silent-caller-3"] <= 23_500
    assert shown["silent-caller-4"] == 33_000


def test_a_wording_comes_first_and_the_alarm_a_second_later() -> None:
    call, _ = handler().fold(
        handler().open("c", "s"), SpeechEnded(**HERE, at_ms=500, end_ms=5_000, role="agent")
    )
    told: list[tuple[int, str]] = []
    for at in range(8_000, 11_000, 500):
        call, said = handler().fold(call, progress(at))
        told += [(at, e.event) for e in said if isinstance(e, CardShown | WarningRaised)]
    assert told == [(9_000, "card.shown"), (10_000, "warning.raised")]


def test_a_wording_is_not_offered_in_a_mere_pause_of_the_opening() -> None:
    """Where a site waits for two seconds only, there is no second to be early by."""
    brisk = ConductHandler(load_rules(ConductSettings(silent_caller_s=2.0)))
    call, _ = brisk.fold(
        brisk.open("c", "s"), SpeechEnded(**HERE, at_ms=500, end_ms=5_000, role="agent")
    )
    call, said = brisk.fold(call, progress(6_900))
    assert said == []
    _, said = brisk.fold(call, progress(7_000))
    assert steps(said) == [("silent-caller-1", 7_000)]


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
