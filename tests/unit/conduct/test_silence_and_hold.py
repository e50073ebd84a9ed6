from __future__ import annotations

import pytest

from contracts.base import Event
from contracts.call import CallEnded, CallProgressed
from contracts.card import CardShown, CardWithdrawn
from contracts.transcript import TranscriptFinal
from contracts.warning import (
    HoldEnded,
    HoldStarted,
    SilenceEnded,
    SilenceStarted,
    WarningRaised,
    WarningWithdrawn,
)
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

WAIT = "我帮您看一下，请您稍等"


def begins(*, ask: str = "好的我看一下") -> list[Line]:
    return [agent(0.5, 4, OPENING), caller(4.5, 8), agent(8.5, 11, ask)]


def ends(at: float) -> list[Line]:
    return [agent(at, at + 3, "这个月底可以办理"), agent(at + 5, at + 7, CLOSING)]


def test_unannounced_silence_is_noted_reminded_alarmed_and_closed() -> None:
    said = play(*begins(), *ends(21), hangup=30)
    remind, alarm = only(said, "silence", "remind"), only(said, "silence")
    assert (remind.at_ms, remind.due_ms) == (11_000, 16_000)
    assert (alarm.at_ms, alarm.due_ms) == (11_000, 19_000)
    started = next(e for e in said if isinstance(e, SilenceStarted))
    ended = next(e for e in said if isinstance(e, SilenceEnded))
    assert (started.at_ms, started.announced, ended.end_ms) == (11_000, False, 21_000)
    assert remind.warning_id != alarm.warning_id


def test_a_silence_just_under_the_limit_is_no_alarm() -> None:
    said = play(*begins(), *ends(18.9), hangup=28)
    assert alarms(said) == []
    only(said, "silence", "remind")


def test_a_jump_of_the_clock_over_all_limits_still_alarms() -> None:
    """Progress may come in one leap, for instance when a replay is fast."""

    def sparse(events: list[Event]) -> list[Event]:
        return [e for e in events if not isinstance(e, CallProgressed)]

    said = play(*begins(), *ends(21), hangup=30, change=sparse)
    assert alarms(said) == ["silence"]


def test_an_announced_silence_is_a_hold_and_no_silence() -> None:
    said = play(*begins(ask=WAIT), *ends(25), hangup=34)
    assert alarms(said) == []
    started = next(e for e in said if isinstance(e, SilenceStarted))
    hold = next(e for e in said if isinstance(e, HoldStarted))
    assert started.announced
    assert (hold.at_ms, hold.limit_ms, hold.words) == (11_000, 41_000, "请您稍等")
    assert next(e for e in said if isinstance(e, HoldEnded)).end_ms == 25_000


@pytest.mark.parametrize("until", [13_900, 18_900])
def test_a_silence_waits_for_the_words_that_may_have_announced_it(until: int) -> None:
    """The final comes after the limit, up to three seconds: nothing may be said before."""

    def delay(events: list[Event]) -> list[Event]:
        final = next(e for e in events if isinstance(e, TranscriptFinal) and e.at_ms == 8_500)
        events.remove(final)
        index = next(i for i, e in enumerate(events) if e.at_ms > until)
        return [*events[:index], final, *events[index:]]

    said = play(*begins(ask=WAIT), *ends(21), hangup=30, change=delay)
    assert "silence" not in [e.kind for e in said if isinstance(e, WarningRaised)]


def test_an_alarm_is_taken_back_when_the_words_come_even_later() -> None:
    def never_in_time(events: list[Event]) -> list[Event]:
        final = next(e for e in events if isinstance(e, TranscriptFinal) and e.at_ms == 8_500)
        events.remove(final)
        index = next(i for i, e in enumerate(events) if e.at_ms > 23_000)
        return [*events[:index], final, *events[index:]]

    said = play(*begins(ask=WAIT), *ends(24), hangup=33, change=never_in_time)
    raised = only(said, "silence")
    withdrawn = {e.warning_id for e in said if isinstance(e, WarningWithdrawn)}
    assert raised.warning_id in withdrawn


def test_a_hold_is_reminded_at_25_s_and_alarmed_beyond_30_s() -> None:
    said = play(*begins(ask=WAIT), *ends(50), hangup=59)
    alarm = only(said, "hold_over_30s")
    assert (alarm.at_ms, alarm.due_ms) == (11_000, 41_000)
    card = next(e for e in said if isinstance(e, CardShown) and e.slot == "moment")
    gone = next(e for e in said if isinstance(e, CardWithdrawn))
    assert (card.at_ms, gone.at_ms, gone.card_id) == (36_000, 50_000, card.card_id)
    assert alarms(said) == ["hold_over_30s"]


def test_a_hold_of_30_s_is_none_too_long() -> None:
    said = play(*begins(ask=WAIT), *ends(41), hangup=50)
    assert alarms(said) == []


def test_talk_of_the_caller_does_not_end_a_hold() -> None:
    said = play(*begins(ask=WAIT), caller(20, 24), *ends(50), hangup=59)
    assert alarms(said) == ["hold_over_30s"]


def test_asking_again_begins_a_new_hold() -> None:
    said = play(*begins(ask=WAIT), agent(35, 37, "还在查，请再稍等"), *ends(60), hangup=69)
    assert alarms(said) == []
    assert [e.at_ms for e in said if isinstance(e, HoldStarted)] == [11_000, 37_000]


@pytest.mark.parametrize(
    "ask",
    [
        "请稍等，查到了，您的申请已经通过审核，下周一就可以到窗口领取证件了，记得带身份证原件",
        "请您稍等，请问您的身份证号码是多少",
    ],
)
def test_a_request_in_the_middle_of_an_utterance_is_no_hold(ask: str) -> None:
    said = play(*begins(ask=ask), caller(11.5, 48), *ends(49), hangup=58)
    assert "hold.started" not in names(said)
    assert alarms(said) == []


def test_a_request_heard_wrongly_is_a_hold_all_the_same() -> None:
    said = play(*begins(ask="我帮您看一下请少等"), *ends(25), hangup=34)
    assert "hold.started" in names(said)


def test_silence_and_hold_are_closed_at_the_hang_up() -> None:
    said = play(*begins(ask=WAIT), hangup=25)
    assert next(e for e in said if isinstance(e, HoldEnded)).end_ms == 25_000
    assert next(e for e in said if isinstance(e, SilenceEnded)).end_ms == 25_000


def test_nothing_is_timed_after_the_hang_up() -> None:
    def goes_on(events: list[Event]) -> list[Event]:
        more = [
            CallProgressed(call_id="c", site="s", at_ms=at, audio_ms=at)
            for at in range(15_000, 60_000, 500)
        ]
        end = next(i for i, e in enumerate(events) if isinstance(e, CallEnded))
        return [*events[: end + 1], *more, *events[end + 1 :]]

    said = play(*begins(), agent(12, 13, CLOSING), hangup=14, change=goes_on)
    assert alarms(said) == []
