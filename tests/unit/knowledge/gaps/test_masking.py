"""What is kept of a caller's words tells neither numbers nor names."""

from __future__ import annotations

import pytest

from services.knowledge.gaps.masking import masked

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("我电话是13912345678，养狗要登记吗", "我电话是●●●●，养狗要登记吗"),
        ("号码 139 1234 5678 记一下", "号码 ●●●● 记一下"),
        ("身份证31010119800101123X的户口", "身份证●●●●的户口"),
        ("幺三九零零一二三四五六，你打这个", "●●●●，你打这个"),
        ("１３９１２３４５６７８", "●●●●"),
        ("我叫张伟，想问灯会", "我叫●●，想问灯会"),
        ("我姓李，木子李，想问一下", "我姓●●，想问一下"),
        ("我是王秀兰，我家水费", "我是●●，我家水费"),
    ],
)
def test_numbers_and_names_are_taken_out(said: str, kept: str) -> None:
    assert masked(said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "我是高中生，能领补贴吗",
        "我是单身，能申请吗",
        "我叫你们领导接电话",
        "我叫了三次车都没来",
        "夫妻姓名不一样怎么办",
        "二〇二五年开始交吗",
        "三百二十块钱一个月",
        "5月10号到12号",
    ],
)
def test_what_is_no_name_and_no_number_stays(said: str) -> None:
    assert masked(said) == said
