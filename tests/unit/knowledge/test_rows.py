"""Rows of a table: bad ones are named, good ones kept."""

from __future__ import annotations

from datetime import date

import pytest

from services.knowledge.files.rows import EXTRA, NOBODY, Rule, numbered, read_rows
from services.knowledge.files.table import read_table
from services.knowledge.settings import SAMPLE_BASE, KnowledgeSettings, region_tree
from tests.unit.knowledge.bags import TREE

pytestmark = pytest.mark.unit

GOOD = {
    "id": "k1",
    "question": "社保卡丢了怎么补办",
    "answer": "持身份证补卡，<b>当场</b>可取。",
    "department": "社保卡中心",
    "region": "临江市",
    "authorised": "yes",
    "authorised_by": "何静",
    "valid_from": "2025-01-01",
    "similar_questions": "社保卡不见了; 补卡去哪里 ;;",
}
RULE = Rule(TREE)


def problems(rule: Rule = RULE, **cells: str) -> list[tuple[int, str, str]]:
    taken = read_rows(numbered([GOOD | cells], 12), rule)
    assert bool(taken.entries) is not bool(taken.problems)
    return [(p.line, p.field, p.message) for p in taken.problems]


def test_a_good_row() -> None:
    (entry,) = read_rows(numbered([GOOD], 2), RULE).entries
    assert entry.similar == ("社保卡不见了", "补卡去哪里")
    assert entry.valid_from == date(2025, 1, 1)
    assert entry.valid_to is entry.version is entry.authorised_at is entry.document is None
    assert entry.answer == GOOD["answer"]  # HTML is text, and stays so


@pytest.mark.parametrize(
    ("cells", "field", "words"),
    [
        ({"id": " "}, "id", "is empty"),
        ({"question": ""}, "question", "is empty"),
        ({"answer": ""}, "answer", "is empty"),
        ({"department": ""}, "department", "is empty"),
        ({"region": ""}, "region", "is empty"),
        ({"region": "火星市"}, "region", "not in the table of regions"),
        ({"authorised": "maybe"}, "authorised", "yes or no"),
        ({"authorised": ""}, "authorised", "is empty"),
        ({"valid_to": "2025-13-01"}, "valid_to", "2025-13-01 is not a date"),
        ({"valid_from": "2025/1/1"}, "valid_from", "write it as 2026-01-31"),
        ({"valid_from": "20250101"}, "valid_from", "is not a date"),
        ({"valid_to": "2024-12-31"}, "valid_to", "is before valid_from"),
        ({"authorised_at": "gestern"}, "authorised_at", "is not a date"),
        ({"question": "问" * 301}, "question", "has 301 characters"),
        ({"similar_questions": ";".join("问" * 301 for _ in range(1))}, "similar_questions", "301"),
        ({"authorised_by": ""}, "authorised_by", NOBODY),
        ({EXTRA: "left over"}, "", "more cells than the header"),
    ],
)
def test_a_bad_row_is_named(cells: dict[str, str], field: str, words: str) -> None:
    ((line, at, message),) = problems(**cells)
    assert (line, at) == (12, field)
    assert words in message


def test_several_mistakes_of_a_row_are_all_named() -> None:
    assert [at for _, at, _ in problems(id="", region="火星市", valid_to="x")] == [
        "id",
        "region",
        "valid_to",
    ]


def test_an_unauthorised_row_needs_no_answer_and_nobody() -> None:
    assert problems(authorised="no", answer="", authorised_by="") == []


def test_who_authorises_an_import_is_recorded_where_the_row_names_nobody() -> None:
    rule = Rule(TREE, authorised_by="李主任")
    rows = numbered([GOOD | {"authorised_by": ""}, GOOD | {"id": "k2"}], 2)
    assert [e.authorised_by for e in read_rows(rows, rule).entries] == ["李主任", "何静"]
    (no,) = read_rows(numbered([GOOD | {"authorised": "no", "authorised_by": ""}], 2), rule).entries
    assert no.authorised_by is None


def test_unnamed_rows_are_kept_only_where_that_is_asked_for() -> None:
    (entry,) = read_rows(
        numbered([GOOD | {"authorised_by": ""}], 2), Rule(TREE, unnamed=True)
    ).entries
    assert entry.authorised
    assert entry.authorised_by is None


def test_the_first_good_row_of_an_id_is_taken_and_empty_rows_are_none() -> None:
    rows = [GOOD | {"region": "火星市"}, GOOD, {"id": "", "question": " "}, GOOD]
    taken = read_rows(numbered(rows, 2), RULE)
    assert len(taken.entries) == 1
    assert [(p.line, p.field) for p in taken.problems] == [(2, "region"), (5, "id")]
    assert "line 3" in taken.problems[1].message


def test_rows_written_are_rows_read() -> None:
    (entry,) = read_rows(numbered([GOOD], 2), RULE).entries
    assert read_rows(numbered([entry.row()], 2), RULE).entries == (entry,)


def test_the_sample_base_is_clean_and_shows_what_a_hotline_will_meet() -> None:
    rule = Rule(region_tree(KnowledgeSettings()), unnamed=True)
    taken = read_rows(read_table(SAMPLE_BASE.read_bytes()).rows, rule)
    assert taken.problems == ()
    assert len(taken.entries) >= 80
    assert any(e.authorised and e.authorised_by is None for e in taken.entries)
    assert any(not e.authorised for e in taken.entries)
    assert any(e.valid_to for e in taken.entries)
