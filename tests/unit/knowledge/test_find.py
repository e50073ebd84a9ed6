"""The three witnesses: characters, sounds, vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from services.common.datafiles import DataFileError
from services.knowledge.finding.background import read_background
from services.knowledge.finding.find import Finder, Similar
from services.knowledge.finding.wording import characters, content, fold, sounds, subject
from services.knowledge.finding.words import Words
from tests.unit.knowledge.bags import CARD, EARLY, RANKING, WAGES

pytestmark = pytest.mark.unit

ENTRIES = (CARD, WAGES, EARLY)


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder(ENTRIES, read_background(), RANKING)


def known(asked: list[float], about: list[float]) -> Similar:
    """Similarities to entries; those to the background are not known."""
    lines = np.full(len(read_background().lines), np.nan)
    return Similar(np.asarray(asked), np.asarray(about), lines)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [("射宝卡", "社保卡"), ("杨老报线", "养老保险"), ("失业保先金", "失业保险金")],
)
def test_what_sounds_alike_is_alike(heard: str, meant: str) -> None:
    assert sounds(heard) == sounds(meant)
    assert not characters(heard) >= characters(meant)


def test_fillers_are_no_content_and_generic_words_no_subject() -> None:
    assert content("嗯嗯，好的好的") == ""
    assert content("谢谢您，再见") == ""
    assert subject("这个要带些什么材料呢") == ""
    assert subject("我的社保卡丢了怎么办") == "社保卡丢"
    assert fold("您 讲得,对。") == fold("你讲的对")


def test_rare_grams_count_more() -> None:
    words = Words.of([characters(text)] for text in ("公司欠薪", "公司地址", "公司"))
    assert words.rarity("欠薪") > words.rarity("公司")
    like, cover = words.compare(characters("公司欠薪"))
    assert like[0] == pytest.approx(1.0)
    assert cover[0] == pytest.approx(1.0)
    assert cover[0] > cover[1] == cover[2] > 0
    assert words.compare(frozenset())[1].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("text", "best"),
    [("我那个射宝卡丢了", 0), ("老板拖欠公资了", 1), ("我在井下干了十一年能早退吗", 2)],
)
def test_words_alone_find_what_is_said(finder: Finder, text: str, best: int) -> None:
    assert int(finder.evidence(text, None).scores.argmax()) == best


def test_vectors_find_what_is_meant(finder: Finder) -> None:
    similar = known([0.1, 0.8, 0.0], [np.nan, 0.7, np.nan])
    found = finder.evidence("包工头不给结账", similar)
    assert int(found.scores.argmax()) == 1
    assert found.scores[1] > 0.4 > found.scores[0] + 0.2


def test_talk_is_known_by_its_likeness_to_talk(finder: Finder) -> None:
    background = read_background()
    similar = known([0.1, np.nan, np.nan], [np.nan] * 3)
    similar.lines[0] = 0.9
    assert finder.evidence("嗯，好的", similar).talk == 0.9
    assert finder.evidence(background.talk[3], None).talk > 0.9
    assert finder.evidence(background.matters[3], None).other > 0.9


def test_a_broken_background_names_file_line_and_field(tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    lines = [*("- 好" for _ in range(9)), "- []"]
    path.write_text("\n".join(["talk:", *lines, "matters: 3\n"]), encoding="utf-8")
    with pytest.raises(DataFileError, match=r"b\.yaml, line 11, talk, entry 10: "):
        read_background(path)
