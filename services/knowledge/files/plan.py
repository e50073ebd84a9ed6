"""What an import would do: the rows of a file against the base as it stands. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from contracts.requests import RowChange, RowProblem, RowWarning
from services.knowledge.entries.alike import Neighbours
from services.knowledge.entries.authority import Life, Reason, Refused, take_in
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.refusals import SAID
from services.knowledge.entries.regions import RegionTree
from services.knowledge.files.rows import Taken

COMPARED = 20_000
"""Entries of one import that are compared with all others, which takes some milliseconds each."""
SHOWN = 60
"""Characters of a text that a change shows."""
OWN_IMPORT = "names who imports: what is new or changed must be authorised by somebody else"
WITHDRAWN = "was withdrawn: it returns by a new draft alone, which another person authorises"
DRAFT = "a draft of it awaits a decision: the import puts it away"
_WORDS: dict[Reason, str] = {"own_import": OWN_IMPORT, "withdrawn": WITHDRAWN}
"""Refusals that are told in other words than to editors."""


@dataclass(slots=True)
class Plan:
    """What an import would do."""

    write: list[Entry] = field(default_factory=list)
    """Entries that are new or differ."""
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    """What is wrong with rows, by line: those that are bad by themselves, and those that may not
    be taken as the base stands."""
    changes: list[RowChange] = field(default_factory=list)
    warnings: list[RowWarning] = field(default_factory=list)
    """About entries that already have a history of their own."""

    @property
    def bad(self) -> int:
        """Rows that are not taken."""
        return len({problem.line for problem in self.problems})


def plan(taken: Taken, lives: Mapping[str, Life], *, by: str, today: date) -> Plan:
    """What taking these rows would do. `lives`: the entries as they stand, those of the rows at
    least; `by`: who imports. Who imports may hand back what he authorised before, as long as it is
    the same."""
    made = Plan(problems=list(taken.problems))
    for entry in taken.entries:
        line = taken.lines[entry.id]
        life = lives.get(entry.id, Life())
        done = take_in(life, entry, by=by, today=today)
        if done is None:
            made.unchanged += 1
            continue
        if isinstance(done, Refused):
            said = SAID[done.reason]
            words = _WORDS.get(done.reason, said.message)
            made.problems.append(RowProblem(line=line, field=said.field or "", message=words))
            continue
        made.write.append(entry)
        _count(made, line, entry, life.on(today))
    made.problems.sort(key=lambda problem: problem.line)
    return made


def near_warnings(
    made: Plan, taken: Taken, standing: Sequence[Entry], regions: RegionTree
) -> list[RowWarning]:
    """What lies too near to the entries that would be written: doubles, and answers that say the
    contrary while both count; each pair once, the gravest first. Of a very long import, the first
    `COMPARED` entries are looked at. `standing`: all that counts."""
    written = {entry.id for entry in made.write}
    others = [entry for entry in standing if entry.id not in written]
    neighbours = Neighbours([*others, *made.write], regions)
    found = []
    for entry in made.write[:COMPARED]:
        line = taken.lines[entry.id]
        for near in neighbours.near(entry):
            twice = near.entry.id in written and taken.lines[near.entry.id] > line
            if twice or (near.sort in ("overrules", "overruled") and not near.differs):
                continue
            warning = RowWarning(
                line=line, entry_id=entry.id, other=near.entry.id, sort=near.sort, why=near.why
            )
            found.append((near.grave[0], line, warning))
    return [warning for _, _, warning in sorted(found, key=lambda one: one[:2])]


def _count(made: Plan, line: int, entry: Entry, life: Life) -> None:
    before = life.current.entry if life.current else None
    if life.newest == 0:
        made.added += 1
    else:
        made.changed += 1
    differs = _differences(before, entry) if before else ()
    made.changes.append(
        RowChange(
            line=line,
            entry_id=entry.id,
            act="change" if life.newest else "add",
            question=short(entry.question),
            changes=differs,
        )
    )
    if life.draft is not None:
        made.warnings.append(
            RowWarning(line=line, entry_id=entry.id, other=entry.id, sort="draft", why=DRAFT)
        )


def _differences(before: Entry, after: Entry) -> tuple[tuple[str, str, str], ...]:
    old, new = before.row(), after.row()
    return tuple(
        (column, *excerpts(old[column], text))
        for column, text in new.items()
        if old[column] != text
    )


def short(text: str) -> str:
    """A text as it is shown in a list."""
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def excerpts(before: str, after: str) -> tuple[str, str]:
    """Two texts as they are shown beside each other: of long ones, what is about the first place
    where they differ."""
    if max(len(before), len(after)) <= SHOWN:
        return before, after
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    start = max(0, same - SHOWN // 4)
    lead = "…" if start else ""
    return lead + short(before[start:]), lead + short(after[start:])
