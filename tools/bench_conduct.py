"""`banxi bench conduct`: deciding on one utterance beside embedding it, in one run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, permutations
from pathlib import Path
from statistics import median
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from services.common.datafiles import DataFileError
from services.common.failure import CannotStart
from services.conduct.books import load_rules
from services.conduct.phrases.detector import Detector
from services.embedding.encoder import Encoder
from services.embedding.encoder import load as load_encoder
from services.embedding.settings import EmbeddingSettings
from tools.evaluate.call_scores import quantile
from tools.evaluate.conduct import Utterance, exact_matcher
from tools.evaluate.lines import Call
from tools.evaluate.report import L, fail, read_jsonl

DATA = Path(__file__).parents[1] / "eval_data"
REFERENCE = "embedding"
TITLES = {
    "exact": "exact matching",
    "matching": "matching alone",
    "words_only": "words only",
    "with_meaning": "with meaning",
    REFERENCE: "embedding alone",
}
"""The ways that are compared, the reference last, and what the table calls them."""
BARS = {"words_only": 1.0, "with_meaning": 2.5}
"""What p95 may cost at most, in p95 of the reference."""
ROUNDS = 5

T = TypeVar("T")


def bench_conduct(
    file: Annotated[
        Path | None,
        typer.Option(
            help="Utterances of your own, as for banxi eval conduct; callers' are left out."
        ),
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, help="How often each utterance is decided in each way.")
    ] = ROUNDS,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, times in ms.")] = False,
) -> None:
    """Deciding whether an agent's utterance holds a forbidden phrase, beside embedding it once.

    Five ways take turns on each utterance, in ever another order, in one thread: exact matching of
    the list's phrases; matching alone, by character and sound; words only, what the service does
    without vectors; with meaning, what it does otherwise, the embedding of the utterance included;
    and the reference, one embedding call. The agent's utterance before is given, as in a call.

    An utterance counts with the median of its rounds, which leaves out what the machine did
    meanwhile; p50 and p95 are over the utterances. A first round warms up and is not counted: what
    is kept by character is there, as in a service that has heard some calls.
    """
    utterances = _of_agents(file)
    try:
        detector = load_rules().detector
        encoder = load_encoder(EmbeddingSettings())
    except (DataFileError, CannotStart) as error:
        fail(str(error))
    if encoder.id != detector.model:
        fail(f"the meaning head reads vectors of {detector.model}, not of {encoder.id}")
    costs = measure(_ways(detector, encoder), utterances, rounds)
    figures = figures_of(costs)
    if as_json:
        counts = {"utterances": len(utterances), "rounds": rounds}
        typer.echo(json.dumps(counts | _lengths(utterances) | figures))
    else:
        _print(figures, utterances, rounds)


def _of_agents(file: Path | None) -> list[Utterance]:
    """Different utterances of agents: those of the file, or of the data for developing."""
    if file is not None:
        lines = _read(file, Utterance)
    else:
        lines = _read(DATA / "forbidden.dev.jsonl", Utterance)
        for call in _read(DATA / "calltype.dev.jsonl", Call):
            texts = [turn.text for turn in call.turns if turn.role == "agent"]
            lines += [
                Utterance(id=f"{call.id}-{at}", role="agent", text=text, prev=before)
                for at, (before, text) in enumerate(zip(["", *texts], texts, strict=False))
            ]
    said = {(x.text, x.prev): x for x in lines if x.role == "agent" and x.text.strip()}
    if not said:
        fail(f"{file}: no words of an agent there")
    return list(said.values())


def _read(path: Path, model: type[L]) -> list[L]:
    lines, bad = read_jsonl(path, model)
    if bad:
        fail(f"{path}, line {bad[0].line}: {bad[0].message}")
    return lines


def _ways(detector: Detector, encoder: Encoder) -> dict[str, Callable[[Utterance], object]]:
    def embedding(one: Utterance) -> object:
        return encoder.embed([one.text], "query")

    def with_meaning(one: Utterance) -> object:
        [vector] = encoder.embed([one.text], "query")
        return detector.hits(one.text, one.prev, vector)

    return {
        "exact": exact_matcher(detector.book),
        "matching": lambda one: detector.book.look(one.text, one.prev),
        "words_only": lambda one: detector.hits(one.text, one.prev),
        "with_meaning": with_meaning,
        REFERENCE: embedding,
    }


def measure(
    ways: Mapping[str, Callable[[T], object]],
    items: Sequence[T],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """For each way the time each item took, the median of the rounds after the first, seconds."""
    taken: dict[str, list[list[float]]] = {way: [[] for _ in items] for way in ways}
    # None has the advantage of always following one that touched the same memory.
    orders = cycle(permutations(ways))
    for number in range(rounds + 1):
        for at, item in enumerate(items):
            for way in next(orders):
                began = clock()
                ways[way](item)
                took = clock() - began
                if number:
                    taken[way][at].append(took)
    return {way: [median(times) for times in each] for way, each in taken.items()}


def figures_of(costs: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """p50 and p95 of each way in ms, and over the reference's p95; `costs` in seconds."""
    reference = quantile(costs[REFERENCE], 0.95) or 0.0
    figures: dict[str, float] = {}
    for way, times in costs.items():
        for name, share in (("p50", 0.5), ("p95", 0.95)):
            cost = quantile(times, share) or 0.0
            figures[f"{way}_{name}_ms"] = cost * 1e3
            if way != REFERENCE:
                figures[f"{way}_{name}_over_{REFERENCE}_p95"] = cost / reference
    return figures


def _lengths(utterances: Sequence[Utterance]) -> dict[str, float]:
    lengths = [len(one.text) for one in utterances]
    return {
        "characters_p50": quantile(lengths, 0.5) or 0.0,
        "characters_p95": quantile(lengths, 0.95) or 0.0,
    }


def _print(figures: Mapping[str, float], utterances: Sequence[Utterance], rounds: int) -> None:
    lengths = _lengths(utterances)
    table = Table("", "p50, ms", "p95, ms", "p50 ratio", "p95 ratio", "bar")
    for way, title in TITLES.items():
        times = [f"{figures[f'{way}_{name}_ms']:.2f}" for name in ("p50", "p95")]
        ratios = [figures.get(f"{way}_{name}_over_{REFERENCE}_p95") for name in ("p50", "p95")]
        bar = f"≤ {BARS[way]:g}" if way in BARS else ""
        cells = ("" if ratio is None else f"{ratio:.3f}" for ratio in ratios)
        table.add_row(title, *times, *cells, bar)
    Console().print(table)
    Console().print(
        f"ratios: to the p95 of embedding alone; {len(utterances)} utterances of agents, "
        f"{lengths['characters_p50']:g} characters (p95 {lengths['characters_p95']:g}), "
        f"median of {rounds} rounds each"
    )
