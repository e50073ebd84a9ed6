"""Misheard words are read as the words of the base that they sound like."""

from __future__ import annotations

import pytest

from services.knowledge.finding.mend import Mender

pytestmark = pytest.mark.unit

MENDER = Mender(["社保卡丢了怎么补办", "养老保险怎么转移", "拖欠工资怎么投诉", "今天气温是多少度"])


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("我那个射宝卡昨天掉了", "我那个社保卡昨天掉了"),
        ("杨老报线，咋转移", "养老保险，咋转移"),
        ("老板拖欠公资！", "老板拖欠工资！"),
        ("拖欠工资怎么投诉", "拖欠工资怎么投诉"),
        ("嗯嗯", "嗯嗯"),
        ("", ""),
        ("A4纸2张", "a4纸2张"),
        ("ﬁx社保", "ﬁx社保"),
    ],
)
def test_mending(heard: str, said: str) -> None:
    assert MENDER.mend(heard) == said


def test_a_long_stretch_wins_over_short_ones() -> None:
    mender = Mender(["公司", "供暖时间"])
    assert mender.mend("公暖时间") == "供暖时间"
