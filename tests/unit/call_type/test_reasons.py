"""The words that are given as reasons: really said, and speaking for the type."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.base import Role
from contracts.call_type import CALL_TYPES, CallType
from services.call_type.tables import load_tables
from services.call_type.types.assess import Assessment, Assessor
from services.call_type.types.look import look
from services.call_type.types.model import load_model
from services.call_type.types.reasons import (
    LONGEST,
    MOST,
    RECENT,
    TELLING,
    Reason,
    reasons,
    turning_words,
)
from tests.unit.call_type.scripted import assessor, clear, meant, model

pytestmark = pytest.mark.unit

HEAD = model().types


def heard(texts: Sequence[str], judge: Assessor | None = None) -> Assessment:
    """A call in which the caller says these, by words alone."""
    judge = judge or assessor()
    now = judge.begin()
    for number, text in enumerate(texts):
        span = (number * 10_000, number * 10_000 + 5000)
        now = judge.hear(now, judge.ear.hear(f"e{number}", "caller", span, text))
    return now


def words(found: Sequence[Reason]) -> list[str]:
    return [reason.words for reason in found]


def test_reasons_are_clauses_as_they_were_said() -> None:
    """With their punctuation left out and their characters as heard, the surest first."""
    texts = ["你好，今天天气不错。" + clear("投诉", "！") + "就是这样", "我没有别的要说"]
    (reason,) = reasons(heard(texts).dialogue, "投诉", HEAD)
    assert (reason.words, reason.said.event_id) == (clear("投诉"), "e0")
    assert reason.score == pytest.approx(0.858, abs=0.002), "e⁴ / (e⁴ + 9)"
    assert reasons(heard(texts).dialogue, "哭诉", HEAD) == []
    assert reasons(heard([meant("哭诉")]).dialogue, "哭诉", HEAD) == [], "no bare score"


def test_young_reasons_come_first_and_old_ones_go() -> None:
    old, young = clear("投诉", "一"), clear("投诉", "二")
    plain = ["没有说什么"] * RECENT
    assert words(reasons(heard([old, *plain[:3], young]).dialogue, "投诉", HEAD)) == [young, old]
    assert reasons(heard([old, *plain]).dialogue, "投诉", HEAD) == []
    many = heard([clear("投诉", str(n)) for n in range(6)]).dialogue
    assert len(reasons(many, "投诉", HEAD)) == MOST


def test_the_words_of_a_turn_come_from_the_last_turn() -> None:
    """Where that says nothing by itself, from the one before it too."""
    before, last = clear("发泄", "一"), clear("发泄", "二")
    assert words(turning_words(heard([before, last]).dialogue, "发泄", HEAD)) == [last]
    quiet = heard([clear("发泄"), before, "没有说什么"]).dialogue
    assert words(turning_words(quiet, "发泄", HEAD)) == [before]


def test_a_text_without_punctuation_is_cut_into_stretches() -> None:
    text = "一二三四五六七八九十" * 4 + clear("求助") + "一二三四五六七八九十" * 4
    (reason,) = reasons(heard([text]).dialogue, "求助", HEAD)
    assert "己" in reason.words
    assert len(reason.words) <= LONGEST


@given(
    st.lists(
        st.text(st.sampled_from("甲己丑我要投诉气死了，。！？ A1😀\n嗯这"), max_size=60), max_size=5
    ),
    st.sampled_from(CALL_TYPES),
)
@settings(max_examples=40, deadline=None)
def test_reasons_always_stand_in_what_was_said(texts: list[str], label: CallType) -> None:
    now = heard(texts)
    for reason in reasons(now.dialogue, label, HEAD) + turning_words(now.dialogue, label, HEAD):
        assert reason.words
        assert reason.words in reason.said.text
        assert reason.said.text in texts
        assert TELLING <= reason.score <= 1


CALM = ["你好，我想问一下，请问办理居住证要什么材料", "那这个多长时间能办下来"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (
            "三十天？你们办个证比登天还难，什么破效率，天天推来推去的，气死我了，我受够了",
            "发泄",
        ),
        ("那我不问了，我要投诉你们那个窗口，那个人态度恶劣，要求给我道歉，给我登记", "投诉"),
    ],
)
def test_the_packaged_model_names_the_words_of_a_turn(text: str, label: CallType) -> None:
    """Calm questions, then something else: each type with words of its own."""
    judge = Assessor(load_tables(), load_model())
    head = judge.model.types
    asked = heard(CALM, judge)
    assert (asked.shown, asked.turned) == ("咨询", None)
    first = words(reasons(asked.dialogue, "咨询", head))
    assert first
    assert all(any(one in said for said in CALM) for one in first)
    now = heard([*CALM, text], judge)
    assert (now.turned_from, now.turned) == ("咨询", label)
    changed = words(turning_words(now.dialogue, label, head))
    assert changed
    assert all(one in text for one in changed)
    assert words(reasons(now.dialogue, label, head))[0] in text


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("我要投诉河西路那个驾校，报名的时候说包过，现在又要加钱", "投诉"),
        ("我一个人带着两个孩子，真的走投无路了，求求你们了", "哭诉"),
        ("你他妈的算什么东西，一群废物", "对抗"),
        ("我想问社保卡怎么补办，另外还有个事，路灯坏了，再一个公积金怎么提取", "综合"),
    ],
)
def test_the_packaged_model_knows_plain_callers(text: str, label: str) -> None:
    now = heard([text], Assessor(load_tables(), load_model()))
    assert now.shown == label
    assert now.intake == ("投诉" if label == "投诉" else "业务咨询")
    assert now.words_only


def test_an_agent_s_words_are_no_reason() -> None:
    judge = assessor()
    now = judge.begin()
    lines: list[tuple[Role, str]] = [("agent", clear("投诉")), ("caller", clear("咨询"))]
    for number, (role, text) in enumerate(lines):
        span = (number * 10_000, number * 10_000 + 5000)
        now = judge.hear(now, judge.ear.hear(f"e{number}", role, span, text))
    assert now.shown == "咨询"
    assert reasons(now.dialogue, "投诉", HEAD) == []
    assert look(now.dialogue).grams["agent"], "though it is kept in mind"
