"""`banxi bench knowledge`: a large base beside one embedding call, in one run."""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from services.common.failure import CannotStart
from services.knowledge.base import INDEX, KnowledgeBase
from services.knowledge.entries.authority import withdraw
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.background import read_background
from services.knowledge.finding.index import Index
from services.knowledge.finding.shards import EMBEDDED
from services.knowledge.keeping.store import Store
from services.knowledge.settings import DATABASE, KnowledgeSettings, region_tree
from tools.bench_base import Mixing, Question, made_entries, made_questions
from tools.encoder import LocalEmbedder
from tools.evaluate.call_scores import quantile
from tools.evaluate.report import fail

REGION = "临江市"
A_SECOND = 10
"""Questions a second while an answer is withdrawn."""
WATCHED_S = 3.0
"""So long it is asked for after that."""
BARS = {5_000: 3.0, 50_000: 8.0}
"""Entries → what a question may cost at p95, in the p95 of one embedding call."""
IMPORT_BAR_MS = 72.0
"""For one entry: 5,000 in six minutes."""


def bench_knowledge(
    entries: Annotated[int, typer.Option(min=50, max=100_000, help="Entries of the base.")] = 5000,
    queries: Annotated[int, typer.Option(min=20, help="Questions asked.")] = 200,
    mixed_after: Annotated[
        int | None,
        typer.Option(
            min=500,
            metavar="TEXTS",
            help="Make vectors of so many texts by the model, and mix those of the rest.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, times in ms.")] = False,
) -> None:
    """A base of many entries: how long its import takes, and a question beside one embedding call.

    The entries are made of the sample base: the first part of every wording of one entry and the
    second part of those of another, and so with their answers, for ever other pairs and, where
    those are used up, other places to cut. So they are as long as real ones and more easily
    confused. They are written to a new database, made vectors by the embedding service's own queue
    in this process, and indexed as the service does it (BANXI_QDRANT_URL counts).

    Every second question is one utterance. The others come in two or three, as callers put it, so
    that they are looked up alone and joined. Each takes turns with one embedding call of its last
    utterance, nothing is kept between them, and both are given in p50 and p95 over the questions.

    Then an answer is withdrawn by another connection to the database, while it is asked for 10
    times a second: how long after that was it last shown.

    Fifty thousand entries take the model more than half an hour. With --mixed-after 10000 the
    vectors of all texts after those are mixed of two earlier ones: a question costs the same, and
    the time of the import is not told.
    """
    try:
        figures = asyncio.run(_run(entries, queries, mixed_after, quiet=as_json))
    except CannotStart as error:
        fail(str(error))
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        _print(figures)


async def _run(
    count: int, queries: int, mixed_after: int | None, *, quiet: bool
) -> dict[str, float]:
    from services.common.settings import load
    from services.knowledge.settings import Settings

    entries = made_entries(count)
    embedder = await asyncio.to_thread(LocalEmbedder)
    with tempfile.TemporaryDirectory(prefix="banxi-bench-") as directory:
        place = Path(directory)
        base = KnowledgeBase(
            Store(place / DATABASE),
            Index(site="bench", path=place / INDEX, url=load(Settings).qdrant_url),
            embedder if mixed_after is None else Mixing(embedder, mixed_after),
            regions=region_tree(KnowledgeSettings()),
            background=read_background(),
            region=REGION,
            log=logging.getLogger("banxi.bench"),
        )
        async with base.running():
            began = time.perf_counter()
            await base.put(entries, by="bench", at=datetime.now(UTC), unnamed=True)
            written_s = time.perf_counter() - began
            await _indexed(base, quiet=quiet)
            figures = {"entries": float(count), "written_s": written_s}
            if mixed_after is None:
                figures["import_s"] = time.perf_counter() - began
                figures["import_ms_an_entry"] = figures["import_s"] * 1e3 / count
            figures |= await _side_by_side(base, embedder, made_questions(entries, queries))
            figures |= await _withdrawal(base, Store(place / DATABASE), entries)
    figures["memory_mb"] = _memory_mb()
    figures["embedded_engine"] = float(EMBEDDED)
    return figures


async def _indexed(base: KnowledgeBase, *, quiet: bool) -> None:
    total = base.missing
    waiting = asyncio.create_task(base.indexed())
    columns = TextColumn("vectors"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task("vectors", total=total)
        while not waiting.done():
            progress.update(task, completed=total - base.missing)
            await asyncio.wait({waiting}, timeout=0.5)
        progress.update(task, completed=total)
    await waiting


async def _side_by_side(
    base: KnowledgeBase, embedder: LocalEmbedder, questions: Sequence[Question]
) -> dict[str, float]:
    today = date.today()
    for question in questions[:10]:  # warms up
        await base.find(question.text, question.before, None, today)
    costs: dict[str, list[float]] = {"query": [], "alone": [], "joined": [], "embedding": []}
    found = 0
    for question in questions:
        took = await _timed(lambda q=question: embedder.embed([q.text], "query"))  # type: ignore[misc]
        costs["embedding"].append(took[0])
        took_s, told = await _timed(
            lambda q=question: base.find(q.text, q.before, None, today)  # type: ignore[misc]
        )
        costs["query"].append(took_s)
        costs["joined" if question.before else "alone"].append(took_s)
        found += told is not None
    reference = quantile(costs["embedding"], 0.95) or 1.0
    figures: dict[str, float] = {"queries": float(len(questions)), "found": float(found)}
    for name, times in costs.items():
        for share, label in ((0.5, "p50"), (0.95, "p95")):
            figures[f"{name}_{label}_ms"] = (quantile(times, share) or 0.0) * 1e3
    for name in ("query", "alone", "joined"):
        ratio = figures[f"{name}_p95_ms"] / 1e3 / reference
        figures[f"{name}_p95_over_embedding_p95"] = ratio
    return figures


async def _timed(work: Callable[[], Awaitable[object]]) -> tuple[float, object]:
    began = time.perf_counter()
    result = await work()
    return time.perf_counter() - began, result


async def _withdrawal(
    base: KnowledgeBase, other: Store, entries: Sequence[Entry]
) -> dict[str, float]:
    today = date.today()
    entry = None
    for some in (e for e in entries if e.answerable and e.region == REGION):
        told = await base.find(some.question, (), None, today)
        if told is not None and told.ruling.answer == some.answer:
            entry = some
            break
    if entry is None:
        return {}
    shown: list[float] = []
    asked = 0

    async def ask() -> None:
        told = await base.find(entry.question, (), None, today)
        if told is not None and told.ruling.answer == entry.answer:
            shown.append(time.perf_counter())

    asking: list[asyncio.Task[None]] = []
    withdrawn_at = 0.0
    end = time.perf_counter() + 1 + WATCHED_S
    try:
        while (now := time.perf_counter()) < end:
            asking.append(asyncio.create_task(ask()))
            asked += 1
            if not withdrawn_at and now > end - WATCHED_S:
                await other.act(
                    entry.id,
                    lambda life: withdraw(life, "transfer", by="bench", today=today),
                    at=datetime.now(UTC),
                )
                withdrawn_at = time.perf_counter()
            await asyncio.sleep(1 / A_SECOND)
        await asyncio.gather(*asking)
    finally:
        await other.close()
    late = max((moment - withdrawn_at for moment in shown), default=0.0)
    return {
        "withdrawal_asked": float(asked),
        "withdrawal_shown_before": float(sum(moment <= withdrawn_at for moment in shown)),
        "withdrawal_last_shown_after_s": max(0.0, late),
    }


def _memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform == "linux" else 1024 * 1024)


def _print(figures: Mapping[str, float]) -> None:
    console = Console()
    count = int(figures["entries"])
    if "import_s" in figures:
        console.print(
            f"{count:,} entries imported in {figures['import_s']:.0f} s "
            f"({figures['import_ms_an_entry']:.1f} ms each, bar ≤ {IMPORT_BAR_MS:g}), "
            f"of this {figures['written_s']:.1f} s into the database"
        )
    else:
        console.print(f"{count:,} entries, the vectors of most of them mixed")
    bar = next((ratio for size, ratio in BARS.items() if count <= size), None)
    table = Table("", "p50, ms", "p95, ms", "p95 ratio", "bar")
    names = {
        "query": "a question, all in",
        "alone": "… of one utterance",
        "joined": "… of two or three",
        "embedding": "one embedding call",
    }
    for name, title in names.items():
        ratio = figures.get(f"{name}_p95_over_embedding_p95")
        table.add_row(
            title,
            *(f"{figures[f'{name}_{label}_ms']:.1f}" for label in ("p50", "p95")),
            "" if ratio is None else f"{ratio:.2f}",
            f"≤ {bar:g}" if bar and name == "query" else "",
        )
    console.print(table)
    console.print(f"{figures['found']:.0f} of {figures['queries']:.0f} questions were answered")
    if "withdrawal_last_shown_after_s" in figures:
        console.print(
            f"an answer withdrawn, asked for {A_SECOND} times a second: last shown "
            f"{figures['withdrawal_last_shown_after_s']:.2f} s after (bar ≤ 1)"
        )
    console.print(f"memory at most {figures['memory_mb']:.0f} MB, the model included")
