"""What is excused when a phrase is looked for, and what is not."""

from __future__ import annotations

import pytest

from services.common.written import read
from services.conduct.books import load_phrases
from services.conduct.phrases.align import LOOSEST, TOLERANCE, Finder
from services.conduct.phrases.sound import distance
from services.conduct.phrases.wording import parse

pytestmark = pytest.mark.unit

BOOK = load_phrases()


def rules(text: str, previous: str = "") -> list[str]:
    return [hit.rule.id for hit in BOOK.hits(text, previous)]


def found(wording: str, text: str, tolerance: float = TOLERANCE) -> list[str]:
    written = read(text)
    finder = Finder([parse(wording)], ["呃", "这个"], ["就"])
    return [written.words(m.start, m.end) for m in finder.find(written, tolerance)]


@pytest.mark.parametrize(
    ("said", "heard", "far"),
    [("fan", "huan", "guan"), ("lan", "nan", "tan"), ("men", "wen", "sen"), ("zi", "shi", "gei")],
)
def test_what_the_telephone_and_accents_blur_is_nearer(said: str, heard: str, far: str) -> None:
    assert distance(said, heard) == distance(heard, said) < distance(said, far)


@pytest.mark.parametrize(
    ("wording", "text"),
    [
        ("我不知道", "我呃不，不知道"),
        ("我不知道", "我这个就不知道"),
        ("别再啰嗦", "别再啰啰嗦嗦"),
        ("这是我们的规定我也没办法", "这是我们这儿的规定我也真没有什么办法"),
        ("你烦不烦", "你環不環"),
        ("你烦不烦", "妳煩不煩"),
        ("^急什么$", "好的，鸡什么，在查呢"),
        ("拨打一二三四五", "撥打１２３４５"),
    ],
)
def test_what_is_excused(wording: str, text: str) -> None:
    assert found(wording, text)


@pytest.mark.parametrize(
    ("wording", "text"),
    [
        ("我不知道", "我不，客气了知道"),
        ("我不知道", "我不会不知道"),
        ("你烦不烦", "你看她烦不烦"),
        ("急什么$", "材料还没寄什么"),
        ("不要说了", "不要说验证码"),
        ("你可真会", "您那个证是"),
        ("^明白了吗", "您这都明白了吗"),
    ],
)
def test_what_is_not(wording: str, text: str) -> None:
    assert not found(wording, text)


def test_a_higher_tolerance_finds_what_a_lower_one_does_and_more() -> None:
    finder = Finder([parse(w) for rule in BOOK.rules.values() for w in rule.wordings])
    text = read("这窝怎么只道，您那个政策就是这么订的，头诉去吧我管不了您问别的地方")
    strict = set(finder.find(text))
    loose = set(finder.find(text, LOOSEST))
    assert strict
    assert {m for m in loose if m.strain <= TOLERANCE} == strict < loose
    assert all(TOLERANCE < m.strain <= LOOSEST for m in loose - strict)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("喂你好什么事呀后头还排着人呢", "what-is-it"),
        ("电话别再来了", "dont-call-again"),
        ("烦不烦啊你", "arent-you-annoying"),
        ("我的工作不是这个", "not-my-job"),
        ("哎您能不能不要再往下说了先听听我讲", "stop-talking-listen"),
        ("這個我說了你也不懂", "you-wouldnt-understand"),
        ("这个不能代办，明白了吗", "understood"),
        ("单位没告诉您，您问我我问谁", "whom-do-i-ask"),
        ("您反映的那个补偿，你说的这个问题我不太清楚", "your-question-unknown"),
    ],
)
def test_other_orders_and_guards_that_must_not_hold(text: str, rule: str) -> None:
    assert rules(text) == [rule]


@pytest.mark.parametrize(
    "text",
    [
        "门卫跟您说你问我我问谁，是吧",
        "您说小区保安喊你听我说就是不让您进门",
        "窗口原话是，你烦不烦，我记上了",
        "他甩了句爱找谁找谁就走了",
        "你烦不烦这句话我们会核查",
        "没有人认为您是无理取闹",
        "我从来不会让您别再来电话",
        "这块我不了解，记下来请人社局回您",
        "这个问题我不太清楚，我帮您查一下，您稍等",
        "您怎么方便就怎么选择",
        "您是什么时候收到的",
        "不客气，这是我们应该做的",
        "请您先挂电话，祝您生活愉快",
    ],
)
def test_what_good_agents_say(text: str) -> None:
    assert rules(text) == []


def test_what_was_said_before_does_not_count_again_by_a_mere_likeness() -> None:
    assert rules("请问您的银行卡是哪家银行的", "您急什么") == []
    assert rules("讲清楚点", "您大声点") == ["louder-clearer"]
