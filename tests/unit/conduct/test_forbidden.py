from __future__ import annotations

import re

import pytest

from contracts.card import CardShown
from services.conduct.books import load_phrases
from services.conduct.handler import ConductHandler
from tests.unit.conduct.heads import head, rules_with
from tests.unit.conduct.stories import (
    CLOSING,
    OPENING,
    agent,
    alarms,
    caller,
    final,
    fold,
    only,
    play,
)

pytestmark = pytest.mark.unit

BOOK = load_phrases()
BEGIN, END = agent(0.5, 4, OPENING), agent(30, 32, CLOSING)


def rules(text: str, previous: str = "") -> list[str]:
    return [hit.rule.id for hit in BOOK.hits(text, previous)]


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ("这我怎么知道", "how-would-i-know", "这我怎么知道"),
        ("这个嘛我怎么会知道呀，您等结果吧", "how-would-i-know", "这个嘛我怎么会知道"),
        ("您别再这么啰嗦了", "dont-ramble", "别再这么啰嗦"),
        ("那您先不要摸索了好吧", "dont-ramble", "不要摸索"),
        ("头诉是您的权力，您去头诉好了", "go-complain", "头诉是您的权力，您去头诉好了"),
        ("这是我们的归定，我也没板法", "our-rule-cant-help", "这是我们的归定，我也没板法"),
        ("明白了吗", "understood", "明白了吗"),
        ("难道我还会骗您", "rhetorical-question", "难道我还会"),
    ],
)
def test_a_phrase_is_found_with_the_words_as_heard(text: str, rule: str, words: str) -> None:
    hits = BOOK.hits(text)
    assert [(hit.rule.id, hit.words) for hit in hits] == [(rule, words)]
    assert 0.8 < hits[0].score <= 1.0
    assert 0.0 <= hits[0].start < hits[0].end <= 1.0


@pytest.mark.parametrize(
    "text",
    [
        "您刚才说不知道办理地点，对吗",
        "您是说他告诉您这不可能的，是吗",
        "窗口跟您讲这不归他们管，我来核实",
        "他原话是“这我怎么知道”，我记下了",
        "请问您知不知道参保地",
        "我不是不知道，我正在为您查",
        "我没有说您啰嗦",
        "我并不是让您去投诉好了，我先帮您登记",
        "请问我刚才的解释您是否明白",
        "我这样讲清楚了吗",
        "这件事不归我们管，由住建部门负责，电话是二三四五",
        "投诉是您的权利，我现在为您登记",
        "不知道您方便留个电话吗",
        "我听不太清楚，麻烦您大声一点",
        "您好，请问有什么可以帮您",
    ],
)
def test_context_that_makes_it_harmless(text: str) -> None:
    assert rules(text) == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("您上次打过电话了，别再来电话了", "dont-call-again"),
        ("您刚才说过了，您不要再说了", "stop-talking-listen"),
        ("您说的这个问题我不知道", "your-question-unknown"),
        ("您是不是脑子有病", "abuse-sarcasm"),
        ("您要是不满意，您去投诉好了", "go-complain"),
    ],
)
def test_context_that_only_looks_harmless(text: str, rule: str) -> None:
    assert rules(text) == [rule]


def test_negation_and_person_are_never_bent() -> None:
    assert rules("我知道") == []
    assert rules("您不知道") == []
    assert rules("您明白我的意思了吗") == ["understood-my-meaning"]
    assert rules("我明白您的意思了") == []


def test_a_phrase_over_two_utterances_counts_where_it_ends() -> None:
    assert rules("您去投诉好了", "投诉是您的权利") == ["go-complain"]
    assert rules("讲清楚点", "您大声点") == ["louder-clearer"]
    assert rules("请您稍等", "这我怎么知道") == []


def test_every_canonical_phrase_is_found() -> None:
    kinds = {"rhetorical-question", "shirking", "abuse-sarcasm"}
    for rule in BOOK.rules.values():
        if rule.id not in kinds:
            assert rules(re.sub("（.*?）", "", rule.canonical)) == [rule.id]


def test_warning_and_card_say_what_where_and_what_instead() -> None:
    said = play(BEGIN, caller(5, 8), agent(10, 14, "先等着，这我怎么知道"), END, hangup=33)
    warning = only(said, "forbidden_phrase")
    assert warning.by.name == "how-would-i-know"
    assert warning.by.source == "A12"
    assert warning.by.version.startswith("phrases-")
    assert warning.evidence[0].words == "这我怎么知道"
    assert 10_500 < warning.at_ms < 12_000
    assert warning.end_ms == 14_000
    assert warning.phrase == "这我怎么知道"
    assert warning.instead
    card = next(e for e in said if isinstance(e, CardShown) and e.slot == "wrong")
    assert (card.title, card.body) == ("这句不宜说", warning.instead)
    assert card.derived_from == (*warning.derived_from, warning.event_id)


def test_the_caller_may_say_it() -> None:
    lines = [caller(5, 8, "这我怎么知道"), agent(9, 12, "带身份证到窗口就可以办")]
    said = play(BEGIN, *lines, END, hangup=33)
    assert "forbidden_phrase" not in alarms(said)


def test_a_split_phrase_is_raised_once_and_only_when_near() -> None:
    near = [agent(10, 12, "好了您不要再说了"), caller(12.2, 13), agent(14, 15, "听我讲")]
    said = play(BEGIN, *near, END, hangup=33)
    assert alarms(said).count("forbidden_phrase") == 1
    # By matching alone: by its meaning the second half is bad enough.
    judge = ConductHandler(rules_with(head()))
    first, second = "您别再", "打电话了"
    for lines, expected in (
        ([agent(10, 12, first), caller(12.2, 13), agent(14, 15, second)], 1),
        ([agent(6, 7, first), caller(8, 26), agent(28, 29, second)], 0),
    ):
        said = play(BEGIN, *lines, END, hangup=33, judge=judge)
        assert alarms(said).count("forbidden_phrase") == expected


def test_the_same_final_twice_is_one_warning() -> None:
    one = final("agent", 1_000, 3_000, "这我怎么知道")
    said = fold([one, one])
    assert alarms(said) == ["forbidden_phrase"]
