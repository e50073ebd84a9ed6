"""What every evaluation shares: lines in, predictions out, a table for people, JSON for programs.

    lines, bad = read_jsonl(path, MyLine)               # MyLine(Line): fields and optional labels
    ...
    write_predictions(out, predictions)                 # one dict an input, in its order
    show(Report("conduct", n=len(lines), metrics={…}, bad_lines=bad), as_json=…, show_errors=…)

`show` ends the command with exit code 1 where lines could not be read, after printing what the
others gave: a figure over part of a file must not look like one over all of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console
from rich.table import Table

from contracts.events import why
from tools.evaluate.confusion import Confusion

Figures = Mapping[str, float | None]
"""Figure → value; None where it is not defined (nothing to divide by)."""


class Line(BaseModel):
    """What every labelled line has. Subclasses add inputs, and the labels as optional fields."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: str
    """Id of the line; one of a kind in its file."""
    cat: str = ""
    """Category to report by; any word."""


L = TypeVar("L", bound=Line)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is not in the format."""

    line: int
    """Its number in the file, from 1."""
    message: str
    """What is wrong with it, field by field, without the values."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of an evaluation."""

    title: str
    """What was evaluated."""
    n: int
    """Lines judged."""
    metrics: Figures = field(default_factory=dict)
    """The figures; empty where no line had labels."""
    by_category: Mapping[str, Figures] = field(default_factory=dict)
    """Category → figures."""
    grouped: Mapping[str, Mapping[str, Figures]] = field(default_factory=dict)
    """Group → name → figures; they stand among the metrics of the JSON, under the group."""
    baseline: Mapping[str, object] = field(default_factory=dict)
    """`name` of what it is compared with, and that one's figures on the same lines."""
    beside: Mapping[str, Figures] = field(default_factory=dict)
    """Name of another run on the same lines → its figures; an entry of the JSON each."""
    confusion: Confusion | None = None
    """Which labels were taken for which."""
    errors: Sequence[Mapping[str, object]] = ()
    """Lines decided otherwise than labelled: `id`, `kind` and what explains it."""
    bad_lines: Sequence[BadLine] = ()
    """Lines that could not be read."""
    changes: Sequence[Mapping[str, object]] | None = None
    """Lines that the baseline decides otherwise, where that was asked for; the command prints them
    for people itself."""


def fail(sentence: str, code: int = 2) -> NoReturn:
    """End the command with one sentence on standard error."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def read_text(path: Path) -> str:
    """A UTF-8 text file, whole; ends the command with one sentence where that cannot be."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        fail(f"{path}: cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        fail(f"{path}: is not UTF-8 text")


def read_jsonl(path: Path, model: type[L]) -> tuple[list[L], list[BadLine]]:
    """Read one JSON object a line. Empty lines are skipped; lines that are no JSON, miss a field or
    repeat an id are named, the others kept."""
    good: list[L] = []
    bad: list[BadLine] = []
    first: dict[str, int] = {}
    # Not splitlines(): U+2028 and its kin may stand inside a JSON string.
    for number, raw in enumerate(read_text(path).split("\n"), start=1):
        if not raw.strip():
            continue
        try:
            line = model.model_validate_json(raw)
        except ValidationError as error:
            bad.append(BadLine(number, why(error)))
            continue
        if line.id in first:
            bad.append(BadLine(number, f"id: stands on line {first[line.id]} already"))
            continue
        first[line.id] = number
        good.append(line)
    return good, bad


def write_predictions(path: Path, predictions: Iterable[Mapping[str, object]]) -> None:
    """Write what the system said, one JSON object a line, UTF-8."""
    try:
        with path.open("w", encoding="utf-8") as file:
            for prediction in predictions:
                file.write(json.dumps(prediction, ensure_ascii=False) + "\n")
    except OSError as error:
        fail(f"{path}: cannot be written ({error.strerror})")


def ratio(part: float, whole: float) -> float | None:
    """`part / whole`; None where there is nothing to divide by."""
    return part / whole if whole else None


def f1(precision: float | None, recall: float | None) -> float | None:
    """The harmonic mean; None where either is undefined, 0 where both are 0."""
    if precision is None or recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def show(report: Report, *, as_json: bool, show_errors: bool = False) -> None:
    """Print a report on standard output: one JSON object, or tables. `errors` of the JSON holds the
    lines decided wrongly and, as kind `bad_line`, those that could not be read."""
    if as_json:
        sys.stdout.write(json.dumps(_as_json(report), ensure_ascii=False) + "\n")
    else:
        _print_tables(report, show_errors)
    for bad in report.bad_lines:
        typer.echo(f"line {bad.line}: {bad.message}", err=True)
    if report.bad_lines:
        raise typer.Exit(1)


def _as_json(report: Report) -> dict[str, Any]:
    bad = [{"kind": "bad_line", "line": b.line, "message": b.message} for b in report.bad_lines]
    more: dict[str, Any] = {name: _rounded(figures) for name, figures in report.beside.items()}
    if report.changes is not None:
        more["changes"] = list(report.changes)
    if report.confusion is not None:
        more["confusion"] = report.confusion.as_json()
    return more | {
        "n": report.n,
        "metrics": _rounded(report.metrics)
        | {
            group: {name: _rounded(f) for name, f in figures.items()}
            for group, figures in report.grouped.items()
        },
        "by_category": {name: _rounded(f) for name, f in report.by_category.items()},
        "baseline": _rounded(report.baseline),
        "errors": [*report.errors, *bad],
    }


def _rounded(figures: Mapping[str, object]) -> dict[str, object]:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}


def _print_tables(report: Report, show_errors: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    columns: dict[str, Mapping[str, object]] = {"value": report.metrics, **report.beside}
    if report.baseline:
        columns[str(report.baseline.get("name", "baseline"))] = report.baseline
    title = f"{report.title}: {report.n} lines"
    table = Table("", *columns, title=title, title_justify="left")
    for name in report.metrics:
        table.add_row(name, *(_cell(figures.get(name, "")) for figures in columns.values()))
    if report.metrics:
        console.print(table)
    else:
        console.print(f"{report.title}: {report.n} lines, no labels to compare with")
    if report.by_category:
        console.print(_by_category(report.by_category))
    if report.confusion is not None:
        console.print(report.confusion.table())
    if show_errors:
        for error in report.errors:
            console.print(json.dumps(error, ensure_ascii=False), markup=False)
    elif report.errors:
        console.print(f"{len(report.errors)} lines decided wrongly; --show-errors lists them")


def _by_category(by_category: Mapping[str, Figures]) -> Table:
    names = list(dict.fromkeys(k for figures in by_category.values() for k in figures))
    # The longer list goes down, so that the table is narrow enough for a terminal.
    if len(names) > len(by_category):
        table = Table("", *(category or "-" for category in by_category), title="by category")
        for name in names:
            table.add_row(name, *(_cell(f.get(name, "")) for f in by_category.values()))
    else:
        table = Table("category", *names, title="by category")
        for category, figures in by_category.items():
            table.add_row(category or "-", *(_cell(figures.get(name, "")) for name in names))
    table.title_justify = "left"
    return table


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
