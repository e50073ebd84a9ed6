"""Which utterances ask for a matter."""

from __future__ import annotations

import pytest

from services.knowledge.finding.background import read_background
from services.knowledge.on_calls.gaps import asks_matter, asks_on, same_matter

pytestmark = pytest.mark.unit

TALK = read_background().talk


@pytest.mark.parametrize(
    "text",
    [
        "社区老年食堂的补贴怎么申请",
        "请问小区装充电桩要去哪里备案",
        "我想咨询一下家庭养老床位的政策",
        "宠物狗办证需要什么材料",
        "外地车牌能不能办年检",
    ],
)
def test_a_matter_asked_clearly(text: str) -> None:
    assert asks_matter(text, TALK)


@pytest.mark.parametrize(
    "text",
    [
        "嗯嗯好的",
        "你听得见我说话吗",
        "我都等了半个小时了",
        "那怎么办",
        "要带什么材料",
        "您贵姓怎么称呼",
        "你们领导在哪里，我要找他",
        "麻烦您再说一遍地址",
        "今天天气怎么样",
    ],
)
def test_talk_and_what_names_nothing(text: str) -> None:
    assert not asks_matter(text, TALK)


def test_no_line_of_talk_is_a_matter() -> None:
    assert [line for line in TALK if asks_matter(line, TALK)] == []


def test_what_is_one_matter() -> None:
    assert same_matter("老年食堂的补贴怎么申请", "我问老年食堂补贴")
    assert not same_matter("老年食堂的补贴怎么申请", "外地车牌能不能年检")
    assert asks_on("那补办社保卡要照片吗", "社保卡丢了怎么补办。持身份证补卡")
    assert not asks_on("居住证积分怎么查", "社保卡丢了怎么补办。持身份证补卡")
