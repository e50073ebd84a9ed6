"""Entries → a file that an import reads again as the same entries: CSV, Excel or JSONL."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import IO

from openpyxl import Workbook

from services.knowledge.entries.entry import COLUMNS, Entry
from services.knowledge.files.cells import cleaned, guarded, joined

WRITERS = (".csv", ".xlsx", ".jsonl")
"""Endings of the files that can be written."""


def write_entries(path: Path, entries: Sequence[Entry]) -> None:
    """Write a new file in the form its ending names. In tables, a cell that a spreadsheet would
    take for a formula begins with an apostrophe. Raises FileExistsError; KeyError where nothing of
    that ending is written."""
    write = {".csv": _csv, ".xlsx": _excel, ".jsonl": _jsonl}[path.suffix.lower()]
    with path.open("xb") as file:
        write(file, entries)


def of_day(entries: Iterable[Entry], day: date) -> list[Entry]:
    """One writing an entry: the one that counts on a day or, where none does yet, the next."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.id not in found or (entry.takes_effect or day) <= day:
            found[entry.id] = entry
    return list(found.values())


def _row(entry: Entry) -> dict[str, str]:
    row = entry.row() | {"similar_questions": joined(entry.similar), "tags": joined(entry.tags)}
    return {column: guarded(cleaned(row[column])[0]) for column in COLUMNS}


def _csv(file: IO[bytes], entries: Sequence[Entry]) -> None:
    # UTF-8 with the mark by which Excel knows it.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(_row(entry) for entry in entries)
    text.detach()


def _excel(file: IO[bytes], entries: Sequence[Entry]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("entries")
    sheet.append(list(COLUMNS))
    for entry in entries:
        sheet.append(list(_row(entry).values()))
    book.save(file)


def _jsonl(file: IO[bytes], entries: Sequence[Entry]) -> None:
    for entry in entries:
        said = entry.row() | {"similar_questions": entry.similar, "tags": entry.tags}
        row = {column: value for column, value in said.items() if value}
        file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
