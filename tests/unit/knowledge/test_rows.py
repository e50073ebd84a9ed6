"""Rows of a table: bad ones are named, good ones kept."""

from __future__ import annotations

from datetime import date

import pytest

from services.knowledge.files.rows import EXTRA, NOBODY, Numbered, Rule, bounded, read_rows
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


def numbered(rows: list[dict[str, str]], first_line: int) -> list[Numbered]:
    return [Numbered(first_line + i, cells) for i, cells in enumerate(rows)]


def problems(**cells: str) -> list[tuple[int, str, str]]:
    taken = read_rows(numbered([GOOD | cells], 12), RULE)
    assert bool(taken.entries) is not bool(taken.problems)
    return [(p.line, p.field, p.message) for p in taken.problems]


def test_a_good_row() -> None:
    (entry,) = read_rows(numbered([GOOD], 2), RULE).entries
    assert entry.similar == ("社保卡不见了", "补卡去哪里")
    assert entry.valid_from == date(2025, 1, 1)
    assert (entry.valid_to, entry.version, entry.authorised_at) == (None, None, None)
    assert (entry.document, entry.intake, entry.tags, entry.confidential) == (None, None, (), False)
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
        ({"valid_to": "2025-13-01"}, "valid_to", "2025-13-01 is no day of the calendar"),
        ({"valid_to": "2026/2/30"}, "valid_to", "2026/2/30 is no day of the calendar"),
        ({"valid_from": "2025/1.1"}, "valid_from", "write it as 2026-01-31"),
        ({"valid_from": "20250101"}, "valid_from", "is not a date"),
        ({"valid_from": "0202-01-01"}, "valid_from", "outside the years"),
        ({"valid_to": "2024-12-31"}, "valid_to", "is before valid_from"),
        ({"authorised_at": "gestern"}, "authorised_at", "is not a date"),
        ({"question": "问" * 301}, "question", "has 301 characters"),
        ({"answer": "答" * 20_000}, "answer", "has 20,000 characters, at most 3,000 are taken"),
        ({"intake": "闲聊"}, "intake", "is none of 投诉"),
        ({"confidential": "yes"}, "confidential", "write no under authorised"),
        ({"tags": ";".join(map(str, range(21)))}, "tags", "holds 21"),
        ({"id": "office-1"}, "id", "directory"),
        ({"similar_questions": ";".join("问" * 301 for _ in range(1))}, "similar_questions", "301"),
        ({"authorised_by": ""}, "authorised_by", NOBODY),
        ({EXTRA: "left over"}, "", "more cells than the header"),
    ],
)
def test_a_bad_row_is_named(cells: dict[str, str], field: str, words: str) -> None:
    ((line, at, message),) = problems(**cells)
    assert (line, at) == (12, field)
    assert words in message


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-01",
        "2026/3/1",
        "2026.3.1",
        "2026年3月1日",
        "２０２６-０３-０１",
        "2026/3/1 0:00:00",
    ],
)
def test_days_as_people_write_them(written: str) -> None:
    (entry,) = read_rows(numbered([GOOD | {"valid_to": written}], 2), RULE).entries
    assert entry.valid_to == date(2026, 3, 1)


def test_what_nobody_can_see_is_taken_out_and_html_stays_text() -> None:
    script = "<script>alert(1)</script>请\u200b到\x00一楼\r\n办理\ufeff"
    taken = read_rows(numbered([GOOD | {"answer": script, "question": "问\n题"}], 5), RULE)
    (entry,) = taken.entries
    assert entry.answer == "<script>alert(1)</script>请到一楼\n办理"
    assert entry.question == "问 题"
    assert [(note.line, note.field) for note in taken.notes] == [(5, "answer")] * 2
    assert "taken out: 3" in taken.notes[0].message
    assert "HTML" in taken.notes[1].message


def test_what_is_far_too_long_is_no_message_but_a_fault() -> None:
    row = bounded(Numbered(3, GOOD | {"answer": "答" * 20_000, EXTRA: "x" * 10_000}))
    assert sum(map(len, row.cells.values())) < 1000
    problems = read_rows([row], RULE).problems
    assert [p.field for p in problems] == ["answer", ""]
    assert problems[0].message == "has 20,000 characters, at most 3,000 are taken"


def test_a_row_that_the_reader_could_not_read_is_a_bad_one() -> None:
    taken = read_rows([Numbered(9, GOOD, (("answer", "holds a formula"),))], RULE)
    assert taken.entries == ()
    assert [(p.line, p.field) for p in taken.problems] == [(9, "answer")]


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
    taken = read_rows(read_table(SAMPLE_BASE).rows, rule)
    assert taken.problems == ()
    assert len(taken.entries) >= 80
    assert any(e.authorised and e.authorised_by is None for e in taken.entries)
    assert any(not e.authorised for e in taken.entries)
    assert any(e.valid_to for e in taken.entries)
