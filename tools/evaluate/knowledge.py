"""`banxi eval knowledge`: what a base answers, transfers and leaves alone, beside plain vectors."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from pydantic import BaseModel

from services.common.failure import CannotStart
from services.knowledge.base import KnowledgeBase
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.regions import BadRegions, RegionTree, read_regions
from services.knowledge.files.rows import Rule, read_rows
from services.knowledge.files.table import Unreadable, read_table
from services.knowledge.finding.background import read_background
from services.knowledge.finding.index import Index
from services.knowledge.keeping.store import Store
from services.knowledge.settings import DATABASE, KnowledgeSettings, region_tree
from tools.encoder import LocalEmbedder
from tools.evaluate.call_type_scores import calibration_error
from tools.evaluate.plain import PlainSearch
from tools.evaluate.report import (
    BadLine,
    Figures,
    Line,
    Report,
    fail,
    ratio,
    read_jsonl,
    show,
    write_predictions,
)

LISTED = 2
"""Alternatives beside the first: what counts for `answer_at_3`."""


class Expected(BaseModel):
    """What a person says is right."""

    kind: Literal["answer", "transfer", "none"]
    """Answer it, transfer it, or show nothing."""
    id: str | None = None
    """The entry."""
    department: str | None = None
    """The department a transfer goes to."""


class Question(Line):
    """What one caller asks."""

    text: str
    """The utterance."""
    context: tuple[str, ...] = ()
    """The caller's utterances before it, oldest first."""
    region: str | None = None
    """Region of the call; None = the site's."""
    expect: Expected | None = None
    """Label."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an agent would see."""

    kind: Literal["answer", "transfer", "announced", "none"] = "none"
    entry: str | None = None
    department: str | None = None
    alternatives: tuple[str, ...] = ()
    answer: str | None = None
    confidence: float | None = None
    """How sure it was of what it showed."""
    seconds: float = 0.0
    """How long it took, the embedding included."""


def knowledge(
    file: Annotated[Path, typer.Argument(help="Questions, one JSON object a line.")],
    kb: Annotated[Path, typer.Option(help="The knowledge base: CSV or Excel.")],
    regions: Annotated[
        Path | None, typer.Option(help="Table of regions (name,parent); default: the site's.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            help="Region of questions that name none; default: the site's, where the table has it, "
            "else its topmost."
        ),
    ] = None,
    day: Annotated[
        str | None, typer.Option("--date", help="The day that counts as today, 2026-01-31.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    predictions: Annotated[
        Path | None, typer.Option(help="Write what the system said, one JSON object a line.")
    ] = None,
    show_errors: Annotated[
        bool, typer.Option("--show-errors", help="List every line decided wrongly.")
    ] = False,
) -> None:
    """Measure what a knowledge base answers, transfers and leaves alone.

    A line is {"id", "text", "context"?, "region"?, "cat"?, "expect"?: {"kind": "answer"|"transfer"|
    "none", "id"?, "department"?}}; without "expect" a line is decided but not scored. The base is
    searched by the service's own code, in this process. `leaks` counts answers shown that must not
    be: not authorised, not valid on the day, not of the caller's region, or overruled by a nearer
    region. `ece` is the calibration error of the confidence over all cards shown. Latencies are
    seconds a question, its embedding included. The baseline is the nearest vector of the general
    model.
    """
    questions, bad_lines = read_jsonl(file, Question)
    try:
        tree, site = _regions(regions, region)
        entries, bad_rows = _read_base(kb, tree)
        today = _day(day)
        ours, plain, embedding_p50 = asyncio.run(_ask_all(questions, entries, tree, site, today))
    except CannotStart as error:
        fail(str(error))
    if predictions:
        write_predictions(
            predictions,
            (
                {
                    "id": question.id,
                    "kind": told.kind,
                    "entry": told.entry,
                    "department": told.department,
                    "alternatives": list(told.alternatives),
                    "answer": told.answer,
                }
                for question, told in zip(questions, ours, strict=True)
            ),
        )
    rule = _LeakRule(entries, tree, site, today)
    labelled = [i for i, question in enumerate(questions) if question.expect]
    categories = sorted({questions[i].cat for i in labelled})
    metrics = {
        **_scores(questions, ours, rule),
        "ece": calibration_error(
            [
                (told.confidence, _right(question, told))
                for question, told in zip(questions, ours, strict=True)
                if question.expect and told.confidence is not None
            ]
        ),
        **_latencies(ours),
        "embedding_p50": embedding_p50,
    }
    show(
        Report(
            "knowledge",
            n=len(questions),
            metrics=metrics,
            by_category={cat: _scores(questions, ours, rule, cat) for cat in categories},
            baseline={
                "name": "plain vector search",
                **_scores(questions, plain, rule),
                **_latencies(plain),
            },
            errors=_errors(questions, ours),
            bad_lines=[*bad_lines, *bad_rows],
        ),
        as_json=as_json,
        show_errors=show_errors,
    )


def _regions(path: Path | None, region: str | None) -> tuple[RegionTree, str]:
    """The tree, and the region of questions that name none. Raises CannotStart."""
    if path is None:
        settings = KnowledgeSettings(**({"region": region} if region else {}))
        return region_tree(settings), settings.region
    try:
        tree = read_regions(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        fail(f"{path}: cannot be read ({error.strerror})")
    except (BadRegions, UnicodeDecodeError) as error:
        fail(f"{path}: {error}")
    if region is not None and region not in tree:
        fail(f"--region {region}: is not in {path}")
    usual = KnowledgeSettings().region
    top = next(name for name, parent in tree.parents.items() if parent is None)
    return tree, region or (usual if usual in tree else top)


def _read_base(path: Path, tree: RegionTree) -> tuple[tuple[Entry, ...], list[BadLine]]:
    try:
        table = read_table(path)
    except OSError as error:
        fail(f"{path}: cannot be read ({error.strerror})")
    except Unreadable as error:
        fail(f"{path} {error}")
    taken = read_rows(table.rows, Rule(tree, unnamed=True))
    bad = [BadLine(p.line, f"{path.name}, {p.field or 'row'}: {p.message}") for p in taken.problems]
    return taken.entries, bad


def _day(text: str | None) -> date:
    if text is None:
        return date.today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"--date {text}: write it as 2026-01-31")


async def _ask_all(
    questions: Sequence[Question],
    entries: Sequence[Entry],
    tree: RegionTree,
    region: str,
    today: date,
) -> tuple[list[Told], list[Told], float | None]:
    """What the system and the baseline say, and the median time of one embedding, seconds."""
    embedder = LocalEmbedder()
    with tempfile.TemporaryDirectory(prefix="banxi-eval-") as directory:
        base = KnowledgeBase(
            # In a file: every connection to a database in memory would see another one.
            Store(Path(directory) / DATABASE),
            Index(site="eval"),
            embedder,
            regions=tree,
            background=read_background(),
            region=region,
            log=logging.getLogger("banxi.eval"),
        )
        async with base.running():
            await base.put(entries, by="eval", at=datetime.now(UTC), unnamed=True)
            await base.indexed()
            ours = [await _ask(base, question, today) for question in questions]
            search = PlainSearch(entries)
            plain = [_ask_plain(search, question) for question in questions]
            times = []
            for question in questions[:50]:
                started = time.perf_counter()
                await embedder.embed([question.text], "query")
                times.append(time.perf_counter() - started)
    return ours, plain, float(np.median(times)) if times else None


async def _ask(base: KnowledgeBase, question: Question, today: date) -> Told:
    started = time.perf_counter()
    found = await base.find(question.text, question.context, question.region, today)
    seconds = time.perf_counter() - started
    if found is None:
        return Told(seconds=seconds)
    ruling = found.ruling
    return Told(
        kind=ruling.kind,
        entry=ruling.source.entry_id,
        department=ruling.source.department,
        alternatives=tuple(other.source.entry_id for other in found.alternatives),
        answer=ruling.answer,
        confidence=ruling.confidence,
        seconds=seconds,
    )


def _ask_plain(search: PlainSearch, question: Question) -> Told:
    found, seconds = search.find(question.text)
    if not found:
        return Told(seconds=seconds)
    entry = found[0]
    return Told(
        kind="answer" if entry.answerable else "transfer",
        entry=entry.id,
        department=entry.department,
        alternatives=tuple(other.id for other in found[1 : 1 + LISTED]),
        answer=entry.answer if entry.answerable else None,
        seconds=seconds,
    )


class _LeakRule:
    """Whether an answer was shown that must not be, told from the table alone: this does not use
    the code that decides."""

    def __init__(
        self, entries: Sequence[Entry], tree: RegionTree, region: str, today: date
    ) -> None:
        self._entries = {entry.id: entry for entry in entries}
        self._tree = tree
        self._region = region
        self._today = today

    def leaks(self, question: Question, told: Told) -> bool:
        """Whether what was told leaks."""
        if told.answer is None or told.entry is None:
            return False
        entry = self._entries[told.entry]
        chain = self._tree.chain(question.region or self._region)
        allowed = entry.authorised and entry.valid_on(self._today) and entry.region in chain
        if not allowed or told.answer != entry.answer:
            return True
        nearer = chain[: chain.index(entry.region)]
        overruled = any(
            other.question == entry.question
            and other.region in nearer
            and other.valid_on(self._today)
            for other in self._entries.values()
        )
        expected = question.expect
        return overruled or bool(
            expected and expected.kind == "transfer" and expected.id == told.entry
        )


def _scores(
    questions: Sequence[Question], told: Sequence[Told], rule: _LeakRule, cat: str | None = None
) -> Figures:
    pairs = [
        (question, question.expect, said)
        for question, said in zip(questions, told, strict=True)
        if cat in (None, question.cat)
    ]
    counts: dict[str, list[bool]] = {
        name: [] for name in ("answer_at_1", "answer_at_3", "transfer_at_1", "none_rejected")
    }
    for _, expected, said in pairs:
        if expected is None:
            continue
        first = said.kind == expected.kind and said.entry == expected.id
        if expected.kind == "answer":
            counts["answer_at_1"].append(first)
            counts["answer_at_3"].append(expected.id in (said.entry, *said.alternatives[:LISTED]))
        elif expected.kind == "transfer":
            counts["transfer_at_1"].append(first)
        else:
            counts["none_rejected"].append(said.kind == "none")
    figures: dict[str, float | None] = {
        name: ratio(sum(right), len(right)) for name, right in counts.items()
    }
    return figures | {"leaks": float(sum(rule.leaks(q, said) for q, _, said in pairs))}


def _right(question: Question, told: Told) -> bool:
    expected = question.expect
    return expected is not None and (told.kind, told.entry) == (expected.kind, expected.id)


def _latencies(told: Sequence[Told]) -> Figures:
    times = [said.seconds for said in told]
    return {
        "latency_p50": float(np.percentile(times, 50)) if times else None,
        "latency_p95": float(np.percentile(times, 95)) if times else None,
    }


def _errors(questions: Sequence[Question], told: Sequence[Told]) -> list[Mapping[str, object]]:
    errors: list[Mapping[str, object]] = []
    for question, said in zip(questions, told, strict=True):
        expected = question.expect
        if expected is None or (said.kind, said.entry) == (expected.kind, expected.id):
            continue
        errors.append(
            {
                "id": question.id,
                "kind": expected.kind,
                "expected": expected.id,
                "said": said.kind,
                "entry": said.entry,
                "text": question.text,
            }
        )
    return errors
