"""Tables as people keep them, CSV or Excel, → rows with their line numbers."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.knowledge.entries.entry import COLUMNS, REQUIRED_COLUMNS
from services.knowledge.files.rows import EXTRA, Numbered

_XLSX = b"PK\x03\x04"
csv.field_size_limit(2**20)


class Unreadable(ValueError):
    """A file that is no table of entries. The text is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds."""

    rows: tuple[Numbered, ...]
    """The rows below the header that are not empty."""
    form: str
    """How it was read: `UTF-8`, `GB18030` or `Excel`."""
    unknown: tuple[str, ...] = ()
    """Columns that were passed over, since nothing of ours has that name."""


def read_table(content: bytes) -> Table:
    """Read a table: Excel by its first bytes, else CSV in UTF-8 or, failing that, GB18030.
    Raises Unreadable."""
    if content.startswith(_XLSX):
        return _table(_excel(content), "Excel")
    if b"\x00" in content[:4096]:
        raise Unreadable("is neither text nor an Excel file (.xlsx)")
    text, form = _decoded(content)
    return _table(_csv(text), form)


def write_csv(rows: Iterable[dict[str, str]]) -> bytes:
    """A table of entries as CSV, UTF-8 with the mark by which Excel knows it."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def _decoded(content: bytes) -> tuple[str, str]:
    try:
        return content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    # GB18030 decodes nearly anything. What is UTF-8 but for a few bytes is damaged, not GB18030.
    beyond_ascii = sum(byte > 0x7F for byte in content)
    if content.decode("utf-8", errors="replace").count("\ufffd") < beyond_ascii / 10:
        raise Unreadable(f"is damaged: line {line} holds bytes that are not UTF-8")
    try:
        return content.decode("gb18030"), "GB18030"
    except UnicodeDecodeError:
        raise Unreadable("is text neither in UTF-8 nor in GB18030") from None


def _table(lines: Iterator[tuple[int, list[str]]], form: str) -> Table:
    header = next((cells for _, cells in lines if any(cells)), None)
    if header is None:
        raise Unreadable("is empty")
    header = [cell.lower() for cell in header]
    if missing := [column for column in REQUIRED_COLUMNS if column not in header]:
        raise Unreadable(f"has no column {', '.join(missing)} in its header")
    if twice := [cell for cell in dict.fromkeys(header) if cell and header.count(cell) > 1]:
        raise Unreadable(f"has the column {', '.join(twice)} twice in its header")
    unknown = tuple(cell for cell in header if cell and cell not in COLUMNS)
    rows = []
    for line, cells in lines:
        if not any(cells):
            continue
        row = {c: text for c, text in zip(header, cells, strict=False) if c in COLUMNS}
        if extra := "".join(cells[len(header) :]):
            row[EXTRA] = extra
        rows.append(Numbered(line, row))
    return Table(tuple(rows), form, unknown)


def _csv(text: str) -> Iterator[tuple[int, list[str]]]:
    # A quote that is never closed swallows the rest of the file: strict makes it an error.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, [cell.strip() for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(f"is no CSV from line {line} on ({error})") from None


def _excel(content: bytes) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError):
        raise Unreadable("is not an Excel workbook, or a damaged one") from None
    try:
        sheet = book.worksheets[0]
        for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield line, [_cell(cell) for cell in cells]
    finally:
        book.close()


def _cell(value: Any) -> str:
    """A cell of a workbook as the text it stands for."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
