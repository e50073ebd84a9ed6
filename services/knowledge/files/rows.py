"""Rows of a table → entries. Pure. Bad rows are named with line and field, good ones kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.requests import RowProblem
from services.knowledge.entries.entry import REQUIRED_COLUMNS, SEPARATOR, Entry
from services.knowledge.entries.regions import RegionTree

LONGEST = {"id": 64, "question": 300, "answer": 3000, "department": 100}
"""Characters a column may hold."""
LONGEST_OTHER = 200
MOST_SIMILAR = 50
EXTRA = ""
"""The column under which a reader hands over cells beyond the header."""

_YES = {"yes": True, "是": True, "no": False, "否": False}
NOBODY = "marked authorised, but nobody is named: give --authorised-by"


@dataclass(frozen=True, slots=True)
class Rule:
    """What rows are read by."""

    regions: RegionTree
    """Regions an entry may have."""
    authorised_by: str | None = None
    """Who authorised the rows that are marked authorised and name nobody."""
    unnamed: bool = False
    """Whether rows marked authorised that name nobody are kept as they are (not recorded): only for
    the sample base and for evaluations, never for an import."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row and its line in the file, counted from 1."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of rows."""

    entries: tuple[Entry, ...]
    """The good ones, in order."""
    problems: tuple[RowProblem, ...]
    """What is wrong with the others, in order; a row may have several."""


def numbered(rows: Iterable[Mapping[str, str]], first_line: int) -> list[Numbered]:
    """Number rows that stand one below the other."""
    return [Numbered(first_line + i, cells) for i, cells in enumerate(rows)]


def read_rows(rows: Sequence[Numbered], rule: Rule) -> Taken:
    """Read rows. Empty rows are passed over; of rows with the same id the first is taken."""
    entries: list[Entry] = []
    problems: list[RowProblem] = []
    first: dict[str, int] = {}
    for row in rows:
        if not any(cell.strip() for cell in row.cells.values()):
            continue
        reading = _Reading(row, rule)
        entry = reading.entry()
        problems += reading.problems
        if entry is None:
            continue
        if entry.id in first:
            said = f"{entry.id} stands on line {first[entry.id]} already"
            problems.append(RowProblem(line=row.line, field="id", message=said))
            continue
        first[entry.id] = row.line
        entries.append(entry)
    return Taken(tuple(entries), tuple(problems))


class _Reading:
    """One row being read: collects what is wrong with it."""

    def __init__(self, row: Numbered, rule: Rule) -> None:
        self._cells = row.cells
        self._line = row.line
        self._rule = rule
        self.problems: list[RowProblem] = []

    def entry(self) -> Entry | None:
        """The entry, or None where the row has problems."""
        authorised = self._authorised()
        required = [c for c in REQUIRED_COLUMNS if c not in ("authorised", "answer")]
        if authorised is not False:
            required.append("answer")
        for column in required:
            if not self._cell(column):
                self._bad(column, "is empty")
        if self._cells.get(EXTRA):
            self._bad("", "has more cells than the header: is a comma not quoted?")
        region = self._cell("region")
        if region and region not in self._rule.regions:
            self._bad("region", f"{region} is not in the table of regions")
        valid_from, valid_to = self._day("valid_from"), self._day("valid_to")
        if valid_from and valid_to and valid_to < valid_from:
            self._bad("valid_to", f"{valid_to} is before valid_from {valid_from}")
        similar = tuple(
            dict.fromkeys(
                part.strip()
                for part in self._text("similar_questions").split(SEPARATOR)
                if part.strip()
            )
        )
        self._see_similar(similar)
        authorised_by = self._cell("authorised_by") or None
        authorised_at = self._day("authorised_at")
        if authorised and authorised_by is None:
            authorised_by = self._rule.authorised_by
            if authorised_by is None and not self._rule.unnamed:
                self._bad("authorised_by", NOBODY)
        entry = Entry(
            id=self._cell("id"),
            question=self._cell("question"),
            answer=self._cell("answer"),
            department=self._cell("department"),
            region=region,
            authorised=bool(authorised),
            valid_from=valid_from,
            valid_to=valid_to,
            similar=similar,
            authorised_by=authorised_by,
            authorised_at=authorised_at,
            version=self._cell("version") or None,
            document=self._cell("document") or None,
            liaison=self._cell("liaison") or None,
            phone=self._cell("phone") or None,
        )
        return None if self.problems else entry

    def _text(self, column: str) -> str:
        return (self._cells.get(column) or "").replace("\x00", "").strip()

    def _cell(self, column: str) -> str:
        text = self._text(column)
        most = LONGEST.get(column, LONGEST_OTHER)
        if len(text) > most and not self._complained(column):
            self._bad(column, f"has {len(text)} characters, at most {most} are taken")
        return text

    def _authorised(self) -> bool | None:
        text = self._cell("authorised").lower()
        if text not in _YES:
            self._bad("authorised", "write yes or no" if text else "is empty: write yes or no")
            return None
        return _YES[text]

    def _day(self, column: str) -> date | None:
        text = self._cell(column)
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = None
        # fromisoformat also takes 20260131 and 2026-W05-6, which nobody means here.
        if day is None or day.isoformat() != text:
            self._bad(column, f"{text[:20]} is not a date: write it as 2026-01-31")
            return None
        return day

    def _see_similar(self, similar: tuple[str, ...]) -> None:
        if len(similar) > MOST_SIMILAR:
            self._bad(
                "similar_questions", f"holds {len(similar)}, at most {MOST_SIMILAR} are taken"
            )
        longest = max((len(text) for text in similar), default=0)
        if longest > LONGEST["question"]:
            said = f"holds one of {longest} characters, at most {LONGEST['question']} are taken"
            self._bad("similar_questions", said)

    def _complained(self, column: str) -> bool:
        return any(problem.field == column for problem in self.problems)

    def _bad(self, field: str, message: str) -> None:
        self.problems.append(RowProblem(line=self._line, field=field, message=message))
