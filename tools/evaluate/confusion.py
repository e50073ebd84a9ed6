"""Which labels are taken for which: counts, and a table of them for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

UNDECIDED = "未定"
"""What stands for no answer."""
ROOMY = 12
"""Labels up to which a matrix can be printed on 80 columns, and drawn with shares in its cells."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each label was said where another one is right."""

    right: tuple[str, ...]
    """Labels that are right somewhere, the rows."""
    said: tuple[str, ...]
    """Labels that may be said, the columns; `UNDECIDED` last, where nothing was said somewhere."""
    counts: Mapping[tuple[str, str], int]
    """(right, said) → how often; absent = never."""

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str | None]], labels: Sequence[str]) -> Confusion:
        """From (right, said); `labels` gives the order, others follow it as they come."""
        counts = Counter((right, said or UNDECIDED) for right, said in pairs)
        rights, answers = ({pair[place] for pair in counts} for place in (0, 1))
        known = list(dict.fromkeys([*labels, *sorted((rights | answers) - {UNDECIDED})]))
        rows = tuple(label for label in known if label in rights)
        undecided = (UNDECIDED,) if UNDECIDED in answers else ()
        columns = tuple(label for label in known if label in rights | answers)
        return cls(rows, columns + undecided, dict(counts))

    @property
    def n(self) -> int:
        """Answers counted."""
        return sum(self.counts.values())

    def count(self, right: str, said: str) -> int:
        """How often `said` was answered where `right` is right."""
        return self.counts.get((right, said), 0)

    def row(self, right: str) -> int:
        """How often a label is right."""
        return sum(self.count(right, said) for said in self.said)

    def column(self, said: str) -> int:
        """How often a label is said."""
        return sum(self.count(right, said) for right in self.right)

    def as_json(self) -> dict[str, dict[str, int]]:
        """Right → said → count, without zeros."""
        return {
            right: {said: n for said in self.said if (n := self.count(right, said))}
            for right in self.right
        }

    def mistakes(self) -> list[tuple[str, str, int]]:
        """(right, said, how often) of what was taken for another label, the commonest first."""
        wrong = [(*pair, n) for pair, n in self.counts.items() if pair[0] != pair[1]]
        return sorted(wrong, key=lambda one: (-one[2], one[:2]))

    def table(self) -> Table:
        """For a terminal: rows are right, columns are said; ten labels fit on 80 columns. Of more
        than fit, the commonest mistakes."""
        if len(self.said) > ROOMY:
            table = Table("right", "said", "n", title="commonest mistakes", title_justify="left")
            for right, said, n in self.mistakes()[:ROOMY]:
                table.add_row(right, said, str(n))
            return table
        title = "confusion: rows are right, columns are said"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        table.padding = (0, 1, 0, 0)
        table.add_column("")
        for said in self.said:
            table.add_column(said, justify="right")
        for right in self.right:
            cells = [
                f"[bold]{n}[/]" if right == said else str(n or "·")
                for said in self.said
                for n in [self.count(right, said)]
            ]
            table.add_row(right, *cells)
        return table
