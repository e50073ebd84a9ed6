"""The tree of regions: what applies to a region applies to all below it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass


class BadRegions(ValueError):
    """A table of regions that is no tree. The text names the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class RegionTree:
    """Regions and what each lies in."""

    parents: Mapping[str, str | None]
    """Region → the region it lies in; None for the topmost."""

    def __contains__(self, name: str) -> bool:
        return name in self.parents

    def chain(self, name: str) -> tuple[str, ...]:
        """The region itself and all it lies in, nearest first. A region the tree does not know
        lies in nothing: only entries of exactly that name apply there."""
        found = [name]
        while (above := self.parents.get(found[-1])) is not None:
            found.append(above)
        return tuple(found)


def read_regions(text: str) -> RegionTree:
    """Read a table `name,parent` (parent empty for the topmost). Raises BadRegions."""
    table = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    header = [cell.strip() for cell in next(table, [])]
    if header[:2] != ["name", "parent"]:
        raise BadRegions("line 1: the header must be name,parent")
    parents: dict[str, str | None] = {}
    lines: dict[str, int] = {}
    for row in table:
        if not any(cell.strip() for cell in row):
            continue
        name = row[0].strip()
        if not name:
            raise BadRegions(f"line {table.line_num}: name is empty")
        if name in parents:
            raise BadRegions(f"line {table.line_num}: {name} stands on line {lines[name]} already")
        parents[name] = (row[1].strip() if len(row) > 1 else "") or None
        lines[name] = table.line_num
    if not parents:
        raise BadRegions("line 1: there is no region below the header")
    for name, parent in parents.items():
        if parent is not None and parent not in parents:
            raise BadRegions(f"line {lines[name]}: parent {parent} is not in the table")
    for name in parents:
        _see_end(name, parents, lines)
    return RegionTree(parents)


def _see_end(name: str, parents: Mapping[str, str | None], lines: Mapping[str, int]) -> None:
    seen = {name}
    above = parents[name]
    while above is not None:
        if above in seen:
            raise BadRegions(f"line {lines[name]}: {name} lies in itself")
        seen.add(above)
        above = parents[above]
