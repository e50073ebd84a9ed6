"""`banxi eval conduct`: forbidden phrases in single utterances, beside plain exact matching."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from contracts.base import Role
from services.common.datafiles import DataFileError
from services.conduct.books import load_phrases
from services.conduct.phrases import PhraseBook
from services.conduct.rulebook import Rule
from services.conduct.written import read
from tools.evaluate.report import Line, Report, f1, fail, ratio, read_jsonl, show, write_predictions


class LabelledHit(BaseModel):
    """A forbidden phrase as a person marked it."""

    rule: str
    """Its rule."""
    words: str = ""
    """The words as spoken."""
    also: tuple[str, ...] = ()
    """Rules that are equally right."""


class Utterance(Line):
    """One utterance of one channel."""

    role: Role
    """Whose."""
    text: str
    """Its words."""
    prev: str = ""
    """The same speaker's utterance before it."""
    hits: tuple[LabelledHit, ...] | None = None
    """Label: the forbidden phrases in it; empty = nothing wrong, None = not labelled."""


@dataclass(frozen=True, slots=True)
class Said:
    """One phrase the system found."""

    rule: str
    words: str
    score: float


Detector = Callable[[Utterance], list[Said]]


def conduct(
    file: Annotated[Path, typer.Argument(help="Labelled utterances, one JSON object a line.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    predictions: Annotated[
        Path | None, typer.Option(help="Write what the system said, one JSON object a line.")
    ] = None,
    show_errors: Annotated[
        bool, typer.Option("--show-errors", help="List every miss and every false alarm.")
    ] = False,
    rules: Annotated[
        Path | None, typer.Option(help="Another rule file in place of the one the system uses.")
    ] = None,
) -> None:
    """Measure how forbidden phrases are found in single utterances.

    A line is {"id", "role": "agent"|"caller", "text", "prev"?, "cat"?, "hits"?}; without "hits" a
    line is decided but not scored. An utterance counts as hit if any rule fires.
    """
    lines, bad_lines = read_jsonl(file, Utterance)
    try:
        book = load_phrases(rules)
    except DataFileError as error:
        fail(str(error))
    ours = [_found(book, line) for line in lines]
    if predictions:
        write_predictions(
            predictions,
            (
                {
                    "id": line.id,
                    "hits": [{"rule": s.rule, "words": s.words, "score": s.score} for s in said],
                }
                for line, said in zip(lines, ours, strict=True)
            ),
        )
    exact = exact_matcher(book)
    theirs = [exact(line) for line in lines]
    categories = sorted({line.cat for line in lines if line.hits is not None})
    show(
        Report(
            "conduct",
            n=len(lines),
            metrics=_figures(lines, ours),
            by_category={
                cat: _figures(*_of_category(cat, lines, ours), short=True) for cat in categories
            },
            baseline={"name": "exact match", **_figures(lines, theirs)},
            errors=_errors(lines, ours),
            bad_lines=bad_lines,
        ),
        as_json=as_json,
        show_errors=show_errors,
    )


def _found(book: PhraseBook, line: Utterance) -> list[Said]:
    if line.role != "agent":
        return []
    return [Said(hit.rule.id, hit.words, hit.score) for hit in book.hits(line.text, line.prev)]


def exact_matcher(book: PhraseBook) -> Detector:
    """The trade's floor: the list's own phrases, looked for character by character."""
    phrases = {
        read(phrase).plain: rule.id for rule in book.rules.values() for phrase in _as_listed(rule)
    }

    def found(line: Utterance) -> list[Said]:
        text = read(line.text).plain if line.role == "agent" else ""
        return [Said(rule, phrase, 1.0) for phrase, rule in phrases.items() if phrase in text]

    return found


def _as_listed(rule: Rule) -> list[str]:
    """什么呀（你说什么，再说一遍）: a bracket at the end is another phrase, one inside a remark."""
    phrases = [re.sub(r"（.*?）", "", rule.canonical)]
    if other := re.search(r"（(.{4,})）$", rule.canonical):
        phrases.append(other.group(1))
    return phrases


def _of_category(
    category: str, lines: Sequence[Utterance], said: Sequence[list[Said]]
) -> tuple[list[Utterance], list[list[Said]]]:
    pairs = [pair for pair in zip(lines, said, strict=True) if pair[0].cat == category]
    return [line for line, _ in pairs], [found for _, found in pairs]


def _figures(
    lines: Sequence[Utterance], said: Sequence[list[Said]], *, short: bool = False
) -> dict[str, float | None]:
    labelled = [(x.hits, s) for x, s in zip(lines, said, strict=True) if x.hits is not None]
    if not labelled:
        return {}
    offending = [(hits, s) for hits, s in labelled if hits]
    innocent = [s for hits, s in labelled if not hits]
    found = [(hits, s) for hits, s in offending if s]
    false_alarms = sum(bool(s) for s in innocent)
    recall = ratio(len(found), len(offending))
    right_rule = ratio(sum(_rule_is_right(hits, s) for hits, s in found), len(found))
    if short:
        return {
            "n": len(labelled),
            "offending": len(offending),
            "recall": recall,
            "rule_accuracy": right_rule,
            "innocent": len(innocent),
            "false_alarms": false_alarms,
        }
    precision = ratio(len(found), len(found) + false_alarms)
    return {
        "precision": precision,
        "recall": recall,
        "f1": f1(precision, recall),
        "rule_accuracy": right_rule,
        "false_alarms": false_alarms,
        "innocent": len(innocent),
    }


def _rule_is_right(hits: Sequence[LabelledHit], said: Sequence[Said]) -> bool:
    accepted = {rule for hit in hits for rule in (hit.rule, *hit.also)}
    return any(one.rule in accepted for one in said)


def _errors(lines: Sequence[Utterance], said: Sequence[list[Said]]) -> list[dict[str, object]]:
    errors: list[dict[str, object]] = []
    for line, found in zip(lines, said, strict=True):
        if line.hits is None or (line.hits and _rule_is_right(line.hits, found)):
            continue
        if not line.hits and not found:
            continue
        kind = "wrong_rule" if line.hits else "false_alarm"
        errors.append(
            {
                "id": line.id,
                "kind": kind if found else "miss",
                "cat": line.cat,
                "text": line.text,
                "prev": line.prev,
                "expected": [hit.rule for hit in line.hits],
                "said": [{"rule": s.rule, "words": s.words, "score": s.score} for s in found],
            }
        )
    return errors
