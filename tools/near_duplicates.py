"""`banxi train duplicates`: what a folder of labelled calls and moments holds, and how much of it
says the same twice. What a datasheet reports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.table import Table
from scipy import sparse

from contracts.call_type import CALL_TYPES, INTAKES
from services.common.datafiles import DataFileError
from services.common.written import read
from tools.evaluate.lines import NONE, Turn
from tools.evaluate.report import fail
from tools.train.dialogues import LabelledCall, LabelledMoment, read_calls, read_moments

EXEMPLARS = Path(__file__).parents[1] / "services" / "call_type" / "data" / "exemplars"
GRAM = 4
"""Characters in a row that are compared, punctuation left out."""
ALIKE = 0.5
"""Share of the runs of two texts that both hold, from which they are near-duplicates."""
SHORTEST = 8
"""Characters from which a text is compared: 好的谢谢您 is said by everybody."""
_BLOCK = 512

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Alike:
    """Which of some texts are long enough to be compared, and which have a near-duplicate."""

    compared: Flags
    within: Flags
    """By the same author."""
    across: Flags
    """By another author."""

    def figures(self) -> dict[str, float]:
        """Count of those compared, and shares of them."""
        n = int(self.compared.sum())
        each = {
            "within_author": self.within,
            "across_authors": self.across,
            "any": self.within | self.across,
        }
        return {"compared": n} | {
            name: float(flags.sum()) / max(n, 1) for name, flags in each.items()
        }


def near_duplicates(
    texts: Sequence[str], authors: Sequence[str], threshold: float = ALIKE
) -> Alike:
    """Texts beside each other, each with every other one: the Jaccard likeness of their runs of
    `GRAM` characters. Exact; thousands of texts take seconds."""
    plain = [read(text).plain for text in texts]
    grams = [{one[at : at + GRAM] for at in range(len(one) - GRAM + 1)} for one in plain]
    index = {gram: column for column, gram in enumerate(sorted(set().union(*grams)))}
    columns = [[index[gram] for gram in each] for each in grams]
    sizes = np.array([len(each) for each in columns], dtype=np.int64)
    cells = np.ones(int(sizes.sum()), dtype=np.int32)
    content = (cells, np.concatenate([np.array(c, dtype=np.int64) for c in columns] or [sizes]))
    ends = np.concatenate([[0], np.cumsum(sizes)])
    matrix = sparse.csr_matrix((*content, ends), shape=(len(texts), max(len(index), 1)))
    compared = np.array([len(one) >= SHORTEST for one in plain], dtype=bool)
    by = np.array(list(authors), dtype=object)
    within, across = np.zeros(len(texts), dtype=bool), np.zeros(len(texts), dtype=bool)
    others = matrix.T.tocsr()
    for start in range(0, len(texts), _BLOCK):
        shared = (matrix[start : start + _BLOCK] @ others).tocoo()
        one, other = shared.row + start, shared.col
        likeness = shared.data / (sizes[one] + sizes[other] - shared.data)
        pairs = (likeness >= threshold) & (one != other) & compared[one] & compared[other]
        same = by[one] == by[other]
        within[one[pairs & same]] = True
        across[one[pairs & ~same]] = True
    return Alike(compared, within, across)


def duplicates(
    folder: Annotated[
        Path, typer.Argument(help="Folder of calls*.jsonl and moments*.jsonl.")
    ] = EXEMPLARS,
    threshold: Annotated[
        float, typer.Option(min=0.05, max=1, help="Likeness from which two texts count as one.")
    ] = ALIKE,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Count what labelled calls and moments hold, and how much of it says the same twice.

    Every call, moment and turn is compared with every other one by the runs of four characters they
    share (Jaccard likeness); texts under eight characters are left out. Near-duplicates of one
    author teach little; near-duplicates of different authors make figures that are judged author by
    author too good. Only counts are printed, no words.
    """
    try:
        calls, moments = read_calls(folder), read_moments(folder, None)
    except DataFileError as error:
        fail(str(error))
    alike = _alike(calls, moments, threshold)
    if as_json:
        counts = {"authors": _authors(calls, moments), "calls": _counts(calls)}
        typer.echo(
            json.dumps(
                counts | {"moments": _situations(moments), "near_duplicates": alike},
                ensure_ascii=False,
            )
        )
    else:
        _print(calls, moments, alike)


def _alike(
    calls: Sequence[LabelledCall], moments: Sequence[LabelledMoment], threshold: float
) -> dict[str, dict[str, float]]:
    def of(texts: Sequence[tuple[str, str]]) -> dict[str, float]:
        authors, words = [author for author, _ in texts], [text for _, text in texts]
        return near_duplicates(words, authors, threshold).figures()

    def turns(wanted: Callable[[Turn], bool]) -> list[tuple[str, str]]:
        lines: list[LabelledCall | LabelledMoment] = [*calls, *moments]
        return [(line.author, turn.text) for line in lines for turn in line.turns if wanted(turn)]

    return {
        "calls": of([(call.author, _joined(call.turns)) for call in calls]),
        "moments": of([(moment.author, _joined(moment.turns)) for moment in moments]),
        "last_turns_of_moments": of([(one.author, one.turns[-1].text) for one in moments]),
        "first_caller_turns": of([(call.author, _first(call)) for call in calls]),
        "turns_of_callers": of(turns(lambda turn: turn.role == "caller")),
        "turns_of_agents": of(turns(lambda turn: turn.role == "agent")),
    }


def _authors(
    calls: Sequence[LabelledCall], moments: Sequence[LabelledMoment]
) -> dict[str, dict[str, float]]:
    """What each author wrote, and `all`."""
    lines: list[LabelledCall | LabelledMoment] = [*calls, *moments]
    authors = sorted({line.author for line in lines})
    found: dict[str, dict[str, float]] = {}
    for name in (*authors, "all"):
        theirs = [call for call in calls if name in (call.author, "all")]
        turns = sorted(len(call.turns) for call in theirs)
        said = sorted(len(turn.text) for c in theirs for turn in c.turns if turn.role == "caller")
        found[name] = {
            "calls": len(theirs),
            "turns_p50": _at(turns, 0.5),
            "turns_p95": _at(turns, 0.95),
            "turns_max": _at(turns, 1),
            "characters_p50": _at(said, 0.5),
            "characters_p95": _at(said, 0.95),
            "shifting": sum(bool(call.switch) for call in theirs),
            "misheard": sum(call.cat == "asr" for call in theirs),
            "with_history": sum(bool(call.history) for call in theirs),
            "first_caller_turns": len({_first(call) for call in theirs}),
            "moments": sum(name in (one.author, "all") for one in moments),
            "moments_none": sum(
                name in (one.author, "all") and one.expect == NONE for one in moments
            ),
        }
    return found


def _counts(calls: Sequence[LabelledCall]) -> dict[str, dict[str, dict[str, int]]]:
    """Label → intake kind, and label → category: calls."""
    intakes = {label: Counter(c.intake for c in calls if c.label == label) for label in CALL_TYPES}
    cats = {label: Counter(c.cat for c in calls if c.label == label) for label in CALL_TYPES}
    return {
        "intake": {
            label: {kind: counted[kind] for kind in INTAKES} for label, counted in intakes.items()
        },
        "cat": {
            label: {cat: counted[cat] for cat in sorted({call.cat for call in calls})}
            for label, counted in cats.items()
        },
    }


def _situations(moments: Sequence[LabelledMoment]) -> dict[str, int]:
    return dict(sorted(Counter(moment.expect for moment in moments).items()))


def _joined(turns: Sequence[Turn]) -> str:
    return "，".join(turn.text for turn in turns)


def _first(call: LabelledCall) -> str:
    return next(turn.text for turn in call.turns if turn.role == "caller")


def _at(ordered: Sequence[int], share: float) -> int:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def _print(
    calls: Sequence[LabelledCall],
    moments: Sequence[LabelledMoment],
    alike: Mapping[str, Mapping[str, float]],
) -> None:
    console = Console(highlight=False, soft_wrap=True)
    authors = _authors(calls, moments)
    theirs = {
        name: {
            "calls": one["calls"],
            "turns": f"{one['turns_p50']}/{one['turns_p95']}/{one['turns_max']}",
            "length": f"{one['characters_p50']}/{one['characters_p95']}",
            "firsts": one["first_caller_turns"],
            "shifts": one["shifting"],
            "asr": one["misheard"],
            "history": one["with_history"],
        }
        for name, one in authors.items()
    }
    console.print(
        "turns a call: median/p95/most; length of a caller's turn in characters: median/p95\n"
        "firsts: different first words of callers; shifts: calls whose type changes\n"
    )
    _table(console, "calls by author", theirs)
    _table(
        console,
        "moments by author",
        {a: {"moments": f["moments"], "none": f["moments_none"]} for a, f in authors.items()},
    )
    for field, counted in _counts(calls).items():
        rows = {label: row | {"all": sum(row.values())} for label, row in counted.items()}
        columns = next(iter(rows.values()))
        rows["all"] = {c: sum(row[c] for row in rows.values()) for c in columns}
        _table(console, f"calls by type and {field}", rows)
    situations = _situations(moments)
    none = situations.pop(NONE, 0)
    spread = f"{min(situations.values(), default=0)} to {max(situations.values(), default=0)}"
    console.print(f"moments: {spread} of each of {len(situations)} situations, {none} none\n")
    _table(console, f"share with a near-duplicate, of those with {SHORTEST}+ characters", alike)


def _table(console: Console, title: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    table = Table("", *next(iter(rows.values())), title=title, title_justify="left")
    for name, row in rows.items():
        cells = (f"{x:.4f}" if isinstance(x, float) else str(x) for x in row.values())
        table.add_row(name, *cells)
    console.print(table)
