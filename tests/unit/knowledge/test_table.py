"""Files as people keep them."""

from __future__ import annotations

import io
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from services.knowledge.files.rows import EXTRA
from services.knowledge.files.table import Unreadable, read_table, write_csv
from tests.unit.knowledge.bags import CARD

pytestmark = pytest.mark.unit

HEADER = "id,question,answer,department,region,authorised"
TEXT = f"{HEADER}\nk1,社保卡丢了怎么补办,补卡。,中心,临江市,yes\n"


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (TEXT.encode(), "UTF-8"),
        (TEXT.encode("utf-8-sig"), "UTF-8"),
        (TEXT.encode("gb18030"), "GB18030"),
        (TEXT.replace("\n", "\r\n").encode(), "UTF-8"),
    ],
)
def test_encodings(content: bytes, form: str) -> None:
    table = read_table(content)
    assert table.form == form
    assert [(row.line, row.cells["question"]) for row in table.rows] == [(2, "社保卡丢了怎么补办")]


def test_lines_are_those_of_the_file() -> None:
    text = f'\n{HEADER},note\na,q,"two\nlines",d,r,yes,n\n\nb,q,a,d,r,yes\nc,q,a,d,r,yes,n,x\n'
    table = read_table(text.encode())
    assert [(row.line, row.cells["id"]) for row in table.rows] == [(3, "a"), (6, "b"), (7, "c")]
    assert table.unknown == ("note",)
    assert table.rows[0].cells["answer"] == "two\nlines"
    assert table.rows[2].cells[EXTRA] == "x"


def test_excel_with_dates_numbers_and_a_blank_line() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([*HEADER.split(","), "valid_from", "valid_to", "version"])
    sheet.append(["k1", "q", "a", "d", "r", True, datetime(2025, 3, 1), date(2026, 1, 2), 3.0])
    sheet.append([])
    sheet.append(["k2", "q", "a", "d", "r", "no"])
    out = io.BytesIO()
    book.save(out)
    table = read_table(out.getvalue())
    assert table.form == "Excel"
    assert [row.line for row in table.rows] == [2, 4]
    cells = table.rows[0].cells
    assert [cells[c] for c in ("authorised", "valid_from", "valid_to", "version")] == [
        "yes",
        "2025-03-01",
        "2026-01-02",
        "3",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"id,question\nk1,q\n", "has no column answer, department, region, authorised"),
        (f"{HEADER},id\n".encode(), "has the column id twice"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "neither text nor an Excel file"),
        (b"PK\x03\x04 but no workbook", "is not an Excel workbook"),
        (f'{HEADER}\nk1,"never closed,a,d,r,yes\n'.encode(), "is no CSV from line 2 on"),
        (TEXT.encode().replace("卡".encode(), "卡".encode()[:2], 1) * 3, "line 2 holds bytes"),
    ],
)
def test_what_is_no_table_is_said_in_a_sentence(content: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read_table(content)


def test_what_is_written_is_read_again() -> None:
    table = read_table(write_csv([CARD.row()]))
    assert dict(table.rows[0].cells) == CARD.row()
