"""`banxi eval red-lines`: red lines in single utterances, by listed words and a learned head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from contracts.base import Role
from services.common.datafiles import DataFileError
from services.common.settings import load
from services.escalation.files import read
from services.escalation.red_lines import REACH, Finder, Heard, RedLines
from services.escalation.settings import Settings
from services.escalation.witness import load_witness
from tools.evaluate.report import (
    Line,
    Report,
    f1,
    fail,
    ratio,
    read_jsonl,
    show,
    write_predictions,
)

NONE = "none"
"""The label of an innocent utterance."""


class Utterance(Line):
    """One utterance of one channel."""

    role: Role
    """Whose."""
    text: str
    """Its words."""
    prev: str = ""
    """The same speaker's words just before it, cut off at a short pause."""
    line: str | None = None
    """Label: the id of its red line, or none; None = not labelled."""
    also: tuple[str, ...] = ()
    """Ids that are equally right."""


def red_lines(
    file: Annotated[Path, typer.Argument(help="Labelled utterances, one JSON object a line.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    predictions: Annotated[
        Path | None, typer.Option(help="Write what the system said, one JSON object a line.")
    ] = None,
    show_errors: Annotated[
        bool, typer.Option("--show-errors", help="List every miss and every false alarm.")
    ] = False,
    words: Annotated[
        Path | None, typer.Option(help="Another word file in place of the one the system uses.")
    ] = None,
    witness: Annotated[
        Path | None, typer.Option(help="Another learned head in place of the system's.")
    ] = None,
    words_only: Annotated[
        bool, typer.Option("--words-only", help="Leave the learned head out.")
    ] = False,
) -> None:
    """Measure how red lines are found in single utterances: by the words of the list, and by the
    learned head, which gives signs only. No model is needed.

    A line is {"id", "role": "agent"|"caller", "text", "prev"?, "cat"?, "line"?, "also"?}; "line" is
    the id of a red line or "none", and without it a line is decided but not scored. An alarm is a
    red line; a sign, shown to supervisors one step quieter, is counted apart (`…_with_signs`).
    Try a change of the words on utterances of your own before it goes live, with --words.
    """
    lines, bad_lines = read_jsonl(file, Utterance)
    settings = load(Settings).escalation
    try:
        kinds = read(words or settings.red_lines, RedLines).red_lines
        judge = load_witness(witness or settings.witness, frozenset(kind.id for kind in kinds))
    except DataFileError as error:
        fail(str(error))
    known = {kind.id for kind in kinds}
    for line in lines:
        if unknown := {line.line or NONE, *line.also} - known - {NONE}:
            fail(f"{file}, line with id {line.id}: {min(unknown)} is not the id of a red line")
    finder = Finder(kinds, None if words_only else judge)
    found = [_found(finder, line) for line in lines]
    if predictions:
        write_predictions(
            predictions,
            (
                {
                    "id": line.id,
                    "lines": [
                        {
                            "line": h.line.id,
                            "words": h.words,
                            "score": h.score,
                            "sign": h.sign,
                            "learned": h.learned,
                        }
                        for h in heard
                    ],
                }
                for line, heard in zip(lines, found, strict=True)
            ),
        )
    scored = [(line, heard) for line, heard in zip(lines, found, strict=True) if line.line]
    categories = sorted({line.cat for line, _ in scored})
    show(
        Report(
            "red lines",
            n=len(lines),
            metrics=_figures(scored),
            by_category={
                cat: _counts([pair for pair in scored if pair[0].cat == cat]) for cat in categories
            },
            grouped={
                "by_kind": {
                    kind.id: _of_kind(kind.id, scored)
                    for kind in kinds
                    if any(line.line == kind.id for line, _ in scored)
                }
            }
            if scored
            else {},
            errors=[wrong for line, heard in scored if (wrong := _error(line, heard))],
            bad_lines=bad_lines,
        ),
        as_json=as_json,
        show_errors=show_errors,
    )


Scored = Sequence[tuple[Utterance, list[Heard]]]


def _found(finder: Finder, line: Utterance) -> list[Heard]:
    """As the service reads it: the caller alone, together with what a short pause cut off."""
    if line.role != "caller":
        return []
    before = line.prev[-REACH:]
    return finder.find(before + line.text, beyond=len(before))


def _alarms(heard: Sequence[Heard]) -> set[str]:
    return {one.line.id for one in heard if not one.sign}


def _right(line: Utterance) -> set[str]:
    return {line.line or NONE, *line.also} - {NONE}


def _figures(scored: Scored) -> dict[str, float | None]:
    if not scored:
        return {}
    serious = [(line, heard) for line, heard in scored if line.line != NONE]
    innocent = [heard for line, heard in scored if line.line == NONE]
    found = sum(bool(_alarms(heard)) for _, heard in serious)
    with_signs = sum(bool(heard) for _, heard in serious)
    false = sum(bool(_alarms(heard)) for heard in innocent)
    false_with_signs = sum(bool(heard) for heard in innocent)
    right = sum(bool(_alarms(heard) & _right(line)) for line, heard in serious)
    precision, recall = ratio(found, found + false), ratio(found, len(serious))
    return {
        "precision": precision,
        "recall": recall,
        "f1": f1(precision, recall),
        "kind_accuracy": ratio(right, found),
        "false_alarms": false,
        "innocent": len(innocent),
        "recall_with_signs": ratio(with_signs, len(serious)),
        "false_alarms_with_signs": false_with_signs,
    }


def _counts(scored: Scored) -> dict[str, float | None]:
    serious = [heard for line, heard in scored if line.line != NONE]
    innocent = [heard for line, heard in scored if line.line == NONE]
    return {
        "n": len(scored),
        "recall": ratio(sum(bool(_alarms(heard)) for heard in serious), len(serious)),
        "recall_with_signs": ratio(sum(map(bool, serious)), len(serious)),
        "false_alarms": sum(bool(_alarms(heard)) for heard in innocent),
        "false_alarms_with_signs": sum(map(bool, innocent)),
    }


def _of_kind(kind: str, scored: Scored) -> dict[str, float | None]:
    """How a kind is found; raised of another kind, it is found for a supervisor, but not as it."""
    own = [(line, heard) for line, heard in scored if line.line == kind]
    raised = [(line, heard) for line, heard in scored if kind in _alarms(heard)]
    return {
        "n": len(own),
        "recall": ratio(sum(bool(_alarms(heard) & _right(line)) for line, heard in own), len(own)),
        "precision": ratio(sum(kind in _right(line) for line, _ in raised), len(raised)),
        "raised": ratio(sum(bool(_alarms(heard)) for _, heard in own), len(own)),
        "raised_with_signs": ratio(sum(bool(heard) for _, heard in own), len(own)),
    }


def _error(line: Utterance, heard: Sequence[Heard]) -> dict[str, object] | None:
    alarms, right = _alarms(heard), _right(line)
    if alarms & right or (not right and not alarms):
        return None
    kind = "false_alarm" if not right else "wrong_line" if alarms else "miss"
    return {
        "id": line.id,
        "kind": kind,
        "cat": line.cat,
        "text": line.text,
        "prev": line.prev,
        "expected": line.line,
        "said": [{"line": h.line.id, "words": h.words, "sign": h.sign} for h in heard],
    }
