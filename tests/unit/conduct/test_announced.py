"""Silences that were to be expected: after leave was taken, on a transfer, while a caller looks."""

from __future__ import annotations

import pytest

from contracts.base import Event
from contracts.transcript import TranscriptFinal
from contracts.warning import HoldStarted, SilenceStarted, WarningRaised, WarningWithdrawn
from tests.unit.conduct.stories import CLOSING, OPENING, agent, alarms, caller, only, play
from tools.scripted_calls import Line

pytestmark = pytest.mark.unit

BEGIN = [agent(0.5, 4, OPENING), caller(4.5, 8)]


def about_waiting(said: list[Event]) -> list[str]:
    kinds = ("silence", "hold_unannounced", "hold_without_thanks")
    return [e.kind for e in said if isinstance(e, WarningRaised) and e.kind in kinds]


@pytest.mark.parametrize(
    "after",
    [
        [],
        [caller(13, 14, "好的谢谢再见")],
        [caller(13, 13.6, "嗯"), agent(14, 14.5, "嗯好的")],
    ],
)
def test_whoever_took_leave_may_wait_for_the_caller_to_hang_up(after: list[Line]) -> None:
    said = play(*BEGIN, agent(9, 12, CLOSING), *after, hangup=36)
    assert about_waiting(said) == []
    assert all(e.announced for e in said if isinstance(e, SilenceStarted))


@pytest.mark.parametrize("words", ["等一下我还想问一个别的事情", "那我这个月还能不能再办一次"])
def test_a_new_question_after_the_leave_asks_for_an_answer(words: str) -> None:
    said = play(*BEGIN, agent(9, 12, CLOSING), caller(13, 17, words), hangup=36)
    assert "silence" in alarms(said)


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        ("麻烦您拿一下身份证，我在这边等您", "好的"),
        ("不着急，您慢慢找", "嗯"),
        ("您先找一下那张单子", "行"),
    ],
)
def test_a_caller_who_looks_for_something_may_take_the_time(ask: str, answer: str) -> None:
    lines = [*BEGIN, agent(8.5, 11, ask), caller(11.5, 12, answer), caller(30, 32, "找到了")]
    assert about_waiting(play(*lines, agent(33, 35, CLOSING), hangup=37)) == []


def test_a_transfer_takes_its_time_but_not_for_ever() -> None:
    ask = agent(8.5, 11, "好的，马上为您转接")
    assert about_waiting(play(*BEGIN, ask, hangup=36, by="transfer")) == []
    left = only(play(*BEGIN, ask, hangup=50, by="transfer"), "silence")
    assert (left.at_ms, left.end_ms >= 41_000) == (11_000, True)


@pytest.mark.parametrize(
    "words",
    ["我先记录一下", "正在为您登记", "我帮您录入", "好，我这边先给您做个登记", "您说的我记一下"],
)
def test_an_agent_who_writes_down_may_type(words: str) -> None:
    lines = [*BEGIN, agent(8.5, 11, words), caller(11.4, 12, "好的"), agent(36, 39, CLOSING)]
    assert about_waiting(play(*lines, hangup=41)) == []
    long = [*lines[:-1], agent(50, 53, CLOSING)]
    assert "silence" in alarms(play(*long, hangup=55))


@pytest.mark.parametrize(
    "words", ["已经给您登记好了", "这里有您的缴费记录", "我全部记下来了", "这个要登记满半年才行"]
)
def test_what_was_written_down_already_announces_nothing(words: str) -> None:
    lines = [*BEGIN, agent(8.5, 11, words), agent(36, 39, CLOSING)]
    assert "silence" in alarms(play(*lines, hangup=41))


def test_a_silence_that_outlasts_what_announced_it_is_another_warning() -> None:
    def late(events: list[Event]) -> list[Event]:
        moved = [e for e in events if isinstance(e, TranscriptFinal) and e.at_ms == 8_500]
        rest = [e for e in events if e not in moved]
        at = next(i for i, e in enumerate(rest) if getattr(e, "audio_ms", 0) >= 30_000)
        return [*rest[:at], *moved, *rest[at:]]

    lines = [*BEGIN, agent(8.5, 11, "好的，马上为您转接")]
    said = play(*lines, hangup=60, by="transfer", change=late)
    raised = [e.warning_id for e in said if isinstance(e, WarningRaised) and e.kind == "silence"]
    gone = {e.warning_id for e in said if isinstance(e, WarningWithdrawn)}
    assert gone == {"silence_remind-11000", "silence-11000"}
    assert "silence-11000-2" in raised
    assert len(set(raised)) == len(raised)


@pytest.mark.parametrize(
    "words", ["让您久等了，感谢您的耐心等待，要带合同", "谢谢您耐心等待，可以办理"]
)
def test_thanks_for_waiting_ask_for_no_wait(words: str) -> None:
    lines = [*BEGIN, agent(9, 12, words), caller(17, 19, "好的那我明天去")]
    said = play(*lines, agent(20, 22, CLOSING), hangup=24)
    assert not any(isinstance(e, HoldStarted) for e in said)


def test_asking_to_stay_for_the_rating_is_no_wait() -> None:
    last = agent(9, 13, "谢谢来电，请您不要挂机，对我的服务作出评价")
    said = play(*BEGIN, last, hangup=36)
    assert not any(isinstance(e, HoldStarted) for e in said)
