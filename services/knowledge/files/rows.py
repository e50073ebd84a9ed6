"""Rows of a table → entries. Pure. Bad rows are named with line and field, good ones kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from contracts.call_type import INTAKES, Intake
from contracts.requests import RowNote, RowProblem
from services.knowledge.entries.entry import REQUIRED_COLUMNS, Entry
from services.knowledge.entries.regions import RegionTree
from services.knowledge.files.cells import cleaned, one_line, parted, read_date

LONGEST = {"id": 64, "question": 300, "answer": 3000, "department": 100, "region": 100}
"""Characters a column may hold."""
LONGEST_OTHER = 200
MOST = {"similar_questions": (50, 300), "tags": (20, 30)}
"""Texts a column of several may hold, and characters of each."""
FAR = 32_000
"""Characters from which a cell of several texts is not read at all; an eighth of it for others."""
EXTRA = ""
"""The column under which a reader hands over cells beyond the header."""
NOBODY = "marked authorised, but nobody is named: give --authorised-by"

_YES = {"yes": True, "是": True, "no": False, "否": False}
_OTHERS_IDS = re.compile(r"(office|wording)[-:]", re.IGNORECASE)
_HTML = re.compile(r"<[a-zA-Z/!]")


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
    faults: tuple[tuple[str, str], ...] = ()
    """Column and what is wrong with the cell, where the reader of the file could not read it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of rows."""

    entries: tuple[Entry, ...]
    """The good ones, in order."""
    problems: tuple[RowProblem, ...] = ()
    """What is wrong with the others, in order; a row may have several."""
    notes: tuple[RowNote, ...] = ()
    """What was made of good rows that their keepers should know."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Id → line of the good rows."""


def bounded(row: Numbered) -> Numbered:
    """A row of which no cell is far beyond what is taken: one that is becomes a fault, so that a
    message holds the row."""
    cells, faults = dict(row.cells), list(row.faults)
    for column, text in row.cells.items():
        if column == EXTRA:
            cells[column] = text[:LONGEST_OTHER]
        elif len(text) > (FAR if column in MOST else FAR // 8):
            most = LONGEST.get(column, LONGEST_OTHER)
            taken = f"at most {most:,} are taken"
            if column in MOST:
                taken = "at most {} of {} each are taken".format(*MOST[column])
            faults.append((column, f"has {len(text):,} characters, {taken}"))
            cells[column] = ""
    return Numbered(row.line, cells, tuple(faults))


def read_rows(rows: Iterable[Numbered], rule: Rule) -> Taken:
    """Read rows. Empty rows are passed over; of rows with the same id the first good one is
    taken, the others are named."""
    entries: list[Entry] = []
    problems: list[RowProblem] = []
    notes: list[RowNote] = []
    lines: dict[str, int] = {}
    for row in rows:
        if not row.faults and not any(cell.strip() for cell in row.cells.values()):
            continue
        reading = _Reading(row, rule)
        entry = reading.entry()
        problems += reading.problems
        if entry is None:
            continue
        if entry.id in lines:
            said = f"{entry.id} stands on line {lines[entry.id]} already"
            problems.append(RowProblem(line=row.line, field="id", message=said))
            continue
        lines[entry.id] = row.line
        entries.append(entry)
        notes += reading.notes
    return Taken(tuple(entries), tuple(problems), tuple(notes), lines)


class _Reading:
    """One row being read: collects what is wrong with it."""

    def __init__(self, row: Numbered, rule: Rule) -> None:
        self._line = row.line
        self._rule = rule
        self._cells: dict[str, str] = {}
        self.problems: list[RowProblem] = []
        self.notes: list[RowNote] = []
        for column, message in row.faults:
            self._bad(column, message)
        for column, text in row.cells.items():
            self._cells[column], unseen = cleaned(text)
            if unseen:
                said = f"characters that nobody can see were taken out: {unseen}"
                self.notes.append(RowNote(line=row.line, field=column, message=said))

    def entry(self) -> Entry | None:
        """The entry, or None where the row has problems."""
        authorised = self._yes("authorised")
        required = [c for c in REQUIRED_COLUMNS if c not in ("authorised", "answer")]
        if authorised is not False:
            required.append("answer")
        for column in required:
            if not self._cell(column) and not self._complained(column):
                self._bad(column, "is empty")
        if self._cells.get(EXTRA):
            self._bad("", "has more cells than the header: is a comma not quoted?")
        if _OTHERS_IDS.match(self._cell("id")):
            self._bad("id", "begins like those of the directory and of agreed wordings: change it")
        region = self._cell("region")
        if region and region not in self._rule.regions:
            self._bad("region", f"{region[:20]} is not in the table of regions")
        valid_from, valid_to = self._day("valid_from"), self._day("valid_to")
        if valid_from and valid_to and valid_to < valid_from:
            self._bad("valid_to", f"{valid_to} is before valid_from {valid_from}")
        authorised_by = self._cell("authorised_by") or None
        if authorised and authorised_by is None:
            authorised_by = self._rule.authorised_by
            if authorised_by is None and not self._rule.unnamed:
                self._bad("authorised_by", NOBODY)
        confidential = self._yes("confidential", empty=False)
        if authorised and confidential:
            said = "is yes: then no answer can be authorised, write no under authorised"
            self._bad("confidential", said)
        if _HTML.search(self._text("answer")):
            said = "holds HTML: it is shown as the text it is"
            self.notes.append(RowNote(line=self._line, field="answer", message=said))
        entry = Entry(
            id=self._cell("id"),
            question=self._cell("question"),
            answer=self._cell("answer"),
            department=self._cell("department"),
            region=region,
            authorised=bool(authorised),
            valid_from=valid_from,
            valid_to=valid_to,
            similar=self._several("similar_questions"),
            authorised_by=authorised_by,
            authorised_at=self._day("authorised_at"),
            version=self._cell("version") or None,
            document=self._cell("document") or None,
            liaison=self._cell("liaison") or None,
            phone=self._cell("phone") or None,
            intake=self._intake(),
            tags=self._several("tags"),
            confidential=bool(confidential),
        )
        return None if self.problems else entry

    def _text(self, column: str) -> str:
        return self._cells.get(column, "")

    def _cell(self, column: str) -> str:
        text = self._text(column)
        if column != "answer":
            text = one_line(text)
        most = LONGEST.get(column, LONGEST_OTHER)
        if len(text) > most and not self._complained(column):
            self._bad(column, f"has {len(text):,} characters, at most {most:,} are taken")
        return text

    def _yes(self, column: str, *, empty: bool | None = None) -> bool | None:
        """Whether a column says yes. `empty`: what an empty cell says; None = it is missing."""
        text = self._cell(column).lower()
        if not text and empty is not None:
            return empty
        if text not in _YES:
            if not self._complained(column):
                self._bad(column, "write yes or no" if text else "is empty: write yes or no")
            return None
        return _YES[text]

    def _day(self, column: str) -> date | None:
        text = self._cell(column)
        if not text or self._complained(column):
            return None
        try:
            return read_date(text)
        except ValueError as error:
            self._bad(column, f"{text[:20]} {error}")
            return None

    def _intake(self) -> Intake | None:
        text = self._cell("intake")
        if not text:
            return None
        if text not in INTAKES:
            self._bad("intake", f"{text[:20]} is none of {', '.join(INTAKES)}")
            return None
        return text

    def _several(self, column: str) -> tuple[str, ...]:
        """The texts of a column that holds several."""
        items = parted(self._text(column))
        most, longest = MOST[column]
        if len(items) > most:
            self._bad(column, f"holds {len(items)}, at most {most} are taken")
        size = max(map(len, items), default=0)
        if size > longest:
            said = f"holds one of {size:,} characters, at most {longest} are taken"
            self._bad(column, said)
        return items

    def _complained(self, column: str) -> bool:
        return any(problem.field == column for problem in self.problems)

    def _bad(self, field: str, message: str) -> None:
        self.problems.append(RowProblem(line=self._line, field=field, message=message))
