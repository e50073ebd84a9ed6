"""Correction by sound: what must be put right, and what must be left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.common.failure import CannotStart
from services.transcription.data_files import load_terms, load_usual_words
from services.transcription.lexicon import Lexicon

pytestmark = pytest.mark.unit

TERMS = (
    "社保卡",
    "电子社保卡",
    "养老保险",
    "医疗保险",
    "养老金",
    "工伤保险",
    "劳动仲裁",
    "仲裁委员会",
    "灵活就业",
)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(TERMS, ("今天", "所以"))


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        ("我的射宝卡丢了", "我的社保卡丢了"),  # the same syllables
        ("杨老报线怎么交", "养老保险怎么交"),  # the same but for tones
        ("凝活就业的人", "灵活就业的人"),  # n for l, n for ng
        ("申请劳动中采", "申请劳动仲裁"),  # z for zh, c for c
        ("店子社保卡", "电子社保卡"),  # the longer term around one heard rightly
        ("电子射保卡和射宝卡", "电子社保卡和社保卡"),
        ("射宝卡，杨老金", "社保卡，养老金"),
    ],
)
def test_misheard_terms_are_put_right(lexicon: Lexicon, heard: str, text: str) -> None:
    corrected, corrections = lexicon.correct(heard)

    assert corrected == text
    assert corrections
    for one in corrections:
        end = one.start + len(one.made)
        assert (heard[one.start : end], text[one.start : end]) == (one.heard, one.made)


@pytest.mark.parametrize(
    "heard",
    [
        "",
        "医疗报销怎么办",  # one sound away from a term, another meaning
        "我有社保卡和养老保险",
        "养老今天能办吗",  # would cut 今天 in two
        "射，宝卡",  # a pause between
        "劳动仲裁委员会",  # two terms that overlap, both right
        "shebaoka 12333",
    ],
)
def test_what_is_right_or_merely_similar_stays(lexicon: Lexicon, heard: str) -> None:
    assert lexicon.correct(heard) == (heard, ())


def test_a_term_is_never_made_into_another_that_sounds_alike() -> None:
    lexicon = Lexicon(("公证处所", "公正处所", "住房补贴"))

    assert lexicon.correct("公证处所")[0] == "公证处所"
    assert lexicon.correct("工整处所")[0] == "工整处所"  # like both: neither
    assert lexicon.correct("祖房补贴")[0] == "住房补贴"


def test_the_very_same_syllables_go_before_similar_ones() -> None:
    lexicon = Lexicon(("林山路口", "凌山路口"))

    assert lexicon.correct("零山路口")[0] == "凌山路口"
    assert lexicon.correct("临山路口")[0] == "林山路口"


def test_the_lists_that_come_with_banxi_load_and_do_their_work() -> None:
    lexicon = Lexicon(load_terms(), load_usual_words())

    assert lexicon.correct("我的射宝卡丢了")[0] == "我的社保卡丢了"
    assert lexicon.correct("养老今天能办吗")[0] == "养老今天能办吗"
    for term in lexicon.terms:
        assert lexicon.correct(f"请问{term}。")[1] == ()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("version: 1\nterms: [社保卡, 工伤]\n", "terms, entry 2"),
        ("version: 1\nterms: [社保卡, 社保卡]\n", "社保卡: stands there twice"),
        ("version: 2\nterms: [社保卡]\n", "version"),
        ("version: 1\nterms: []\n", "terms"),
        ("version: 1\nterm: [社保卡]\n", "term"),
        ("version: 1\nterms: [社保卡\n", "line 3"),
        ("just text", "file"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(content, "utf-8")

    with pytest.raises(CannotStart) as caught:
        load_terms(path)

    assert str(path) in str(caught.value)
    assert named in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="cannot be read"):
        load_terms(tmp_path / "none.yaml")
