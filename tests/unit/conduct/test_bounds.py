from __future__ import annotations

import pytest

from contracts.base import Event
from contracts.call import CallEnded
from contracts.phrase import PhraseDue, PhraseSaid
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


@pytest.mark.parametrize("by", ["caller", "agent", "transfer", "unknown"])
def test_a_call_that_ends_without_leave(by: By) -> None:
    said = play(agent(0.5, 4, OPENING), *MIDDLE, agent(14, 15, "那就这样"), hangup=17, by=by)
    warning = only(said, "missing_closing")
    assert (warning.at_ms, warning.end_ms, warning.due_ms) == (14_000, 17_000, 17_000)
    expected = ["missing_closing"] if by != "agent" else ["agent_hung_up_first", "missing_closing"]
    assert alarms(said) == expected


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


def test_ticks_come_due_and_are_ticked_off_once() -> None:
    explain = "先在网上预约，然后带上身份证和银行卡原件到就近的网点，填好申请表以后，当场就可以办完"
    said = play(
        agent(0.5, 4, OPENING),
        caller(4.5, 8),
        agent(9, 10, "请问您贵姓"),
        caller(10.5, 11, "姓林"),
        agent(12, 20, explain),
        agent(22, 24, "请问我刚才的解释您是否清楚"),
        agent(26, 28, "还有别的事要咨询吗"),
        agent(30, 32, CLOSING),
        hangup=33,
    )
    due = {e.phrase: e.at_ms for e in said if isinstance(e, PhraseDue)}
    ticked = [e.phrase for e in said if isinstance(e, PhraseSaid)]
    assert ticked == ["opening", "name", "understanding", "anything-else", "closing"]
    assert due == {
        "opening": 0, "name": 8_000, "understanding": 20_000, "anything-else": 24_000,
        "closing": 28_000,
    }  # fmt: skip


@pytest.mark.parametrize(("back", "due"), [(24, ["hold-thanks"]), (17, [])])
def test_thanks_come_due_after_a_wait_that_was_long(back: float, due: list[str]) -> None:
    said = play(
        agent(0.5, 4, OPENING),
        caller(4.5, 8),
        agent(9, 11, "请您稍等"),
        agent(back, back + 3, "查到了，可以办"),
        agent(30, 32, CLOSING),
        hangup=33,
    )
    moments = {e.phrase: e.at_ms for e in said if isinstance(e, PhraseDue)}
    assert [phrase for phrase in moments if phrase == "hold-thanks"] == due
    assert not due or moments["hold-thanks"] == 24_000
