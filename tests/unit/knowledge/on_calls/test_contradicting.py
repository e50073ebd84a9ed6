"""What a caller says against the card that stands."""

from __future__ import annotations

import pytest

from services.knowledge.on_calls.contradicting import Against, against, corrected

pytestmark = pytest.mark.unit

LOST = "社保卡丢了怎么补办"


@pytest.mark.parametrize(
    ("text", "rest", "meant"),
    [
        ("不是补办，是挂失", "挂失", "社保卡丢了怎么挂失"),
        ("是挂失，不是补办", "挂失", "社保卡丢了怎么挂失"),
        ("我说的不是社保卡，我说的是医保卡", "医保卡", "医保卡丢了怎么补办"),
        ("不是社保卡是医保卡呀", "医保卡", "医保卡丢了怎么补办"),
    ],
)
def test_one_thing_put_in_the_place_of_another(text: str, rest: str, meant: str) -> None:
    assert against(text, [LOST], LOST) == Against(rest, (meant,))


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("我问的不是这个", ""),
        ("不是这个意思，我想问医保报销", "我想问医保报销"),
        ("您理解错了，我要办的是居住证", "我要办的是居住证"),
        ("我不是问这个", ""),
    ],
)
def test_a_plain_refusal(text: str, rest: str) -> None:
    assert against(text, [LOST], LOST) == Against(rest, ())


@pytest.mark.parametrize(
    "text",
    [
        "是不是补办",
        "我不是本地人，是外地来的",
        "不是挂失，是补办",
        "要是不是本人去，是家里人去行不行",
        "这个是不是要钱",
        "不是吧，这么麻烦",
        "嗯，是这个",
        "社保卡丢了怎么补办呢",
    ],
)
def test_what_speaks_for_the_card_or_about_something_else(text: str) -> None:
    assert against(text, [LOST], LOST) is None


def test_a_correction_needs_two_things() -> None:
    assert corrected("不是，是") is None
    assert corrected("不是补办，是补办") is None
