"""Doubles and contradictions among entries."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.knowledge.entries.alike import Neighbours
from services.knowledge.entries.entry import Entry
from tests.unit.knowledge.bags import CARD_CITY, EARLY, ENTRIES, TREE, WAGES

pytestmark = pytest.mark.unit

CITY = replace(CARD_CITY, answer="到市大厅一楼补卡，15个工作日办结。")
OTHER = replace(CITY, id="x", similar=())


def near(entry: Entry, *others: Entry) -> list[tuple[str, str]]:
    found = Neighbours(others, TREE).near(entry)
    return [(one.entry.id, one.sort) for one in found]


def test_the_same_in_one_region_is_a_double_and_other_figures_a_contradiction() -> None:
    assert near(OTHER, CITY, WAGES, EARLY) == [("card-2", "duplicate")]
    slower = replace(OTHER, answer="到市大厅一楼补卡，20个工作日办结。")
    (found,) = Neighbours([CITY], TREE).near(slower)
    assert (found.sort, found.likeness) == ("contradiction", 1.0)
    assert "20工作日 ≠ 15工作日" in found.why


@pytest.mark.parametrize(
    "question",
    ["社保卡丢失了怎么补办", "射保卡丢了怎么补办", "临江市社保卡丢了，怎么补办？", "社保卡不见了"],
)
def test_a_double_is_seen_in_other_words_misspelt_and_by_its_other_wordings(question: str) -> None:
    assert near(replace(OTHER, question=question), CITY, WAGES) == [("card-2", "duplicate")]


def test_between_regions_the_nearer_overrules() -> None:
    assert near(OTHER, *ENTRIES) == [
        ("card-2", "duplicate"),
        ("card-1", "overrules"),
        ("card-3", "overruled"),
    ]
    assert near(replace(OTHER, region="安平市"), CITY) == []


def test_only_what_counts_on_the_same_day_is_told() -> None:
    last = replace(CITY, valid_to=date(2026, 6, 30))
    assert near(replace(OTHER, valid_from=date(2026, 7, 1)), last) == []
    assert near(replace(OTHER, valid_from=date(2026, 6, 30)), last) == [("card-2", "duplicate")]
    assert (
        near(
            replace(OTHER, valid_from=date(2026, 7, 1)), replace(CITY, superseded=date(2026, 7, 1))
        )
        == []
    )


def test_an_entry_is_not_its_own_neighbour_and_an_empty_base_has_none() -> None:
    assert near(CITY, CITY) == []
    assert near(CITY) == []
