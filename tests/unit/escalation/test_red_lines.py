from __future__ import annotations

import pytest

from tests.unit.escalation.scripts import POLICY

pytestmark = pytest.mark.unit


def found(text: str) -> list[tuple[str, str]]:
    return [(heard.line.id, heard.words) for heard in POLICY.finder.find(text)]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("我不想，活了", "danger-to-life", "不想，活了"),
        ("空调罢工了，我们也要罢工", "mass-incident", "罢工"),
        ("照片上传到网上曝光", "public-sentiment", "网上曝光"),
        ("她说要杀了她", "danger-to-life", "杀了她"),
    ],
)
def test_words_are_found_as_written(text: str, line: str, words: str) -> None:
    assert found(text) == [(line, words)]


@pytest.mark.parametrize(
    "text",
    [
        "这个是跳楼价",
        "没有人受伤",
        "一起火锅店",
        "上班的时候救命药断了",
        "",
        "，。！",
        "私人了",
        "市委大院在哪里",
        "有人手上还有旧卡",
        "没有人收伤",
    ],
)
def test_harmless_expressions_and_sound_alikes_raise_nothing(text: str) -> None:
    assert found(text) == []


def test_long_words_are_found_by_their_sound() -> None:
    (heard,) = POLICY.finder.find("家里实物中毒了")
    assert (heard.word, heard.words) == ("食物中毒", "实物中毒")
    assert heard.score < 1
    assert found("我不想火了") == [("danger-to-life", "不想火了")]
