"""JSONL: one object a line, its fields named as the columns of a table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.requests.imports import MOST_ROWS
from services.knowledge.entries.entry import COLUMNS
from services.knowledge.files.cells import joined
from services.knowledge.files.rows import MOST, Numbered
from services.knowledge.files.table import PIECE, Again, Table, Unreadable, too_many


def jsonl_table(path: Path, encoding: str) -> Table:
    """A file of JSON objects. Raises Unreadable where it holds none."""
    count = objects = 0
    unknown: dict[str, None] = {}
    for _, found in _objects(path, encoding):
        count += 1
        if count > MOST_ROWS:
            raise too_many()
        if isinstance(found, dict):
            objects += 1
            unknown |= dict.fromkeys(name for name in found if name not in COLUMNS)
    if not objects:
        raise Unreadable('is no JSONL: write one object a line, {"id": …, "question": …}')
    rows = Again(lambda: (_row(line, found) for line, found in _objects(path, encoding)))
    return Table(rows, count, "JSONL", tuple(unknown)[:20])


def _objects(path: Path, encoding: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Line and object, or what is wrong with the line; empty lines are passed over."""
    name = "utf-8-sig" if encoding == "UTF-8" else encoding
    with path.open(encoding=name, newline="\n") as file:
        number = 0
        while text := file.readline(PIECE):
            number += 1
            if len(text) == PIECE and not text.endswith("\n"):
                raise Unreadable(f"has a line {number} of more than {PIECE:,} characters")
            if text.strip():
                yield number, _object(text)


def _object(text: str) -> dict[str, Any] | str:
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        return str(error) if isinstance(error, _Twice) else "is no JSON object on one line"
    if "\\u" in text and _HALF.search(json.dumps(found, ensure_ascii=False)):
        return "holds half a character (\\ud800 to \\udfff): write it whole"
    return found if isinstance(found, dict) else "is no JSON object on one line"


_HALF = re.compile("[\ud800-\udfff]")
"""JSON can name them; no message and no database takes them."""


class _Twice(ValueError):
    """An object that names a field twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice("names a field twice")
    return found


def _row(line: int, found: dict[str, Any] | str) -> Numbered:
    if isinstance(found, str):
        return Numbered(line, {}, (("", found),))
    cells: dict[str, str] = {}
    faults: list[tuple[str, str]] = []
    for column, value in found.items():
        if column not in COLUMNS:
            continue
        text = _text(column, value)
        if text is None:
            faults.append((column, "holds a list or an object, not a text"))
        else:
            cells[column] = text
    return Numbered(line, cells, tuple(faults))


def _text(column: str, value: Any) -> str | None:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value)
    if column in MOST and isinstance(value, list) and all(isinstance(v, str) for v in value):
        return joined(value)
    return None
