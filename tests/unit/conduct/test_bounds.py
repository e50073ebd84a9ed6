from __future__ import annotations

import pytest

from contracts.base import Event
from contracts.call import CallEnded
from contracts.transcript import TranscriptFinal
from tests.unit.conduct.stories import CLOSING, OPENING, By, agent, alarms, caller, only, play

pytestmark = pytest.mark.unit

MIDDLE = [caller(4.5, 8), agent(9, 12, "带身份证到窗口就可以办")]


@pytest.mark.parametrize(
    "first",
    [OPENING, "您好，这里是便民专线", "您好，工号三零七", "你好，请问有什么需要", "您好烧等，请讲"],
)
def test_an_opening_with_name_number_or_offer(first: str) -> None:
    assert alarms(play(agent(0.5, 4, first), *MIDDLE, agent(14, 16, CLOSING), hangup=17)) == []


def test_an_opening_without_any() -> None:
    said = play(agent(0.5, 1.5, "喂，哪位"), *MIDDLE, agent(14, 16, CLOSING), hangup=17)
    warning = only(said, "missing_opening")
    assert (warning.at_ms, warning.end_ms, warning.due_ms) == (0, 1_500, 1_500)
    assert warning.evidence[0].words == "喂，哪位"
    assert alarms(said) == ["missing_opening"]


def test_an_opening_in_two_parts() -> None:
    lines = [agent(0.5, 1.2, "喂您好"), agent(1.9, 4, OPENING), *MIDDLE]
    assert alarms(play(*lines, agent(14, 16, CLOSING), hangup=17)) == []


@pytest.mark.parametrize("by", ["caller", "agent", "unknown"])
def test_a_call_that_ends_without_leave(by: By) -> None:
    said = play(agent(0.5, 4, OPENING), *MIDDLE, agent(14, 15, "那就这样"), hangup=17, by=by)
    warning = only(said, "missing_closing")
    assert (warning.at_ms, warning.end_ms, warning.due_ms) == (14_000, 17_000, 17_000)
    expected = ["missing_closing"] if by != "agent" else ["agent_hung_up_first", "missing_closing"]
    assert alarms(said) == expected


@pytest.mark.parametrize(
    ("last", "by", "expected"),
    [
        ("好的，马上为您转接", "transfer", []),
        ("好的，马上为您转接", "caller", []),
        ("这边给您转过去，请不要挂机", "agent", []),
        ("那就这样", "transfer", []),
        ("这个我没法帮您转接", "caller", ["missing_closing"]),
    ],
)
def test_whoever_puts_the_caller_through_takes_no_leave(
    last: str, by: By, expected: list[str]
) -> None:
    lines = [agent(0.5, 4, OPENING), *MIDDLE, agent(14, 16, last)]
    assert alarms(play(*lines, hangup=20, by=by)) == expected


def test_a_caller_who_was_gone_at_once_or_out_of_a_wait_could_not_be_taken_leave_of() -> None:
    assert alarms(play(agent(0.5, 4, OPENING), hangup=5)) == []
    assert alarms(play(agent(0.5, 4, OPENING), hangup=5, by="unknown")) == ["missing_closing"]
    wait = agent(14, 16, "我查一下，请您稍等")
    assert alarms(play(agent(0.5, 4, OPENING), *MIDDLE, wait, hangup=30)) == []


@pytest.mark.parametrize("last", ["感谢您来电", "好的再见", "祝您生活愉快", "那拜拜"])
def test_ways_to_take_leave(last: str) -> None:
    assert alarms(play(agent(0.5, 4, OPENING), *MIDDLE, agent(14, 16, last), hangup=17)) == []


def test_leave_taken_before_a_last_word_counts() -> None:
    lines = [agent(14, 16, CLOSING), caller(16.3, 17, "谢谢"), agent(17.5, 18, "不客气")]
    assert alarms(play(agent(0.5, 4, OPENING), *MIDDLE, *lines, hangup=19)) == []


def test_the_words_of_the_closing_may_come_after_the_hang_up() -> None:
    def last(events: list[Event]) -> list[Event]:
        finals = [e for e in events if isinstance(e, TranscriptFinal) and e.at_ms == 14_000]
        return [*[e for e in events if e not in finals], *finals]

    lines = [agent(0.5, 4, OPENING), *MIDDLE, agent(14, 16, CLOSING)]
    assert alarms(play(*lines, hangup=16.2, change=last)) == []


def test_a_lost_call_is_not_judged() -> None:
    def lost(events: list[Event]) -> list[Event]:
        return [
            e.model_copy(update={"ended_by": "lost"}) if isinstance(e, CallEnded) else e
            for e in events
        ]

    assert alarms(play(agent(0.5, 4, OPENING), *MIDDLE, hangup=17, change=lost)) == []


def test_a_call_in_which_the_agent_never_spoke_is_not_judged() -> None:
    assert alarms(play(caller(0.5, 3), hangup=6)) == []
