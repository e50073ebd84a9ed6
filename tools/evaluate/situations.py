"""`banxi eval situations`: which moments of a call are recognised. Nothing recognises any yet, so
every prediction is none; the figures show where that leaves a hotline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict

from contracts.base import Role
from tools.evaluate.call_type_scores import macro_f1
from tools.evaluate.report import Figures, Line, Report, ratio, read_jsonl, show, write_predictions

NONE = "none"


class Turn(BaseModel):
    """Something said, or a silence on that side."""

    model_config = ConfigDict(frozen=True)

    role: Role
    text: str
    silence_s: float | None = None


class Moment(Line):
    """A line of the file: the last turn is the moment, those before it lead there."""

    turns: tuple[Turn, ...]
    expect: str | None = None
    """Id of the situation, or none."""
    accept: tuple[str, ...] = ()
    """Others that count as right."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A moment with its label and what was said of it."""

    moment: Moment
    said: str

    @property
    def expected(self) -> str:
        """The label; what was said, where that counts as right too."""
        assert self.moment.expect is not None
        return self.said if self.said in self.moment.accept else self.moment.expect


def situations(
    file: Annotated[Path, typer.Argument(help="Moments, one JSON object a line.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    predictions: Annotated[
        Path | None, typer.Option(help="Write what the system says, one JSON line a moment.")
    ] = None,
    show_errors: Annotated[bool, typer.Option(help="List the moments decided otherwise.")] = False,
) -> None:
    """Judge whether the moments that need wording at once are recognised.

    Each line is one moment: {"id", "turns": [{"role": "caller"|"agent", "text", "silence_s"?}]},
    the last turn being the moment, and, where it is labelled, "expect" (the id of a situation, or
    none) and "accept" (others that count as right).

    This version recognises no situation from words and answers none for every moment.
    """
    moments, bad = read_jsonl(file, Moment)
    said = [recognise(moment) for moment in moments]
    if predictions:
        write_predictions(
            predictions,
            (
                {"id": moment.id, "situation": one, "confidence": 0.0}
                for moment, one in zip(moments, said, strict=True)
            ),
        )
    judged = [Judged(m, s) for m, s in zip(moments, said, strict=True) if m.expect is not None]
    report = Report(
        "situations",
        n=len(moments),
        metrics=figures(judged) if judged else {},
        by_category={
            name: figures([one for one in judged if one.moment.cat == name])
            for name in sorted({one.moment.cat for one in judged})
        },
        errors=[
            {"id": one.moment.id, "kind": "situation", "label": one.expected, "said": one.said}
            for one in judged
            if one.said != one.expected
        ],
        bad_lines=bad,
    )
    show(report, as_json=as_json, show_errors=show_errors)


def recognise(_moment: Moment) -> str:
    """The situation of a moment: none, until situations are recognised."""
    return NONE


def figures(judged: Sequence[Judged]) -> Figures:
    """`none_false_rate`: of the moments that are none, how many were called something."""
    nones = [one for one in judged if one.expected == NONE]
    return {
        "macro_f1": macro_f1([(one.expected, one.said) for one in judged]),
        "accuracy": ratio(sum(one.said == one.expected for one in judged), len(judged)),
        "none_false_rate": ratio(sum(one.said != NONE for one in nones), len(nones)),
    }
