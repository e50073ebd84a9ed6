"""Files as people keep them."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from services.knowledge.files.rows import EXTRA, Numbered
from services.knowledge.files.table import Unreadable, read_table
from services.knowledge.files.workbook import ACROSS, NO_RESULT

pytestmark = pytest.mark.unit

HEADER = "id,question,answer,department,region,authorised"
TEXT = f"{HEADER}\nk1,社保卡丢了怎么补办,补卡。,中心,临江市,yes\n"


def written(folder: Path, content: bytes) -> Path:
    path = folder / "table"
    path.write_bytes(content)
    return path


def sheet(*rows: list[object]) -> tuple[Workbook, Worksheet]:
    book = Workbook()
    assert book.active is not None
    book.active.append([*HEADER.split(","), "valid_from", "version"])
    for row in rows:
        book.active.append(row)
    return book, book.active


def excel_rows(folder: Path, book: Workbook) -> list[Numbered]:
    book.save(folder / "book.xlsx")
    table = read_table(folder / "book.xlsx")
    rows = list(table.rows)
    assert (table.form, table.count) == ("Excel", len(rows))
    return rows


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (TEXT.encode(), "UTF-8"),
        (TEXT.encode("utf-8-sig"), "UTF-8"),
        (TEXT.encode("gb18030"), "GB18030"),
        (TEXT.replace("\n", "\r\n").encode(), "UTF-8"),
    ],
)
def test_encodings(content: bytes, form: str, tmp_path: Path) -> None:
    table = read_table(written(tmp_path, content))
    assert (table.form, table.count) == (form, 1)
    for _ in range(2):  # rows are read anew each time
        assert [(row.line, row.cells["question"]) for row in table.rows] == [
            (2, "社保卡丢了怎么补办")
        ]


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    text = f'\n{HEADER},note\na,q,"two\nlines",d,r,yes,n\n\nb,q,a,d,r,yes\nc,q,a,d,r,yes,n,x\n'
    table = read_table(written(tmp_path, text.encode()))
    rows = list(table.rows)
    assert [(row.line, row.cells["id"]) for row in rows] == [(3, "a"), (6, "b"), (7, "c")]
    assert table.unknown == ("note",)
    assert rows[0].cells["answer"] == "two\nlines"
    assert rows[2].cells[EXTRA] == "x"


def test_excel_with_dates_numbers_and_a_blank_line(tmp_path: Path) -> None:
    book, _ = sheet(
        ["k1", "q", "a", "d", "r", True, datetime(2025, 3, 1), 3.0],
        [],
        ["k2", "q", "a", "d", "r", "no", date(2026, 1, 2), 1.5],
    )
    one, two = excel_rows(tmp_path, book)
    assert (one.line, two.line) == (2, 4)
    assert [one.cells[c] for c in ("authorised", "valid_from", "version")] == [
        "yes",
        "2025-03-01",
        "3",
    ]
    assert [two.cells[c] for c in ("valid_from", "version")] == ["2026-01-02", "1.5"]


def test_a_merge_downwards_counts_for_each_row_and_one_across_is_named(tmp_path: Path) -> None:
    book, page = sheet(
        ["k1", "q", "a", "某处", "r", "no"],
        ["k2", "q", "a", None, "r", "no"],
        ["k3", "q", None, "别处", "r", "no"],
    )
    page.merge_cells("D2:D3")
    page.merge_cells("B4:C4")
    one, two, three = excel_rows(tmp_path, book)
    assert [row.cells["department"] for row in (one, two, three)] == ["某处", "某处", "别处"]
    assert (one.faults, two.faults) == ((), ())
    assert three.faults == (("question", ACROSS), ("answer", ACROSS))


def test_formulas_count_by_their_result_and_are_named_without_one(tmp_path: Path) -> None:
    book, _ = sheet(["k1", "q", '="a"&"b"', "d", "r", "no"], ["k2", "q", "a", "d", "r", "no"])
    (one, two) = excel_rows(tmp_path, book)
    assert (one.faults, two.faults) == ((("answer", NO_RESULT),), ())
    # As Excel saves it, with the result it had.
    saved, with_result = tmp_path / "book.xlsx", tmp_path / "result.xlsx"
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(with_result, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                bare = b'<c r="C2"><f>"a"&amp;"b"</f><v /></c>'
                assert bare in content
                content = content.replace(
                    bare, b'<c r="C2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>'
                )
            new.writestr(name, content)
    (one, _) = read_table(with_result).rows
    assert (one.cells["answer"], one.faults) == ("ab", ())


def test_errors_of_a_spreadsheet_are_named(tmp_path: Path) -> None:
    book, _ = sheet(["k1", "q", "#REF!", "d", "r", "no"])
    (row,) = excel_rows(tmp_path, book)
    assert row.faults == (("answer", "holds #REF!, an error of the spreadsheet"),)


def test_jsonl(tmp_path: Path) -> None:
    lines = [
        {"id": "k1", "similar_questions": ["a;b", "c"], "tags": "x;y", "authorised": True, "n": 1},
        {"id": 2, "answer": {"html": 1}, "valid_to": None},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    table = read_table(written(tmp_path, (text + '\n{"id": 1, "id": 2}\nnothing\n[1]\n').encode()))
    one, two, twice, none, listed = table.rows
    assert (table.form, table.count, table.unknown) == ("JSONL", 5, ("n",))
    assert one.cells == {
        "id": "k1",
        "similar_questions": "a\\;b;c",
        "tags": "x;y",
        "authorised": "yes",
    }
    assert (two.line, two.cells) == (2, {"id": "2", "valid_to": ""})
    assert two.faults == (("answer", "holds a list or an object, not a text"),)
    assert (twice.line, twice.faults) == (4, (("", "names a field twice"),))
    assert none.faults == listed.faults == (("", "is no JSON object on one line"),)


def test_half_a_character_makes_a_row_a_bad_one_and_no_message_fails(tmp_path: Path) -> None:
    content = b'{"id": "k1", "answer": "a\\ud83d"}\n{"id": "k2", "answer": "\\ud83d\\ude00"}\n'
    half, whole = read_table(written(tmp_path, content)).rows
    [(column, why)] = half.faults
    assert column == "" and "holds half a character" in why
    assert (whole.cells["answer"], whole.faults) == ("\U0001f600", ())


@pytest.mark.parametrize(
    ("part", "old", "new", "words"),
    [
        ("xl/worksheets/sheet1.xml", b'<row r="2"', b'<row r="1000000000000"', "is not an Excel"),
        (
            "xl/worksheets/sheet1.xml",
            b"</worksheet>",
            b'<mergeCells><mergeCell ref="A1:GR2"/>'
            + b'<mergeCell ref="A1:GR2"/>' * 3000
            + b"</mergeCells></worksheet>",
            "too many merged cells",
        ),
        ("xl/styles.xml", b"<fonts", b" " * (2**26 + 1) + b"<fonts", "is not an Excel"),
    ],
)
def test_a_workbook_made_to_be_endless_is_refused_at_once(
    part: str, old: bytes, new: bytes, words: str, tmp_path: Path
) -> None:
    book, _ = sheet(["k1", "q", "a", "d", "r", "no"])
    book.save(tmp_path / "book.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "book.xlsx") as good,
        zipfile.ZipFile(tmp_path / "table", "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for name in good.namelist():
            content = good.read(name)
            bad.writestr(name, content.replace(old, new, 1) if name == part else content)
    with pytest.raises(Unreadable, match=words):
        read_table(tmp_path / "table")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"id,question\nk1,q\n", "has no column answer, department, region, authorised"),
        (f"{HEADER},id\n".encode(), "has the column id twice"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "neither text nor an Excel file"),
        (b"PK\x03\x04 but no workbook", "is not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0 old", "old Excel"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (b'[{"id": "k1"}]', "is no JSONL"),
        (f'{HEADER}\nk1,"never closed,a,d,r,yes\n'.encode(), "is no CSV from line 2 on"),
        (TEXT.encode().replace("卡".encode(), "卡".encode()[:2], 1) * 3, "line 2 holds bytes"),
    ],
)
def test_what_is_no_table_is_said_in_a_sentence(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=words):
        read_table(written(tmp_path, content))


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_a_million_rows_are_refused_before_they_are_held(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"million.{form}"
    write = {"csv": _long_csv, "xlsx": _long_excel, "jsonl": _long_jsonl}[form]
    write(path, 1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match="more than 200,000 rows"):
            read_table(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 2**20


def _long_csv(path: Path, rows: int) -> None:
    path.write_text(f"{HEADER}\n" + "k,q,a,d,r,no\n" * rows)


def _long_jsonl(path: Path, rows: int) -> None:
    path.write_text('{"id": "k"}\n' * rows)


def _long_excel(path: Path, rows: int) -> None:
    book, _ = sheet()
    book.save(path)
    row = b"<row><c><v>1</v></c></row>"
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for name, content in parts.items():
            if name == "xl/worksheets/sheet1.xml":
                content = content.replace(b"</sheetData>", row * rows + b"</sheetData>")
            new.writestr(name, content)
