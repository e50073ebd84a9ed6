"""Pace, tics, acknowledging, asking to repeat."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from contracts.base import Event, Role
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.transcript import TranscriptFinal
from contracts.warning import WarningRaised
from services.common.calls import Happening
from tests.unit.conduct.stories import (
    OPENING,
    agent,
    caller,
    final,
    fold,
    handler,
    only,
    play,
    progress,
)
from tools.scripted_calls import Line

pytestmark = pytest.mark.unit

HERE: dict[str, Any] = {"call_id": "c", "site": "s"}
TEN = "先到窗口取号再办理的"


def raised(said: list[Event], kind: str) -> list[WarningRaised]:
    return [e for e in said if isinstance(e, WarningRaised) and e.kind == kind]


def talk(*rates: float, each: float = 8) -> list[Line]:
    """The agent's turns at so many characters a minute, the caller in between."""
    lines, at = [agent(0.5, 4, OPENING)], 5.0
    for rate in rates:
        count = round(rate * each / 60)
        lines += [caller(at, at + 1, "好的"), agent(at + 1.5, at + 1.5 + each, (TEN * 20)[:count])]
        at += each + 2.5
    return lines


# --- pace


def test_much_too_fast_is_told_once_until_it_has_come_down() -> None:
    said = play(*talk(240, 360, 360, 360, 360), hangup=60)
    found = only(said, "pace", "remind")
    assert found.evidence[0].score is not None
    assert 300 < found.evidence[0].score <= 360


def test_it_is_told_again_after_it_came_down() -> None:
    said = play(*talk(360, 360, 200, 200, 200, 360, 360, 360, 360), hangup=110)
    assert len(raised(said, "pace")) == 2


@pytest.mark.parametrize("rates", [(240,) * 6, (298,) * 6, (360,), (230, 230, 390, 230, 230)])
def test_a_pace_that_is_none_of_ours(rates: tuple[float, ...]) -> None:
    assert raised(play(*talk(*rates), hangup=80), "pace") == []


def test_times_that_nobody_can_speak_in_are_not_judged() -> None:
    finals = [final("agent", at, at + 50, TEN) for at in range(0, 60_000, 1_000)]
    assert raised(fold(finals), "pace") == []


def test_late_words_count_where_they_belong() -> None:
    lines = talk(240, 360, 360, 360, 360)

    def late(events: list[Event]) -> list[Event]:
        finals = [e for e in events if isinstance(e, TranscriptFinal)]
        return [*[e for e in events if e not in finals], *finals[::-1]]

    assert len(raised(play(*lines, hangup=60, change=late), "pace")) == 1


# --- tics


def test_a_filler_again_and_again_is_told_once_with_the_word() -> None:
    full = "那个您要先那个到窗口那个取个号，然后那个填表"
    lines = [agent(0.5, 4, OPENING), *[agent(at, at + 6, full) for at in (6, 14, 22, 30)]]
    said = play(*lines, hangup=40)
    found = only(said, "verbal_tic", "remind")
    assert found.phrase == "那个"
    assert "“那个”" in found.message


def test_a_filler_now_and_then_is_no_tic() -> None:
    plain = "您要先到窗口取个号，把申请表填好，再把身份证和银行卡一起交给工作人员审核就可以了"
    lines = [agent(at, at + 8, f"那个{plain}") for at in range(5, 85, 10)]
    assert raised(play(*lines, hangup=90), "verbal_tic") == []


# --- acknowledging


def tells(*spans: tuple[float, float], noise: bool = False) -> list[Line]:
    return [
        caller(start, end, "" if noise else "后来我又去问了一次还是没有办成")
        for start, end in spans
    ]


def test_a_long_telling_without_a_word_from_the_agent() -> None:
    said = play(agent(0.5, 4, OPENING), *tells((5, 24), (25.5, 40), (41, 60)), hangup=62)
    found = only(said, "no_acknowledgement", "remind")
    assert (found.at_ms, found.due_ms) == (5_000, 45_000)
    assert 45_000 <= found.end_ms <= 45_600


@pytest.mark.parametrize(
    ("why", "lines"),
    [
        ("the agent said hm", [*tells((5, 24), (25.5, 60)), agent(24.3, 25, "嗯")]),
        ("hm over the caller's words", [*tells((5, 30), (31, 60)), agent(27, 27.5, "嗯嗯")]),
        ("a pause", tells((5, 30), (34, 60))),
        ("not long enough", tells((5, 24), (25, 44))),
        ("a noise on the caller's line", tells((5, 24), (25, 60), noise=True)),
    ],
)
def test_telling_that_was_answered(why: str, lines: list[Line]) -> None:
    said = play(agent(0.5, 4, OPENING), *lines, hangup=62)
    assert raised(said, "no_acknowledgement") == [], why


def test_a_noise_is_no_acknowledgement() -> None:
    lines = [*tells((5, 24), (25.5, 60)), agent(24.3, 25, "")]
    assert raised(play(agent(0.5, 4, OPENING), *lines, hangup=62), "no_acknowledgement")


def test_it_is_told_again_only_after_the_agent_answered() -> None:
    one = tells((5, 30), (31, 60), (61, 95))
    assert len(raised(play(agent(0.5, 4, OPENING), *one, hangup=97), "no_acknowledgement")) == 1
    two = [*tells((5, 30), (31, 60)), agent(60.5, 61, "嗯"), *tells((62, 80), (81, 105))]
    assert len(raised(play(agent(0.5, 4, OPENING), *two, hangup=107), "no_acknowledgement")) == 2


# --- asking to repeat


def asks(*texts: str) -> list[Line]:
    lines, at = [agent(0.5, 4, OPENING), caller(4.5, 6)], 7.0
    for text in texts:
        lines += [agent(at, at + 2, text), caller(at + 2.5, at + 5, "三零七八")]
        at += 6
    return lines


def test_asking_three_times_is_too_often_and_then_after_three_more() -> None:
    three = ["不好意思没听清", "麻烦您再说一遍", "您刚才说什么"]
    found = only(play(*asks(*three), hangup=40), "asks_to_repeat", "remind")
    assert (found.at_ms, found.end_ms) == (7_000, 21_000)
    assert len(raised(play(*asks(*three, *three[:2]), hangup=60), "asks_to_repeat")) == 1
    assert len(raised(play(*asks(*three, *three), hangup=60), "asks_to_repeat")) == 2


@pytest.mark.parametrize(
    "texts",
    [
        ("没听清", "请您再说一遍"),
        ("我再跟您说一遍", "我给您再重复一遍", "您没听清的话我再说一次", "您听不清吗"),
        ("您刚才说什么时候办的", "您说什么材料还没有交", "您是说什么单位"),
    ],
)
def test_what_is_no_asking_again_and_again(texts: tuple[str, ...]) -> None:
    assert raised(play(*asks(*texts), hangup=50), "asks_to_repeat") == []


def test_prompting_a_silent_caller_asks_for_no_repetition() -> None:
    prompts = [agent(at, at + 2, "没听到您的声音，听不到") for at in (9, 16, 23)]
    assert raised(play(agent(0.5, 4, OPENING), *prompts, hangup=30), "asks_to_repeat") == []


def test_asking_far_apart_does_not_add_up() -> None:
    lines: list[Happening] = [final("caller", 1_000, 2_000, "我想问社保")]
    lines += [final("agent", at, at + 2_000, "没听清") for at in (3_000, 200_000, 400_000)]
    assert raised(fold(lines), "asks_to_repeat") == []


# --- a long call


def test_the_work_an_event_makes_does_not_grow_with_the_call() -> None:
    """Counted in steps of the interpreter, which no load of the machine changes."""

    def after(turns: int) -> int:
        call, _ = handler().fold(handler().open("c", "s"), final("agent", 0, 3_000, OPENING))
        for number in range(1, turns):
            at = number * 4_000
            turns_of: tuple[tuple[Role, int], ...] = (("caller", at), ("agent", at + 2_000))
            for role, begin in turns_of:
                span = {**HERE, "role": role, "at_ms": begin}
                call, _ = handler().fold(call, SpeechStarted(**span))
                call, _ = handler().fold(call, SpeechEnded(**span, end_ms=begin + 1_500))
                words = final(role, begin, begin + 1_500, "可以的")
                call, _ = handler().fold(call, words)
        return _steps(lambda: handler().fold(call, progress(turns * 4_000 + 5_000)))

    assert after(240) < after(60) * 1.5


def _steps(work: Any) -> int:
    count = 0

    def tracer(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        count += 1
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
