"""`banxi bench call-type`: one update of a call's type beside one embedding call, in one run; and
the memory that the service's models take beside the embedding service."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from contracts.base import Producer
from contracts.call import CallStarted
from contracts.transcript import TranscriptFinal
from services.call_type import books
from services.call_type.handler import CallState, CallTypeHandler
from services.call_type.history import NOTHING, History
from services.call_type.settings import CallTypeSettings
from services.common.failure import CannotStart
from services.common.vectors import Vector
from services.embedding.encoder import Encoder
from services.embedding.encoder import load as load_encoder
from services.embedding.settings import EmbeddingSettings
from tools.bench_conduct import REFERENCE, figures_of, measure
from tools.evaluate import baseline
from tools.evaluate.hearing import SPOKEN_MS, TURN_MS, Vectors
from tools.evaluate.lines import Call, Turn
from tools.evaluate.report import fail, read_jsonl

DATA = Path(__file__).parents[1] / "eval_data"
TITLES = {
    "nearest": baseline.NAME,
    "words_only": "words only",
    "update": "with meaning",
    REFERENCE: "embedding alone",
}
"""The ways that are compared, the reference last, and what the table calls them."""
BARS = {"words_only": 1.0, "update": 2.0}
"""What p95 may cost at most, in p95 of the reference."""
MEMORY_BAR_MB = 200
ROUNDS = 5
LONG_TURNS = 300
LONG_CALLS = 8
_KERNEL = """
import numpy, psutil
import services.common.bus, services.common.calls, services.common.service
"""
_MODELS = """
from services.call_type.books import load
books = load()
vector = numpy.full(DIMENSION, DIMENSION**-0.5, dtype=numpy.float32)
said = books.assessor.ear.hear("1", "caller", (0, 5000), "你好，养老保险怎么转过来", vector)
now = books.assessor.hear(books.assessor.begin(), said)
"""
_RESIDENT = "print(psutil.Process().memory_info().rss)"


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """A caller utterance, and what the call was before it."""

    final: TranscriptFinal
    before: CallState
    before_words: CallState
    """The same, heard without vectors."""


def bench_call_type(
    file: Annotated[
        Path | None,
        typer.Option(help="Calls of your own, as for banxi eval call-type."),
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, help="How often each utterance is heard in each way.")
    ] = ROUNDS,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, times in ms.")] = False,
) -> None:
    """Hearing one more utterance of the caller, beside embedding it once.

    Four ways take turns on each utterance, in ever another order, in one thread: the nearest
    prototype, embedding included; words only, what the service does without vectors; with meaning,
    what it does otherwise: embedding, the look at the dialogue, type, intake kind, turn and
    situation; and the reference, one embedding call. Then the same at the end of calls of 300
    turns, made by repetition. An utterance counts with the median of its rounds.

    Memory is what a fresh process that loads the service's models and hears a call holds, beyond
    one that only imports what every service stands on.
    """
    path = file or DATA / "calltype.dev.jsonl"
    calls, bad = read_jsonl(path, Call)
    if bad:
        fail(f"{path}, line {bad[0].line}: {bad[0].message}")
    calls = [call for call in calls if any(map(_of_caller, call.turns))]
    if not calls:
        fail(f"{path}: no words of a caller there")
    try:
        bench = Bench(load_encoder(EmbeddingSettings()))
    except CannotStart as error:
        fail(str(error))
    updates = [update for call in calls for update in bench.updates(call.turns)]
    longest = sorted(calls, key=lambda call: -len(call.turns))[:LONG_CALLS]
    long = [[*bench.updates(repeated(call.turns))][-1] for call in longest]
    figures = figures_of(measure(bench.ways, updates, rounds))
    ending = figures_of(measure(bench.ways, long, rounds))
    figures |= {f"long_{name}": value for name, value in ending.items()}
    figures["memory_mb"] = memory_mb(bench.dimension)
    if as_json:
        counts = {"utterances": len(updates), "long_calls": len(long), "rounds": rounds}
        typer.echo(json.dumps(counts | figures))
    else:
        _print(figures, len(updates), len(long), rounds)


class Bench:
    """The models, and the ways to hear an utterance. Raises CannotStart."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors = Vectors(encoder)
        self._books = books.load()
        if encoder.id != self._books.embedding:
            raise CannotStart(
                f"the heads read vectors of {self._books.embedding}, not {encoder.id}"
            )
        self._handler = CallTypeHandler(self._books, _Nobody(), _Nobody(), CallTypeSettings().firm)
        self._prototypes = baseline.Prototypes.of(self._vectors.of)
        self.dimension = encoder.dimension

    def updates(self, turns: Sequence[Turn]) -> Iterator[Update]:
        """Each utterance of the caller in the course of a call."""
        with_vectors = without = self._handler.open("bench", "bench")
        self._vectors.learn(turn.text for turn in turns if turn.text.strip())
        for at, turn in enumerate(turns):
            if not turn.text.strip():
                continue
            final = TranscriptFinal(
                call_id="bench",
                site="bench",
                at_ms=at * TURN_MS,
                end_ms=at * TURN_MS + SPOKEN_MS,
                role=turn.role,
                text=turn.text,
                heard=turn.text,
                by=Producer(name="bench", version="1"),
            )
            if turn.role == "caller":
                yield Update(final, with_vectors, without)
            with_vectors = self._hear(with_vectors, final, self._vectors.of([turn.text])[0])
            without = self._hear(without, final, None)

    @property
    def ways(self) -> Mapping[str, Callable[[Update], object]]:
        """By the names of `TITLES`."""
        return {
            "nearest": lambda one: self._prototypes.nearest(self._embed(one)),
            "words_only": lambda one: self._hear(one.before_words, one.final, None),
            "update": lambda one: self._hear(one.before, one.final, self._embed(one)),
            REFERENCE: self._embed,
        }

    def _embed(self, one: Update) -> Vector:
        [vector] = self._encoder.embed([one.final.text], "query")
        return np.asarray(vector)

    def _hear(self, before: CallState, final: TranscriptFinal, vector: Vector | None) -> CallState:
        return self._handler.hear(before, final, vector)[0]


class _Nobody:
    """Who is not asked in a benchmark: vectors are at hand, and no number has called before."""

    model = ""

    async def vectors(self, texts: Sequence[str]) -> list[Vector] | None:
        return None

    async def of(self, started: CallStarted) -> History:
        return NOTHING


def memory_mb(dimension: int) -> float:
    """What a fresh process holds with the service's models, beyond one without them, MB."""
    with_models = _resident(_KERNEL + _MODELS.replace("DIMENSION", str(dimension)) + _RESIDENT)
    return (with_models - _resident(_KERNEL + _RESIDENT)) / 1e6


def _resident(script: str) -> int:
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return int(run.stdout)


def repeated(turns: Sequence[Turn]) -> list[Turn]:
    """A call of `LONG_TURNS` turns, or one more: it ends with words of the caller."""
    long = list(islice(cycle(turns), LONG_TURNS))
    return [*long, next(filter(_of_caller, reversed(turns)))]


def _of_caller(turn: Turn) -> bool:
    return turn.role == "caller" and bool(turn.text.strip())


def _print(figures: Mapping[str, float], updates: int, long: int, rounds: int) -> None:
    console = Console(highlight=False)
    for start, what in (("", f"{updates} utterances of callers"), ("long_", f"{long} long calls")):
        table = Table("", "p50, ms", "p95, ms", "p50 ratio", "p95 ratio", "bar", title=what)
        for way, title in TITLES.items():
            times = [f"{figures[f'{start}{way}_{name}_ms']:.2f}" for name in ("p50", "p95")]
            ratios = [
                figures.get(f"{start}{way}_{name}_over_{REFERENCE}_p95") for name in ("p50", "p95")
            ]
            cells = ("" if ratio is None else f"{ratio:.3f}" for ratio in ratios)
            table.add_row(title, *times, *cells, f"≤ {BARS[way]:g}" if way in BARS else "")
        console.print(table)
    console.print(
        f"ratios: to the p95 of embedding alone; median of {rounds} rounds each; "
        f"long calls have {LONG_TURNS} turns"
    )
    memory = figures["memory_mb"]
    console.print(f"memory of the models: {memory:.0f} MB (bar: ≤ {MEMORY_BAR_MB} MB)")
