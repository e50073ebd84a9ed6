"""A file of offices as people keep it, CSV or Excel, and a file that is read again the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from openpyxl import Workbook

from contracts.requests import Office
from services.knowledge.directory.rows import COLUMNS, REQUIRED_COLUMNS, guarded_row
from services.knowledge.files.cells import unguarded
from services.knowledge.files.rows import EXTRA, Numbered
from services.knowledge.files.table import Line, Unreadable, header_of
from services.knowledge.files.workbook import workbook_lines

MOST_BYTES = 8 * 2**20
"""A directory is a short list: a longer file is something else."""
ENDINGS = (".csv", ".xlsx")


def read_office_file(path: Path) -> list[Numbered]:
    """The rows that are not empty. Raises Unreadable; OSError where it cannot be opened."""
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable("is larger than 8 MB: that is no directory of offices")
    content = path.read_bytes()
    lines = workbook_lines(path)[1]() if content.startswith(b"PK\x03\x04") else _csv(content)
    _, names = header_of(lines, REQUIRED_COLUMNS)
    return [_row(line, names) for line in lines if any(line.cells) or line.faults]


def write_offices(path: Path, offices: Iterable[Office]) -> int:
    """Write a new file, `.csv` or `.xlsx` by its ending; how many offices it holds. Raises
    FileExistsError; KeyError where nothing of that ending is written."""
    content = {".csv": _as_csv, ".xlsx": _as_excel}[path.suffix.lower()]
    rows = [guarded_row(office) for office in offices]
    with path.open("xb") as file:
        file.write(content(rows))
    return len(rows)


def _row(line: Line, names: list[str]) -> Numbered:
    cells = {c: text for c, text in zip(names, line.cells, strict=False) if c in COLUMNS}
    if extra := "".join(line.cells[len(names) :]):
        cells[EXTRA] = extra
    faults = tuple((names[i], why) for i, why in line.faults if i < len(names))
    return Numbered(line.number, cells, faults)


def _csv(content: bytes) -> Iterator[Line]:
    if b"\x00" in content[:4096]:
        raise Unreadable("is neither text nor an Excel file (.xlsx)")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise Unreadable("is text neither in UTF-8 nor in GB18030")
    # A quote that is never closed swallows the rest of the file: strict makes it an error.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 1
    try:
        for cells in reader:
            yield Line(number, [unguarded(cell.strip()) for cell in cells])
            number = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(f"is no CSV from line {number} on ({error})") from None


def _as_csv(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    # With the mark by which Excel knows UTF-8.
    return out.getvalue().encode("utf-8-sig")


def _as_excel(rows: list[dict[str, str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("offices")
    sheet.freeze_panes = "B2"
    sheet.append(list(COLUMNS))
    for row in rows:
        sheet.append([row[column] for column in COLUMNS])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
