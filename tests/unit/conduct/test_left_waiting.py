"""Waits of the caller: unannounced, without thanks afterwards, without an answer to 还在吗."""

from __future__ import annotations

import pytest

from contracts.base import Event
from contracts.card import CardShown, CardWithdrawn
from contracts.transcript import TranscriptFinal
from contracts.warning import WarningRaised
from services.conduct.books import load_rules
from services.conduct.settings import ConductSettings
from tests.unit.conduct.stories import (
    CLOSING,
    OPENING,
    Change,
    agent,
    caller,
    only,
    play,
)
from tools.scripted_calls import Line

pytestmark = pytest.mark.unit

WAIT = "我帮您看一下，请您稍等"
BACK = "让您久等了，这个月底可以办理"
PLAIN = "查到了，这个月底可以办理"


def begins(ask: str = "好的我看一下") -> list[Line]:
    return [agent(0.5, 4, OPENING), caller(4.5, 8), agent(8.5, 11, ask)]


def ends(at: float, first: str = PLAIN) -> list[Line]:
    return [agent(at, at + 3, first), agent(at + 5, at + 7, CLOSING)]


def levels(said: list[Event], kind: str) -> list[str]:
    return [e.level for e in said if isinstance(e, WarningRaised) and e.kind == kind]


# --- a wait nobody announced


def test_a_wait_nobody_announced_is_noted_beside_the_alarm_of_its_silence() -> None:
    said = play(*begins(), *ends(24), hangup=33)
    found = only(said, "hold_unannounced", "note")
    assert (found.at_ms, found.end_ms, found.due_ms) == (11_000, 24_000, 21_000)
    only(said, "silence")


def test_it_is_a_reminder_where_the_callers_hm_broke_the_silence() -> None:
    said = play(*begins(), caller(16, 16.5, "嗯"), caller(20.5, 21, "喂"), *ends(24), hangup=33)
    found = only(said, "hold_unannounced", "remind")
    assert (found.at_ms, found.end_ms) == (11_000, 24_000)
    assert "silence" not in [
        e.kind for e in said if isinstance(e, WarningRaised) and e.level == "alarm"
    ]


@pytest.mark.parametrize(
    ("why", "lines"),
    [
        ("announced", [*begins(WAIT), *ends(24, BACK)]),
        ("too short", [*begins(), *ends(20.9)]),
        (
            "the caller talked meanwhile",
            [*begins(), caller(16, 19, "我再说一下我的情况"), *ends(24)],
        ),
        ("a question was asked", [*begins("请问您的单位名称是什么"), *ends(24)]),
        ("leave was taken", [*begins(CLOSING), agent(24, 26, CLOSING)]),
        (
            "the caller asked to wait",
            [*begins("请您报一下卡号"), caller(11.5, 14, "好的您等一下，我找一下卡"), *ends(30)],
        ),
    ],
)
def test_waits_that_are_none(why: str, lines: list[Line]) -> None:
    assert levels(play(*lines, hangup=40), "hold_unannounced") == [], why


def test_a_silence_the_caller_asked_for_is_no_alarm() -> None:
    asks = caller(11.5, 14, "您等一下，我找一下卡")
    said = play(*begins("请您报一下卡号"), asks, *ends(30), hangup=40)
    assert levels(said, "silence") == []


def test_a_wait_after_words_nobody_knows_is_no_fault() -> None:
    def unheard(events: list[Event]) -> list[Event]:
        return [e for e in events if not (isinstance(e, TranscriptFinal) and e.at_ms == 8_500)]

    assert levels(play(*begins(), *ends(24), hangup=33, change=unheard), "hold_unannounced") == []


def test_the_announcement_may_become_known_after_the_return() -> None:
    said = play(*begins(WAIT), *ends(24, BACK), hangup=33, change=_late(8_500, 26_000))
    assert levels(said, "hold_unannounced") == []


def test_a_noise_is_no_return() -> None:
    said = play(*begins(), agent(19, 19.6, ""), *ends(25), hangup=34)
    found = only(said, "hold_unannounced", "note")
    assert (found.at_ms, found.end_ms) == (11_000, 25_000)


def test_a_caller_who_gives_up_waiting_is_noted() -> None:
    found = only(play(*begins(), hangup=26), "hold_unannounced", "note")
    assert (found.at_ms, found.end_ms) == (11_000, 26_000)


# --- back from a wait


def test_back_without_thanks() -> None:
    said = play(*begins(WAIT), *ends(24), hangup=33)
    found = only(said, "hold_without_thanks", "remind")
    assert (found.at_ms, found.end_ms, found.evidence[0].words) == (24_000, 27_000, PLAIN)


@pytest.mark.parametrize(
    ("why", "lines"),
    [
        ("thanks", [*begins(WAIT), *ends(24, BACK)]),
        ("thanks heard wrongly", [*begins(WAIT), *ends(24, "让您就等了，可以办理")]),
        ("a short wait", [*begins(WAIT), *ends(20)]),
        (
            "thanks after a first word",
            [*begins(WAIT), agent(24, 25, "喂您好"), caller(25.3, 26, "哎"), *ends(27, BACK)],
        ),
        ("thanks at the end of the turn", [*begins(WAIT), *ends(24, f"{PLAIN}，{BACK}")]),
    ],
)
def test_thanks_that_were_given_or_not_due(why: str, lines: list[Line]) -> None:
    assert levels(play(*lines, hangup=44), "hold_without_thanks") == [], why


def test_asking_to_wait_on_is_no_return_but_the_whole_wait_asks_for_thanks() -> None:
    again = agent(30, 32, "还在查，请您再稍等")
    said = play(*begins(WAIT), again, *ends(38), hangup=47)
    assert only(said, "hold_without_thanks", "remind").at_ms == 38_000


def test_nothing_is_said_before_the_words_are_known() -> None:
    said = play(*begins(WAIT), *ends(24, BACK), hangup=33, change=_late(24_000, 30_500))
    assert levels(said, "hold_without_thanks") == []


def test_without_any_words_of_the_return_nothing_is_judged() -> None:
    def dumb(events: list[Event]) -> list[Event]:
        return [e for e in events if not (isinstance(e, TranscriptFinal) and e.at_ms >= 24_000)]

    assert (
        levels(play(*begins(WAIT), *ends(24), hangup=33, change=dumb), "hold_without_thanks") == []
    )


# --- 还在吗


def test_a_caller_who_asks_for_somebody_gets_a_card_until_the_agent_speaks() -> None:
    said = play(*begins(), caller(17, 18, "喂，还在吗"), *ends(23), hangup=32)
    found = only(said, "caller_unattended", "remind")
    assert (found.at_ms, found.due_ms, found.evidence[0].words) == (17_000, 18_000, "喂，还在吗")
    card = next(e for e in said if isinstance(e, CardShown))
    gone = next(e for e in said if isinstance(e, CardWithdrawn))
    assert card.slot == "moment"
    assert "抱歉" in card.body
    assert (gone.card_id, gone.at_ms) == (card.card_id, 23_000)


@pytest.mark.parametrize(
    "text",
    [
        "有人吗",
        "喂喂",
        "喂",
        "怎么没声音了",
        "听得到吗",
        "您还在听吗",
        "人呢",
        "怎么不说话",
        "孩在吗",
    ],
)
def test_ways_to_ask(text: str) -> None:
    said = play(*begins(), caller(17, 18, text), *ends(23), hangup=32)
    assert levels(said, "caller_unattended") == ["remind"]


@pytest.mark.parametrize(
    ("why", "lines"),
    [
        ("the agent spoke just before", [*begins(), caller(13, 14, "喂，听得到吗")]),
        (
            "it is what the caller tells",
            [
                *begins(),
                caller(11.5, 20, "我跑了好几趟"),
                caller(21, 24, "我想知道你们大厅到底还有没有人在"),
            ],
        ),
        ("an answer", [*begins(), caller(17, 18, "嗯好的")]),
    ],
)
def test_questions_that_need_no_card(why: str, lines: list[Line]) -> None:
    said = play(*lines, *ends(28), hangup=37)
    assert levels(said, "caller_unattended") == [], why


def test_asking_in_a_hold_counts_and_asking_again_does_not_count_twice() -> None:
    asks = [caller(17, 18, "喂，还在吗"), caller(20, 21, "有人吗")]
    said = play(*begins(WAIT), *asks, *ends(28, BACK), hangup=37)
    assert levels(said, "caller_unattended") == ["remind"]


def test_who_was_answered_before_the_words_were_known_is_only_noted() -> None:
    said = play(*begins(), caller(17, 18, "还在吗"), *ends(18.3), hangup=28)
    assert levels(said, "caller_unattended") == ["note"]
    assert not [e for e in said if isinstance(e, CardShown)]


def test_a_noise_is_no_answer() -> None:
    lines = [*begins(), caller(17, 18, "还在吗"), agent(19.5, 20, ""), *ends(26)]
    said = play(*lines, hangup=35)
    shown = [e.at_ms for e in said if isinstance(e, CardShown)]
    gone = [e.at_ms for e in said if isinstance(e, CardWithdrawn)]
    assert len(shown) == len(gone) == 2
    assert gone == [19_500, 26_000]


def test_the_card_leaves_with_the_call() -> None:
    said = play(*begins(), caller(17, 18, "还在吗"), hangup=21)
    assert [e.at_ms for e in said if isinstance(e, CardWithdrawn)] == [21_000]


def test_a_site_sets_its_own_times() -> None:
    own = load_rules(ConductSettings(unannounced_s=20, pace_limit=280))
    assert own.waiting.times.ms("unannounced_s") == 20_000
    assert own.manner.limits.pace_limit == 280


def _late(start: int, until: int) -> Change:
    """The words of the agent's stretch at `start` come only when the call is at `until`."""

    def change(events: list[Event]) -> list[Event]:
        words = next(
            e
            for e in events
            if isinstance(e, TranscriptFinal) and e.role == "agent" and e.at_ms == start
        )
        rest = [e for e in events if e is not words]
        index = next((i for i, e in enumerate(rest) if e.at_ms > until), len(rest))
        return [*rest[:index], words, *rest[index:]]

    return change
