"""Rows of a table → offices, and back. Pure. Bad rows are named with line and column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from contracts.requests import Office, RowProblem
from services.knowledge.entries.regions import RegionTree
from services.knowledge.files.cells import cleaned, guarded, joined, one_line, parted
from services.knowledge.files.rows import EXTRA, Numbered

COLUMNS = (
    "id",
    "name",
    "aliases",
    "region",
    "phone",
    "address",
    "hours",
    "liaison",
    "liaison_phone",
)
"""Columns of a table of offices, in the order they are written."""
REQUIRED_COLUMNS = ("id", "name", "region")
LONGEST = {"id": 40, "name": 100}
"""Characters a column may hold."""
LONGEST_OTHER = 200
MOST_ALIASES = 20
ID = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class TakenOffices:
    """What became of rows."""

    offices: tuple[Office, ...]
    """The good ones, in order."""
    problems: tuple[RowProblem, ...]
    """What is wrong with the others; a row may have several."""


def read_offices(rows: Iterable[Numbered], regions: RegionTree) -> TakenOffices:
    """Read rows. Empty rows are passed over; of rows with the same id the first is taken."""
    offices: list[Office] = []
    problems: list[RowProblem] = []
    lines: dict[str, int] = {}
    for row in rows:
        if not row.faults and not any(cell.strip() for cell in row.cells.values()):
            continue
        cells = {column: one_line(_text(row, column)) for column in COLUMNS}
        aliases = parted(_text(row, "aliases"))
        bad = [RowProblem(line=row.line, field=f, message=m) for f, m in row.faults]
        bad += [
            RowProblem(line=row.line, field=f, message=m)
            for f, m in _wrong(cells, aliases, regions)
        ]
        if row.cells.get(EXTRA):
            said = "has more cells than the header: is a comma not quoted?"
            bad.append(RowProblem(line=row.line, field="", message=said))
        if not bad and cells["id"] in lines:
            said = f"{cells['id']} stands on line {lines[cells['id']]} already"
            bad.append(RowProblem(line=row.line, field="id", message=said))
        if bad:
            problems += bad
            continue
        lines[cells["id"]] = row.line
        rest = {column: cells[column] for column in COLUMNS if column not in ("id", "aliases")}
        offices.append(Office(office_id=cells["id"], aliases=aliases, **rest))
    return TakenOffices(tuple(offices), tuple(problems))


def wrong_with(office: Office, regions: RegionTree) -> tuple[str, str] | None:
    """What is wrong with an office that an editor writes: column and why."""
    cells = office_row(office)
    found = _wrong({c: cells[c] for c in COLUMNS}, office.aliases, regions)
    return found[0] if found else None


def office_row(office: Office) -> dict[str, str]:
    """An office as a row of a table: column → text."""
    return {
        "id": office.office_id,
        "name": office.name,
        "aliases": joined(office.aliases),
        "region": office.region,
        "phone": office.phone,
        "address": office.address,
        "hours": office.hours,
        "liaison": office.liaison,
        "liaison_phone": office.liaison_phone,
    }


def guarded_row(office: Office) -> dict[str, str]:
    """As `office_row`, so that no spreadsheet runs a cell of it."""
    return {column: guarded(cleaned(text)[0]) for column, text in office_row(office).items()}


def _text(row: Numbered, column: str) -> str:
    return cleaned(row.cells.get(column, ""))[0]


def _wrong(
    cells: dict[str, str], aliases: tuple[str, ...], regions: RegionTree
) -> list[tuple[str, str]]:
    found = [(column, "is empty") for column in REQUIRED_COLUMNS if not cells[column]]
    for column in COLUMNS:
        most = LONGEST.get(column, LONGEST_OTHER)
        if column != "aliases" and len(cells[column]) > most:
            found.append((column, f"has {len(cells[column]):,} characters, at most {most} taken"))
    if cells["id"] and not ID.fullmatch(cells["id"]):
        found.append(("id", "may hold letters, digits, . _ and - only"))
    if cells["region"] and cells["region"] not in regions:
        found.append(("region", f"{cells['region'][:20]} is not in the table of regions"))
    if len(aliases) > MOST_ALIASES or any(len(alias) > LONGEST_OTHER for alias in aliases):
        found.append(
            ("aliases", f"takes {MOST_ALIASES} at most, each of {LONGEST_OTHER} characters")
        )
    if not (cells["phone"] or cells["address"] or cells["hours"] or cells["liaison"]):
        found.append(("phone", "is empty, and address, hours and liaison too: say one of them"))
    return found
