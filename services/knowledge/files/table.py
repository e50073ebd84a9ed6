"""A file of entries as people keep it → rows with their line numbers, one after the other.

A file is read twice: once to see what it is, how long, and whether it can be read at all, and then
row by row. So a file that is far too long is refused before anything of it is held.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.requests.imports import MOST_ROWS
from services.knowledge.entries.entry import COLUMNS, REQUIRED_COLUMNS
from services.knowledge.files.cells import unguarded
from services.knowledge.files.rows import EXTRA, Numbered

PIECE = 2**20
"""Bytes read at a time."""
csv.field_size_limit(PIECE)


class Unreadable(ValueError):
    """A file that is no table of entries. The text is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: its cells as text."""

    number: int
    """In the file, counted from 1."""
    cells: Sequence[str]
    faults: tuple[tuple[int, str], ...] = ()
    """Place of a cell that could not be read, counted from 0, and why."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds."""

    rows: Iterable[Numbered]
    """The rows that are not empty, read anew each time: one after the other, none is held."""
    count: int
    """How many they are."""
    form: str
    """How it is read: `UTF-8`, `GB18030`, `Excel` or `JSONL`."""
    unknown: tuple[str, ...] = ()
    """Columns that are passed over, since nothing of ours has that name."""


@dataclass(frozen=True, slots=True)
class Again:
    """Something that can be gone through several times, made anew each time."""

    begin: Callable[[], Iterator[Numbered]]

    def __iter__(self) -> Iterator[Numbered]:
        return self.begin()


def read_table(path: Path) -> Table:
    """See what a file is: Excel by its first bytes, JSONL by its first character, else CSV in UTF-8
    or, failing that, GB18030. Raises Unreadable, also later, while its rows are read; OSError where
    it cannot be opened."""
    from services.knowledge.files.jsonl import jsonl_table
    from services.knowledge.files.workbook import workbook_lines

    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(b"PK\x03\x04"):
        count, lines = workbook_lines(path)
        return table_of(lines, "Excel", count)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable("is a workbook of an old Excel (.xls): save it as .xlsx")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable("is text in UTF-16: save it as CSV in UTF-8")
    if b"\x00" in start:
        raise Unreadable("is neither text nor an Excel file (.xlsx)")
    form = _encoding(path)
    if start.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"["):
        return jsonl_table(path, form)
    return table_of(lambda: _csv(path, form), form)


def too_many() -> Unreadable:
    """What is said of a file that is too long."""
    return Unreadable(f"has more than {MOST_ROWS:,} rows, the most an import takes: split it")


def table_of(begin: Callable[[], Iterator[Line]], form: str, count: int | None = None) -> Table:
    """A table of lines whose first one that is not empty is the header. `count`: its rows, where
    they were counted already."""
    header, names = header_of(begin(), REQUIRED_COLUMNS)
    unknown = tuple(cell for cell in names if cell and cell not in COLUMNS)
    rows = Again(lambda: _rows(begin(), names, header))
    if count is None:
        count = 0
        for count, _ in enumerate(rows, start=1):
            if count > MOST_ROWS:
                raise too_many()
    else:
        count -= 1  # the header
    return Table(rows, count, form, unknown)


def header_of(lines: Iterator[Line], required: Iterable[str]) -> tuple[int, list[str]]:
    """The header of a table, which is its first line that is not empty: its number, and the names
    of its columns. Raises Unreadable where a required one is missing, or one stands twice."""
    header = next((line for line in lines if any(line.cells)), None)
    if header is None:
        raise Unreadable("is empty")
    names = [cell.lower() for cell in header.cells]
    if missing := [column for column in required if column not in names]:
        raise Unreadable(f"has no column {', '.join(missing)} in its header")
    if twice := [cell for cell in dict.fromkeys(names) if cell and names.count(cell) > 1]:
        raise Unreadable(f"has the column {', '.join(twice)} twice in its header")
    return header.number, names


def _rows(lines: Iterator[Line], names: Sequence[str], header: int) -> Iterator[Numbered]:
    for line in lines:
        if line.number <= header or not (any(line.cells) or line.faults):
            continue
        row = {c: text for c, text in zip(names, line.cells, strict=False) if c in COLUMNS}
        if extra := "".join(line.cells[len(names) :]):
            row[EXTRA] = extra
        faults = tuple(
            (names[place], why)
            for place, why in line.faults
            if place < len(names) and names[place] in COLUMNS
        )
        yield Numbered(line.number, row, faults)


def _encoding(path: Path) -> str:
    """`UTF-8` or `GB18030`. Raises Unreadable."""
    line = _undecodable(path, "utf-8")
    if line is None:
        return "UTF-8"
    # GB18030 decodes nearly anything. What is UTF-8 but for a few bytes is damaged, not GB18030.
    replaced = beyond_ascii = 0
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    for piece in _pieces(path):
        beyond_ascii += len(piece) - len(piece.translate(None, _BEYOND_ASCII))
        replaced += decoder.decode(piece).count("\ufffd")
    if replaced < beyond_ascii / 10:
        raise Unreadable(f"is damaged: line {line} holds bytes that are not UTF-8")
    if _undecodable(path, "gb18030") is not None:
        raise Unreadable("is text neither in UTF-8 nor in GB18030")
    return "GB18030"


_BEYOND_ASCII = bytes(range(128, 256))


def _undecodable(path: Path, encoding: str) -> int | None:
    """The first line that is not in this encoding; None where all are."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    try:
        for piece in _pieces(path):
            decoder.decode(piece)
            line += piece.count(b"\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return line + error.object.count(b"\n", 0, error.start)
    return None


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _csv(path: Path, form: str) -> Iterator[Line]:
    encoding = "utf-8-sig" if form == "UTF-8" else form
    # A quote that is never closed swallows the rest of the file: strict makes it an error.
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, strict=True)
        number = 1
        try:
            for cells in reader:
                yield Line(number, [unguarded(cell.strip()) for cell in cells])
                number = reader.line_num + 1
        except csv.Error as error:
            raise Unreadable(f"is no CSV from line {number} on ({error})") from None
