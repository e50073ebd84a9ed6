from __future__ import annotations

import pytest

from services.common.sound import blurred, syllables, tones

pytestmark = pytest.mark.unit


def test_every_character_has_one_syllable_and_one_tone_chosen_by_its_neighbours() -> None:
    text = "重庆, A1的银行"
    assert syllables(text) == ("chong", "qing", ",", " ", "A", "1", "de", "yin", "hang")
    assert tones(text) == ("2", "4", "", "", "", "", "5", "2", "2")


@pytest.mark.parametrize(
    ("one", "other"),
    [("zheng", "zen"), ("shi", "si"), ("chuang", "cuan"), ("nan", "lang"), ("ying", "yin")],
)
def test_what_the_line_does_not_tell_apart_is_the_same(one: str, other: str) -> None:
    assert blurred(one) == blurred(other)


@pytest.mark.parametrize(("one", "other"), [("zhong", "zhen"), ("fan", "han"), ("ji", "zhi")])
def test_other_syllables_stay_apart(one: str, other: str) -> None:
    assert blurred(one) != blurred(other)
