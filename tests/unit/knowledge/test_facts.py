"""Figures, days, telephones and places of answers."""

from __future__ import annotations

import pytest

from services.knowledge.entries.facts import differing, facts, number

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("15", "15"),
        ("十五", "15"),
        ("二十", "20"),
        ("一百零八", "108"),
        ("两千三百", "2300"),
        ("4.50", "4.5"),
    ],
)
def test_numbers_in_figures_and_in_words(said: str, digits: str) -> None:
    assert number(said) == digits


def test_facts_by_kind() -> None:
    found = facts(
        "受理后十五个工作日办结，每月2300元，拨打0599-555 1102，3月1日前到解放路12号二楼，9:00开门"
    )
    assert found == {
        "工作日": {"15"},
        "元": {"2300"},
        "phone": {"05995551102"},
        "date": {"3-1"},
        "place": {"解放路12号", "2楼"},
        "time": {"9:00"},
    }


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ("十五个工作日办结", "15个工作日内办结", ""),
        ("15个工作日办结", "20个工作日办结", "15工作日 ≠ 20工作日"),
        ("每月2300元", "每月2300元，二档2100元", ""),
        ("到一楼办理", "到3楼办理", "地点 1楼 ≠ 3楼"),
        ("电话0599-5551101", "电话0599-5551102", "电话 05995551101 ≠ 05995551102"),
        ("带身份证", "15个工作日", ""),
    ],
)
def test_what_two_answers_say_differently(one: str, other: str, differs: str) -> None:
    assert differing(one, other) == differs
