"""The part of an answer that was asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.knowledge.on_calls.asked import MOST_MARKED, asked

pytestmark = pytest.mark.unit

QUESTION = "居住证怎么办理"
ANSWER = (
    "请带身份证和居住证明，到街道便民服务中心三号窗口，工作日上午受理；"
    "十五个工作日内发证，首次办理不收费，也可以在手机应用里申请，证件可以邮寄。"
)


def parts(*said: str) -> list[str]:
    return [ANSWER[span.start : span.end] for span in asked(ANSWER, said, QUESTION)]


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("那要带什么材料呢？", ["请带身份证和居住证明"]),
        ("去哪个窗口啊", ["到街道便民服务中心三号窗口"]),
        ("多久能拿到", ["十五个工作日内发证"]),
        ("要不要钱，收费吗", ["首次办理不收费"]),
        ("可以在网上弄吗", ["也可以在手机应用里申请"]),
        ("能给我寄到家吗", ["证件可以邮寄"]),
    ],
)
def test_what_was_asked_is_marked(said: str, part: list[str]) -> None:
    assert parts(said) == part


def test_the_newest_utterance_that_asks_for_something_counts() -> None:
    assert parts("居住证要带什么材料", "要多少天") == ["十五个工作日内发证"]
    assert parts("要多少天", "就是那个居住证") == ["十五个工作日内发证"]


def test_neighbours_are_one_part() -> None:
    assert parts("要带什么材料，去哪里办") == ["请带身份证和居住证明，到街道便民服务中心三号窗口"]


def test_nothing_is_marked_where_it_is_not_sure_or_everything_would_be() -> None:
    assert parts(QUESTION) == []
    assert parts() == []
    assert parts("在哪里办，要什么材料，多久，多少钱") == []
    short = "请带身份证，到窗口。"
    assert asked(short, ["要带什么材料，去哪个窗口"], QUESTION) == ()
    assert asked("请带身份证到窗口办理", ["要带什么材料"], QUESTION) == ()


@given(st.text(max_size=80), st.lists(st.text(max_size=30), max_size=3))
def test_spans_lie_in_the_answer_in_order(answer: str, said: list[str]) -> None:
    spans = asked(answer, said, QUESTION)
    ends = [0, *(end for span in spans for end in (span.start, span.end)), len(answer)]
    assert ends == sorted(ends)
    assert sum(span.end - span.start for span in spans) <= MOST_MARKED * len(answer)
