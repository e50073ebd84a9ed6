"""Excel workbooks: what the cells of the first sheet stand for.

The sheet is looked through before openpyxl opens the book, for what openpyxl does not tell while
it reads row by row: how many rows hold something, which cells are merged, and which formulas have
no result in the file.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.parsers import expat

from openpyxl import load_workbook
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries
from openpyxl.utils.exceptions import InvalidFileException

from contracts.requests.imports import MOST_ROWS
from services.knowledge.files.cells import unguarded
from services.knowledge.files.table import PIECE, Line, Unreadable, too_many

MOST_BYTES = 2**30
"""A workbook may be so large unpacked."""
MOST_TEXTS = 2**28
"""Bytes that the table of its texts may have, which is held as a whole."""
MOST_HELD = 2**26
"""Bytes that the other parts together may have which are held as a whole: styles and the like."""
LAST_ROW = 2**20
"""The last row a sheet of Excel has."""
MOST_ACROSS = 10**6
"""Cells that may be merged with others beside them."""
WIDEST = 200
"""Columns that are looked at."""
NO_WORKBOOK = "is not an Excel workbook, or a damaged one"
NO_RESULT = "holds a formula without a result: open the file in Excel and save it, or write a value"
ACROSS = "is merged with the cell beside it: split them"


@dataclass(slots=True)
class _Sheet:
    """What a look through a sheet finds; rows and columns counted from 1."""

    count: int = 0
    """Rows that hold something."""
    last_row: int = 0
    last_column: int = 0
    without_result: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Row → columns of formulas without a result."""
    downwards: dict[int, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    """First row of a merge within a column → its column and last row."""
    across: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Row → columns that are merged with others beside them."""


def workbook_lines(path: Path) -> tuple[int, Callable[[], Iterator[Line]]]:
    """How many rows of the first sheet hold something, and what gives them as lines. A merge within
    one column: its value counts for each of its rows. Raises Unreadable."""
    try:
        with zipfile.ZipFile(path) as book:
            if sum(part.file_size for part in book.infolist()) > MOST_BYTES:
                raise too_many()
            if sum(part.file_size for part in book.infolist() if _is_held(part)) > MOST_HELD:
                raise Unreadable(NO_WORKBOOK)
            sheet = _look_through(book, _first_sheet(book))
            if _size(book, "xl/sharedStrings.xml") > MOST_TEXTS:
                raise Unreadable("holds more text than an import takes: split it")
    except Unreadable:
        raise
    except (zipfile.BadZipFile, LookupError, expat.ExpatError, ValueError, zlib.error):
        raise Unreadable(NO_WORKBOOK) from None
    return sheet.count, lambda: _lines(path, sheet)


def _is_held(part: zipfile.ZipInfo) -> bool:
    """Whether a part is read at one go; sheets are not, and texts have a bound of their own."""
    folder, name = posixpath.split(part.filename)
    return (
        name.endswith((".xml", ".rels"))
        and name != "sharedStrings.xml"
        and folder in ("", "_rels", "docProps", "xl", "xl/_rels", "xl/theme")
    )


def _size(book: zipfile.ZipFile, name: str) -> int:
    return book.getinfo(name).file_size if name in book.namelist() else 0


def _first_sheet(book: zipfile.ZipFile) -> str:
    """The part of the book that holds its first sheet."""
    targets = _targets(book, "_rels/.rels", "")
    [main] = [name for kind, name in targets.values() if kind.endswith("/officeDocument")]
    folder, name = posixpath.split(main)
    sheets = _targets(book, posixpath.join(folder, "_rels", f"{name}.rels"), folder)
    for attributes in _elements(book, main, "sheet"):
        kind, part = sheets[next(v for k, v in attributes.items() if k.endswith(" id"))]
        if kind.endswith("/worksheet"):
            return part
    raise KeyError(main)


def _targets(book: zipfile.ZipFile, name: str, folder: str) -> dict[str, tuple[str, str]]:
    """Id of a relation → its kind, and the part of the book it leads to."""
    found = {}
    for attributes in _elements(book, name, "Relationship"):
        target = attributes["Target"]
        part = target[1:] if target.startswith("/") else posixpath.join(folder, target)
        found[attributes["Id"]] = (attributes["Type"], posixpath.normpath(part))
    return found


def _elements(book: zipfile.ZipFile, part: str, name: str) -> list[dict[str, str]]:
    """The attributes of the elements of one name in a part of the book."""
    found: list[dict[str, str]] = []

    def start(element: str, attributes: dict[str, str]) -> None:
        if element.rpartition(" ")[2] == name:
            found.append(attributes)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    _parse(book, part, parser)
    return found


def _parse(book: zipfile.ZipFile, part: str, parser: expat.XMLParserType) -> None:
    with book.open(part) as file:
        while piece := file.read(PIECE):
            parser.Parse(piece, False)
        parser.Parse(b"", True)


class _Looker:
    """Hears the elements of a sheet one after the other."""

    def __init__(self) -> None:
        self.sheet = _Sheet()
        self._row = 0
        self._column = 0
        self._across = 0
        self._kind = ""
        self._formula = self._value = self._within = self._filled = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(" ")[2]:
            case "row":
                self._row = int(attributes.get("r", self._row + 1))
                if not 0 < self._row <= LAST_ROW:
                    raise ValueError(self._row)
                self._column = 0
                self._filled = False
            case "c":
                place = attributes.get("r")
                self._column = coordinate_to_tuple(place)[1] if place else self._column + 1
                self._kind = attributes.get("t", "")
                self._formula = self._value = False
            case "f":
                self._formula = True
            case "v" | "t":
                self._within = True
                # An empty text is a result, too.
                self._value = self._value or self._kind == "str"
            case "mergeCell":
                self._merge(attributes["ref"])

    def text(self, text: str) -> None:
        if self._within and text:
            self._value = True

    def end(self, name: str) -> None:
        match name.rpartition(" ")[2]:
            case "v" | "t":
                self._within = False
            case "c" if self._value or self._formula:
                self._filled = True
                self.sheet.last_row = self._row
                self.sheet.last_column = max(self.sheet.last_column, self._column)
                if not self._value:
                    self.sheet.without_result[self._row].append(self._column)
            case "row" if self._filled:
                self.sheet.count += 1
                if self.sheet.count > MOST_ROWS + 1:
                    raise too_many()

    def _merge(self, reference: str) -> None:
        left, top, right, bottom = range_boundaries(reference)
        if not (left and top and right and bottom):
            raise ValueError(reference)
        bottom = min(bottom, self.sheet.last_row)  # merges stand behind all rows
        if left == right:
            self.sheet.downwards[top][left] = bottom
            return
        right = min(right, WIDEST)
        self._across += max(0, bottom + 1 - top) * max(0, right + 1 - left)
        if self._across > MOST_ACROSS:
            raise Unreadable("has too many merged cells: split them")
        for row in range(top, bottom + 1):
            self.sheet.across[row].update(range(left, right + 1))


def _look_through(book: zipfile.ZipFile, part: str) -> _Sheet:
    looker = _Looker()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = looker.start
    parser.EndElementHandler = looker.end
    parser.CharacterDataHandler = looker.text
    _parse(book, part, parser)
    return looker.sheet


def _lines(path: Path, sheet: _Sheet) -> Iterator[Line]:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError):
        raise Unreadable(NO_WORKBOOK) from None
    merged: dict[int, tuple[int, str]] = {}
    try:
        found = book.worksheets[0]
        found.reset_dimensions()
        width = min(sheet.last_column, WIDEST)
        rows = found.iter_rows(max_row=sheet.last_row, max_col=width, values_only=True)
        for number, values in enumerate(rows, start=1):
            cells, faults = _cells(values)
            faults += [(c - 1, NO_RESULT) for c in sheet.without_result.get(number, ())]
            faults += [(c - 1, ACROSS) for c in sheet.across.get(number, ())] if any(cells) else []
            for column, bottom in sheet.downwards.get(number, {}).items():
                if column <= len(cells):
                    merged[column] = (bottom, cells[column - 1])
            if any(cells):
                _fill(cells, number, merged)
            yield Line(number, cells, tuple(sorted(faults)))
    finally:
        book.close()


def _fill(cells: list[str], number: int, merged: dict[int, tuple[int, str]]) -> None:
    """Put the value of a merge into each of its rows."""
    for column, (bottom, text) in list(merged.items()):
        if number > bottom:
            del merged[column]
        elif column <= len(cells):
            cells[column - 1] = text


def _cells(values: tuple[Any, ...]) -> tuple[list[str], list[tuple[int, str]]]:
    faults = []
    cells = []
    for place, value in enumerate(values):
        if isinstance(value, str) and value in ERROR_CODES:
            faults.append((place, f"holds {value}, an error of the spreadsheet"))
        cells.append(_cell(value))
    return cells, faults


def _cell(value: Any) -> str:
    """A cell of a workbook as the text it stands for."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return unguarded(str(value).strip())
