"""`banxi eval conduct`: forbidden phrases in single utterances, beside plain exact matching."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import nats.errors
import typer
from pydantic import BaseModel

from contracts.base import Role
from services.common.datafiles import DataFileError
from services.common.failure import CannotStart
from services.common.settings import ServiceSettings, load
from services.common.vectors import Vector
from services.common.written import read
from services.conduct.books import load_meaning, load_phrases, load_waiting
from services.conduct.phrases.book import PhraseBook
from services.conduct.phrases.detector import Detector
from services.conduct.phrases.meaning import Head
from services.conduct.phrases.rulebook import Rule
from services.conduct.settings import Settings
from tools.connection import BusUnreachable
from tools.evaluate.against import kind_of, print_changes, told
from tools.evaluate.recorded import from_calls, from_scripts
from tools.evaluate.report import (
    BadLine,
    Line,
    Report,
    f1,
    fail,
    ratio,
    read_jsonl,
    show,
    write_predictions,
)
from tools.scripted_calls import ScriptError


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


Matcher = Callable[[Utterance], list[Said]]
BATCH = 32


def conduct(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Labelled utterances, one JSON object a line; or a folder of calls' .json."
        ),
    ] = None,
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
    against: Annotated[
        Path | None,
        typer.Option(help="The rule file to compare with: lists what the rules would change."),
    ] = None,
    meaning: Annotated[
        Path | None, typer.Option(help="Another meaning head (see banxi train conduct).")
    ] = None,
    words_only: Annotated[
        bool, typer.Option("--words-only", help="Without vectors, as when embedding is away.")
    ] = False,
    calls: Annotated[
        int | None,
        typer.Option(min=1, help="Decide the last N calls of the running system, not a file."),
    ] = None,
) -> None:
    """Measure how forbidden phrases are found in single utterances.

    A line is {"id", "role": "agent"|"caller", "text", "prev"?, "cat"?, "hits"?}; without "hits" a
    line is decided but not scored. An utterance counts as hit if any rule fires.

    Before a change of the rules goes live, try it on recorded words: with --against OLD every
    utterance is decided by both files, and what would be newly raised (+), no longer (-) or by
    another rule (~) is listed with its words.
    """
    lines, bad_lines = _lines(file, calls)
    try:
        own = load(Settings).conduct
        book = load_phrases(rules or own.phrases)
        old = load_phrases(against) if against else None
        head = load_meaning(meaning or own.meaning)
    except DataFileError as error:
        fail(str(error))
    vectors = {} if words_only else _vectors(lines, head)
    ours = _found(Detector(book, head), lines, vectors)
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
    theirs = _found(Detector(old, head), lines, vectors) if old else [exact(line) for line in lines]
    changes = _changes(lines, ours, theirs) if old else None
    if changes is not None and not as_json:
        print_changes(changes)
    categories = sorted({line.cat for line in lines if line.hits is not None})
    show(
        Report(
            "conduct",
            n=len(lines),
            metrics=_figures(lines, ours),
            by_category={
                cat: _figures(*_of_category(cat, lines, ours), short=True) for cat in categories
            },
            baseline={
                "name": f"against {old.version}" if old else "exact match",
                **_figures(lines, theirs),
            },
            errors=_errors(lines, ours),
            bad_lines=bad_lines,
            changes=changes,
        ),
        as_json=as_json,
        show_errors=show_errors,
    )


def _lines(file: Path | None, calls: int | None) -> tuple[list[Utterance], list[BadLine]]:
    """What is to be decided, and the lines that could not be read."""
    if (file is None) == (calls is None):
        fail("name a file or a folder of calls, or give --calls N")
    if file is not None and not file.is_dir():
        return read_jsonl(file, Utterance)
    own = load(Settings).conduct
    try:
        split_ms = load_waiting(own.waiting, own.own_times()).times.ms("split_s")
        if file is not None:
            spoken = from_scripts(file, split_ms)
        else:
            spoken = asyncio.run(from_calls(load(ServiceSettings), calls or 1, split_ms))
    except (BusUnreachable, DataFileError, ScriptError) as error:
        fail(str(error))
    except nats.errors.Error as error:
        fail(f"the kept calls cannot be read ({type(error).__name__}): start Banxi with `banxi up`")
    return [Utterance(id=s.id, role="agent", text=s.text, prev=s.prev) for s in spoken], []


def _vectors(lines: Sequence[Utterance], head: Head) -> dict[str, Vector]:
    """Each agent's text with its vector, made in this process by the default embedding model."""
    # Brings the model's library, which the rest of the command does without.
    from services.embedding.encoder import load as load_encoder
    from services.embedding.settings import EmbeddingSettings

    texts = sorted({line.text for line in lines if line.role == "agent" and line.text.strip()})
    try:
        encoder = load_encoder(EmbeddingSettings())
    except CannotStart as error:
        fail(str(error))
    if encoder.id != head.about.embedding:
        fail(f"the meaning head reads vectors of {head.about.embedding}, not of {encoder.id}")
    found: dict[str, Vector] = {}
    for at in range(0, len(texts), BATCH):
        batch = texts[at : at + BATCH]
        found.update(zip(batch, encoder.embed(batch, "query"), strict=True))
    return found


def _found(
    detector: Detector, lines: Sequence[Utterance], vectors: Mapping[str, Vector]
) -> list[list[Said]]:
    return [
        [
            Said(hit.rule.id, hit.words, hit.score)
            for hit in detector.hits(line.text, line.prev, vectors.get(line.text))
        ]
        if line.role == "agent"
        else []
        for line in lines
    ]


def exact_matcher(book: PhraseBook) -> Matcher:
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


def _changes(
    lines: Sequence[Utterance], new: Sequence[list[Said]], old: Sequence[list[Said]]
) -> list[dict[str, object]]:
    changes: list[dict[str, object]] = []
    for line, now, then in zip(lines, new, old, strict=True):
        kind = kind_of(now, then)
        if kind is None:
            continue
        change: dict[str, object] = {
            "id": line.id,
            "kind": kind,
            "text": line.text,
            "prev": line.prev,
            "new": told(now),
            "old": told(then),
        }
        if line.hits is not None:
            right = [name for name, s in (("new", now), ("old", then)) if _is_right(line.hits, s)]
            change |= {"cat": line.cat, "right": " and ".join(right) or "neither"}
        changes.append(change)
    return changes


def _is_right(hits: Sequence[LabelledHit], said: Sequence[Said]) -> bool:
    return _rule_is_right(hits, said) if hits else not said


def _errors(lines: Sequence[Utterance], said: Sequence[list[Said]]) -> list[dict[str, object]]:
    errors: list[dict[str, object]] = []
    for line, found in zip(lines, said, strict=True):
        if line.hits is None or _is_right(line.hits, found):
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
