"""A large base for `banxi bench knowledge`, made of the sample base, and questions to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from contracts.requests import Embedding
from services.knowledge.entries.entry import Entry
from services.knowledge.files.rows import Rule, read_rows
from services.knowledge.files.table import read_table
from services.knowledge.finding.embedder import Embedder, Purpose
from services.knowledge.settings import SAMPLE_BASE, KnowledgeSettings, region_tree

CUTS = (0.5, 0.35, 0.65, 0.2, 0.8)
"""Where wordings are cut, one after the other as more entries are wanted."""
STRIDE = 7919
"""Entries between two that are asked for: a prime, so that they lie all over the base."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the base."""

    text: str
    before: tuple[str, ...] = ()


def made_entries(count: int) -> list[Entry]:
    """That many different entries; always the same. Raises ValueError where so many cannot be
    made."""
    tree = region_tree(KnowledgeSettings())
    sample = read_rows(read_table(SAMPLE_BASE).rows, Rule(tree, unnamed=True)).entries
    regions = list(tree.parents)
    made: list[Entry] = []
    known: set[str] = set()
    for one, other, cut in _pairs(sample):
        entry = _crossed(one, other, cut)
        if entry.question in known:
            continue
        known.add(entry.question)
        number = len(made)
        made.append(replace(entry, id=f"b{number}", region=regions[number % len(regions)]))
        if len(made) == count:
            return made
    raise ValueError(f"the sample base makes {len(made)} different entries only")


def _pairs(sample: Sequence[Entry]) -> Iterator[tuple[Entry, Entry, float]]:
    for cut in CUTS:
        for step in range(1, len(sample)):
            for i, one in enumerate(sample):
                yield one, sample[(i + step) % len(sample)], cut


def _crossed(one: Entry, other: Entry, cut: float) -> Entry:
    def cross(left: str, right: str) -> str:
        return left[: max(1, round(len(left) * cut))] + right[round(len(right) * cut) :]

    pairs = zip(one.similar, other.similar, strict=False)
    return replace(
        one,
        question=cross(one.question, other.question),
        similar=tuple(dict.fromkeys(cross(a, b) for a, b in pairs)),
        answer=cross(one.answer, other.answer),
        department=other.department,
        valid_from=None,
        valid_to=None,
    )


def made_questions(entries: Sequence[Entry], count: int) -> list[Question]:
    """What callers ask of some entries; always the same. Every second one is one utterance."""
    made: list[Question] = []
    for number in range(count):
        entry = entries[number * STRIDE % len(entries)]
        text = entry.wordings[number % len(entry.wordings)]
        half = max(1, len(text) // 2)
        if number % 2 == 0:
            made.append(Question(f"您好，我想问一下{text}呢"))
        elif number % 4 == 1:
            made.append(Question(text[half:], (f"您好，我想问一下{text[:half]}",)))
        else:
            earlier = "家里老人让我打电话来问一下这个事情"
            made.append(Question(text[half:], (earlier, f"就是{text[:half]}")))
    return made


class Mixing:
    """Makes vectors of some texts by the model, and mixes those of later ones."""

    def __init__(self, embedder: Embedder, real: int) -> None:
        self._embedder = embedder
        self._real = real
        self._known: list[tuple[float, ...]] = []
        self._described: Embedding | None = None
        self._chance = np.random.default_rng(STRIDE)

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embedding:
        """One vector a text. Questions are always the model's."""
        if purpose == "query" or self._described is None or len(self._known) < self._real:
            made = await self._embedder.embed(texts, purpose)
            if purpose == "passage":
                self._known += made.vectors
                self._described = made
            return made
        mixed = tuple(self._mixed() for _ in texts)
        return self._described.model_copy(update={"vectors": mixed})

    def _mixed(self) -> tuple[float, ...]:
        one, other = self._chance.choice(len(self._known), 2, replace=False)
        share = self._chance.uniform(0.2, 0.8)
        mixed = np.asarray(self._known[one]) * share + np.asarray(self._known[other]) * (1 - share)
        return tuple((mixed / np.linalg.norm(mixed)).tolist())
