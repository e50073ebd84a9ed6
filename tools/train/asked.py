"""What authors wrote to learn finding from: bases of their own, and what callers ask of them.

A folder an author: `kb.csv` (or `base.txt`, naming the table of another one), `regions.csv` and
`queries.jsonl` in the formats of `banxi eval knowledge`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.common.datafiles import DataFileError
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.regions import BadRegions, RegionTree, read_regions
from services.knowledge.files.rows import Rule, read_rows
from services.knowledge.files.table import Unreadable, read_table
from tools.evaluate.knowledge import Question
from tools.evaluate.report import read_jsonl

DAY = date(2026, 11, 22)
"""The day on which the exemplars are right: dates of their entries lie around it."""


@dataclass(frozen=True, slots=True)
class Author:
    """One author's base and questions."""

    name: str
    entries: tuple[Entry, ...]
    regions: RegionTree
    questions: tuple[Question, ...]
    """All labelled."""


def read_authors(folder: Path) -> list[Author]:
    """All authors of a folder, by name. Raises DataFileError naming file, line and field."""
    if not folder.is_dir():
        raise DataFileError(f"{folder}: there is no such folder")
    authors = [_author(place) for place in sorted(folder.iterdir()) if place.is_dir()]
    if len(authors) < 2:
        raise DataFileError(f"{folder}: the folders of at least two authors are needed")
    return authors


def digest(folder: Path) -> str:
    """A short mark of all that authors wrote in a folder."""
    summed = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.parent != folder:
            summed.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return summed.hexdigest()[:8]


def _author(folder: Path) -> Author:
    table_path = folder / "kb.csv"
    named = folder / "base.txt"
    if named.exists():
        table_path = folder / named.read_text(encoding="utf-8").strip()
    try:
        regions = read_regions((folder / "regions.csv").read_text(encoding="utf-8-sig"))
        table = read_table(table_path)
    except OSError as error:
        raise DataFileError(f"{error.filename}: cannot be read ({error.strerror})") from None
    except (BadRegions, Unreadable) as error:
        raise DataFileError(f"{folder}: {error}") from None
    taken = read_rows(table.rows, Rule(regions, unnamed=True))
    for problem in taken.problems:
        raise DataFileError(
            f"{table_path}, line {problem.line}, {problem.field or 'row'}: {problem.message}"
        )
    path = folder / "queries.jsonl"
    questions, bad = read_jsonl(path, Question)
    for line in bad:
        raise DataFileError(f"{path}, line {line.line}: {line.message}")
    _check(path, questions, {entry.id for entry in taken.entries})
    return Author(folder.name, taken.entries, regions, tuple(questions))


def _check(path: Path, questions: Sequence[Question], ids: set[str]) -> None:
    for number, question in enumerate(questions, 1):
        expected = question.expect
        if expected is None:
            raise DataFileError(f"{path}, line {number}, expect: is missing")
        if expected.kind != "none" and expected.id not in ids:
            raise DataFileError(f"{path}, line {number}, expect.id: is no entry of the base")
