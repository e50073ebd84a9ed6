"""The table of situations: what comes with Banxi, and mistakes of who edits it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml

from services.call_type.situations.book import PACKAGED, load_book
from services.common.datafiles import DataFileError
from services.conduct.books import load_rules

pytestmark = pytest.mark.unit

NAMES = Path(__file__).parents[4] / "eval_data" / "situations.csv"


def test_every_situation_of_the_rules_has_its_card() -> None:
    """Ids and names as they stand in labelled data."""
    with NAMES.open(encoding="utf-8") as lines:
        wanted = {row["id"]: row["name_zh"] for row in csv.DictReader(lines)}
    assert {one.id: one.name for one in load_book().by_id.values()} == wanted


def test_no_wording_breaks_the_rules_that_conduct_watches() -> None:
    """An agent who reads a card aloud is not warned for it."""
    book, detector = load_book(), load_rules().detector
    for one in book.by_id.values():
        assert detector.hits(book.say(one, {})) == [], one.id


def test_slots_are_filled_from_the_call_or_the_table() -> None:
    """工号 is the call's; what the call does not tell is said neutrally."""
    book = load_book()
    assert "A08" in book.say(book.by_id["asks-agent-name"], {"工号": "A08"})
    commitment = book.by_id["wants-a-commitment"]
    assert "医保局" in book.say(commitment, {"部门": "医保局"})
    assert book.table.slots["部门"] in book.say(commitment, {"部门": None})


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("say", "请找{处长}", "entry thanks-received, say: there is no slot '处长'"),
        ("say", "您放心，这件事保证办好", "entry thanks-received, say: holds '保证'"),
        ("title", "明白了吗", "entry thanks-received, title: holds '明白了吗'"),
        ("priority", 80, "entry thanks-received, priority"),
        ("signals", {"caller": ["谢谢，你"]}, "entry thanks-received, signals"),
        ("id", "bad-line", "bad-line given more than once"),
    ],
)
def test_a_mistake_is_named_with_its_place(
    tmp_path: Path, field: str, text: object, said: str
) -> None:
    """File, entry and field."""
    table = yaml.safe_load(PACKAGED.read_text(encoding="utf-8"))
    entry = next(one for one in table["situations"] if one["id"] == "thanks-received")
    entry[field] = text
    file = tmp_path / "situations.yaml"
    file.write_text(yaml.safe_dump(table, allow_unicode=True), encoding="utf-8")
    with pytest.raises(DataFileError) as mistake:
        load_book(file)
    assert str(file) in str(mistake.value)
    assert said in str(mistake.value)
