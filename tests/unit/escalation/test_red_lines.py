from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.datafiles import DataFileError
from services.escalation.files import read
from services.escalation.red_lines import Finder, RedLines
from tests.unit.escalation.scripts import POLICY

pytestmark = pytest.mark.unit


def found(text: str) -> list[tuple[str, str]]:
    return [(heard.line.id, heard.words) for heard in POLICY.finder.find(text)]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("我不想，活了", "self-harm", "不想，活了"),
        ("空调罢工了，我们也要罢工", "mass-incident", "罢工"),
        ("照片上传到网上曝光", "public-sentiment", "上传到网上曝光"),
        ("她说要杀了她", "danger-to-life", "她说要杀了她"),
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
    (heard,) = POLICY.finder.find("我跟他同归鱼尽")
    assert (heard.word, heard.words) == ("同归于尽", "同归鱼尽")
    assert 0.7 < heard.score < 1
    # What is short, or sounds like it but is mostly other words, is not.
    assert found("十二个人住在里面") == [] == found("书面的也可以，是给你的")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("药我都攒够了就等今晚", "self-harm"),
        ("我妈爬到楼顶上了", "self-harm"),
        ("他拿着菜刀在追我", "danger-to-life"),
        ("五六十个工人现在去市政府门口", "mass-incident"),
        ("30多户业主把售楼部门口堵了，都在大门口坐着", "mass-incident"),
        ("電梯裡有人被困", "serious-accident"),
        ("我们是都市频道栏目组的", "sensitive-media"),
        ("我录了视频要发到抖音上让大家评评理", "public-sentiment"),
        ("我爷爷抱着农药瓶坐在村口说要喝", "self-harm"),
        ("他后备箱里放着两桶汽油", "danger-to-life"),
        ("三十多个司机谁也不走了", "mass-incident"),
        ("师傅下去清池子，倒了", "serious-accident"),
        ("我们台里的车马上就到", "sensitive-media"),
        ("那条录像转了好几万", "public-sentiment"),
    ],
)
def test_what_words_in_one_clause_say_together(text: str, line: str) -> None:
    assert line in {id_ for id_, _ in found(text)}


@pytest.mark.parametrize(
    "text",
    [
        "我不会跳楼的",
        "去年我们厂着过火，起火原因现在查清了吗",
        "要是着火了怎么办",
        "食物中毒保险怎么报",
        "电视剧里那个人跳楼了",
        "作业发到网上了打不开",
        "前面几十号人排队呢",
        "大夫说手术刀口没拿钢钉",
        "我不找媒体，就找你们",
        "误会了，楼下不是着火",
        "欠了四十块钱，我坐在家里",
    ],
)
def test_what_is_denied_past_supposed_asked_or_told_is_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("去年起就不给我发钱，我不想活了", "self-harm"),
        ("热线也打不通，我想自杀", "self-harm"),
        ("去年也着过火，现在又着火了", "serious-accident"),
        ("我不是开玩笑，我要跳楼", "self-harm"),
    ],
)
def test_an_excuse_for_something_else_is_none(text: str, line: str) -> None:
    assert [id_ for id_, _ in found(text)] == [line]


def test_a_sign_gives_way_to_the_words_themselves() -> None:
    (sign,) = POLICY.finder.find("我真的撑不下去了")
    assert sign.sign
    (heard,) = POLICY.finder.find("我真的撑不下去了，我想自杀")
    assert not heard.sign and heard.words == "自杀"


LINES = """
version: 1
parts: {tool: [刀, 斧头]}
excuses: {denied: {where: before, within: 2, words: [不会]}}
red_lines:
  - {id: a, name: 甲, words: ['拿…<tool>', '[砍|<tool>]人'], excused_by: [denied]}
"""


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "lines.yaml"
    path.write_text(LINES)
    finder = Finder(read(path, RedLines).red_lines)
    texts = ("他拿了一把斧头", "他拿了。斧头", "刀人", "我不会砍人", "我不会让他们去砍人")
    assert [bool(finder.find(text)) for text in texts] == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "拿…<tool>",
            "拿…<tools>",
            "line 6, red_lines, entry a, words, entry 1: <tools> is not",
        ),
        ("拿…<tool>", "拿[刀", "entry 1: '[刀' has no meaning"),
        ("拿…<tool>", "拿…", "must begin and end with words"),
        ("拿…<tool>", "[拿|]刀", "must not begin with something that may be left out"),
        ("拿…<tool>", "刀", "must hold at least 2 characters"),
        ("拿…<tool>", "[拿刀]来", "[拿刀] offers no choice"),
        ("[denied]", "[past]", "excused_by, entry 1: past is not one of the excuses"),
        ("where: before", "where: near", "excuses, denied, where: "),
        ("[刀, 斧头]", "[刀]", "parts, tool: "),
    ],
)
def test_a_mistake_names_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "lines.yaml"
    path.write_text(LINES.replace(old, new, 1))
    with pytest.raises(DataFileError) as caught:
        read(path, RedLines)
    assert says in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_searched(text: str) -> None:
    for heard in POLICY.finder.find(text, beyond=3):
        assert heard.words in text
