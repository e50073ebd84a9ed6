"""What is exported is imported again as the same, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from contracts.call_type import INTAKES
from contracts.requests import EntryFields
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.fields import written as by_hand
from services.knowledge.files.cells import cleaned, guarded, joined, parted, unguarded
from services.knowledge.files.rows import Rule, read_rows
from services.knowledge.files.table import read_table
from services.knowledge.files.writing import WRITERS, write_entries
from tests.unit.knowledge.bags import CARD, TREE

pytestmark = pytest.mark.unit

LETTERS = st.characters(exclude_categories=("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"))
HARD = st.sampled_from("=+-@'＝;；\\,\"<>&\n\t 0#")


def texts(most: int, *, lines: bool = False) -> st.SearchStrategy[str]:
    """Texts as an import leaves them: something is in them, and nothing around them."""
    one = st.one_of(LETTERS, HARD if lines else HARD.filter(lambda c: c not in "\n\t"))
    made = st.lists(one, min_size=1, max_size=most).map(lambda some: "".join(some).strip())
    return made.filter(lambda text: bool(text) and cleaned(text) == (text, 0))


def several(most: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(texts(12), max_size=most, unique=True).map(tuple)


DAYS = st.none() | st.dates(date(1900, 1, 1), date(2199, 12, 31))
MAYBE = st.none() | texts(20)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    authorised = draw(st.booleans())
    first, last = sorted([draw(DAYS), draw(DAYS)], key=lambda day: day or date(2000, 1, 1))
    ordered = first is None or last is None or first <= last
    return Entry(
        id=draw(texts(12).filter(lambda id_: id_[:3].lower() not in ("off", "wor"))),
        question=draw(texts(30)),
        answer=draw(texts(60, lines=True)) if authorised else draw(st.just("") | texts(60)),
        department=draw(texts(12)),
        region=draw(st.sampled_from(sorted(TREE.parents))),
        authorised=authorised,
        valid_from=first if ordered else None,
        valid_to=last,
        similar=draw(several(4)),
        authorised_by=draw(texts(8)) if authorised else draw(MAYBE),
        authorised_at=draw(DAYS),
        version=draw(MAYBE),
        document=draw(MAYBE),
        liaison=draw(MAYBE),
        phone=draw(MAYBE),
        intake=draw(st.none() | st.sampled_from(INTAKES)),
        tags=draw(several(3)),
        confidential=draw(st.booleans()) and not authorised,
    )


@pytest.mark.parametrize("ending", WRITERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some=st.lists(entries(), max_size=4, unique_by=lambda entry: entry.id))
def test_what_is_written_is_read_again(ending: str, some: list[Entry]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"base{ending}"
        write_entries(path, some)
        if not some and ending == ".jsonl":
            return  # an empty file: there is nothing to read
        taken = read_rows(read_table(path).rows, Rule(TREE))
    assert taken.problems == ()
    assert taken.entries == tuple(some)


@given(st.text() | st.text(alphabet="=+-@'a"))
def test_a_guard_is_taken_away_again_and_no_cell_begins_as_a_formula(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in set("=+-@＝＋－＠")


@given(st.lists(texts(8), unique=True))
def test_several_texts_in_one_cell_are_told_apart_again(items: list[str]) -> None:
    assert parted(joined(items)) == tuple(items)


def test_several_texts_as_people_separate_them() -> None:
    assert parted("a; b;;a") == ("a", "b")
    assert parted("甲；乙\n丙") == ("甲", "乙", "丙")
    assert parted("甲；乙; 丙") == ("甲；乙", "丙")


def test_no_spreadsheet_runs_what_is_exported(tmp_path: Path) -> None:
    attack = '=HYPERLINK("http://x","点我")'
    entry = replace(CARD, question=attack, similar=("@SUM(1)", "=1"), phone="+86-599")
    write_entries(tmp_path / "base.csv", [entry])
    write_entries(tmp_path / "base.xlsx", [entry])
    text = (tmp_path / "base.csv").read_text(encoding="utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["question"], row["similar_questions"]) == ("'" + attack, "'@SUM(1);=1")
    sheet = load_workbook(tmp_path / "base.xlsx").worksheets[0]
    assert "f" not in {cell.data_type for line in sheet.iter_rows() for cell in line}
    assert sheet["B2"].value == "'" + attack


def test_nothing_is_written_over(tmp_path: Path) -> None:
    write_entries(tmp_path / "base.csv", [CARD])
    with pytest.raises(FileExistsError):
        write_entries(tmp_path / "base.csv", [])


def test_what_nobody_can_see_is_taken_out_of_what_editors_write_as_of_a_file() -> None:
    seen = "请\u200b打\u202e12333\ufeff\x7f\n转 1"
    fields = EntryFields(question="问", answer=seen, department="中心", region="临江市")
    assert by_hand("k1", fields).answer == cleaned(seen)[0] == "请打12333\n转 1"
