"""`banxi train knowledge`: learn from authors' bases and questions to find what a caller means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table

from services.common.datafiles import DataFileError
from services.embedding.matters import LEARNED as MODEL
from services.embedding.matters import Matters
from services.embedding.weights import NotOurs
from services.knowledge.finding.background import DATA
from services.knowledge.finding.ranking import LEARNED as NUMBERS
from services.knowledge.finding.ranking import packaged_ranking
from tools.evaluate.report import fail
from tools.train.asked import Author, digest, read_authors
from tools.train.matters import Teacher, lesson
from tools.train.ranking import Make, Vectors, learn, listen

EXEMPLARS = DATA / "exemplars"
AT_ONCE = 64
ASIDE = ("a2", "b2", "b3")

console = Console(stderr=True)


def knowledge(
    exemplars: Annotated[
        Path,
        typer.Option(help="Folder with a folder an author: kb.csv, regions.csv, queries.jsonl."),
    ] = EXEMPLARS,
    aside: Annotated[
        list[str] | None,
        typer.Option(
            help="Author the model does not learn from; default: three of ours. Repeatable."
        ),
    ] = None,
    model: Annotated[Path, typer.Option(help="Where to write what the model learned.")] = MODEL,
    numbers: Annotated[Path, typer.Option(help="Where to write the ranking's numbers.")] = NUMBERS,
    go_on: Annotated[
        bool, typer.Option("--go-on", help="Begin with what --model learned before, not anew.")
    ] = False,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit", help="Learn nothing: fit the numbers to what --model makes of those aside."
        ),
    ] = False,
    short_floats: Annotated[
        bool,
        typer.Option(
            "--bfloat16", help="Reckon in bfloat16: twice as fast where the processor knows it."
        ),
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="Threads to learn on.")] = 2,
) -> None:
    """Learn what callers mean, and how sure a match is.

    Takes one to two hours on two cores. First the model learns from all authors but those aside;
    then the ranking's numbers and the confidence are fitted to what it makes of those aside, whose
    figures are printed. A site adds folders of its own base and its callers' questions to a copy
    of the exemplars.
    """
    chosen = tuple(aside or ASIDE)
    try:
        authors = read_authors(exemplars)
        version = digest(exemplars)
    except DataFileError as error:
        fail(str(error))
    strangers = [author for author in authors if author.name in chosen]
    taught = [author for author in authors if author.name not in chosen]
    if missing := set(chosen) - {author.name for author in strangers}:
        fail(f"{exemplars}: there is no author {', '.join(sorted(missing))}")
    if not taught:
        fail(f"{exemplars}: nobody is left to learn from")
    for path in (model, numbers):
        if not path.parent.is_dir():
            fail(f"{path}: there is no folder {path.parent}")
    if refit:
        _refit(strangers, model, numbers, threads)
        return
    torch.set_num_threads(threads)
    teacher = Teacher(console.print, short_floats=short_floats)
    if go_on:
        try:
            teacher.go_on(model)
        except (OSError, ValueError) as error:
            fail(str(error))
    lessons = [lesson(author) for author in taught]
    console.print(f"learning from {sum(len(one.texts) for one in lessons)} questions …")
    teacher.learn(lessons)
    teacher.save(model, version)
    _fit(strangers, teacher.vectors, version, numbers)
    console.print(f"written: {model} ({model.stat().st_size / 1e6:.1f} MB) and {numbers}")


def _refit(strangers: list[Author], model: Path, numbers: Path, threads: int) -> None:
    try:
        served = Matters(model, threads)
    except (OSError, NotOurs) as error:
        fail(f"{model}: {error}")

    def vectors(texts: Sequence[str]) -> Vectors:
        made = np.zeros((len(texts), served.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), AT_ONCE):
            some = order[start : start + AT_ONCE]  # of about one length: less to fill up
            made[some] = served.embed([texts[i] for i in some])
        return made

    _fit(strangers, vectors, served.version, numbers)
    console.print(f"written: {numbers}")


def _fit(strangers: list[Author], make: Make, version: str, path: Path) -> None:
    console.print("fitting the ranking to the authors aside …")
    ranking = packaged_ranking()
    heeded = [one for author in strangers for one in listen(author, make, ranking)]
    found, figures = learn(heeded, version)
    text = json.dumps(found.model_dump(mode="json"), ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    table = Table("on the authors aside", "")
    for name, figure in figures.items():
        table.add_row(name, f"{figure:.3f}")
    Console().print(table)
