"""Which entries are about the same matter, so that the nearest region can overrule a higher one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.knowledge.entries.entry import Entry
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.background import Vectors
from services.knowledge.finding.find import Floats, Words
from services.knowledge.finding.wording import characters, fold

ALIKE_FROM = 0.52
"""Likeness (characters and vectors, half each) from which two questions that are each other's
likest between two regions are one matter."""
ALIKE_BY_WORDS_FROM = 0.6
"""The same for characters alone, where the vectors are not known."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Key:
    """An entry's wordings as they are compared: folded, without names of regions."""

    question: str
    wordings: frozenset[str]


class Matters:
    """Tells which entries of a base are about the same matter.

    Entries with the same question always are. Between different regions, so are entries that share
    any wording, and two whose questions are each other's likest and like enough: 高龄津贴怎么申请
    of the province, 老年人高龄津贴怎么申请发放 of a city. In one region, two questions are two
    matters.
    """

    def __init__(
        self, entries: Sequence[Entry], regions: RegionTree, questions: Vectors | None = None
    ) -> None:
        """`questions`: the vectors of the questions in their space, one row an entry, NaN where not
        known yet; None where none is known."""
        names = _names(regions)
        keys = [_key(entry, names) for entry in entries]
        self._questions = [key.question for key in keys]
        self._wordings = [key.wordings for key in keys]
        self._holders: dict[str, set[int]] = defaultdict(set)
        for position, wordings in enumerate(self._wordings):
            for wording in wordings:
                self._holders[wording].add(position)
        self._regions = np.asarray([entry.region for entry in entries], dtype=object)
        self._grams = [characters(question) for question in self._questions]
        self._words = Words(self._grams, range(len(entries)))
        self._vectors = questions
        self._rows: dict[int, Floats] = {}

    def partners(self, position: int, among: Mask) -> set[int]:
        """The entries of `among` that are about the same matter as one, without itself."""
        sharing = set().union(*(self._holders[w] for w in self._wordings[position]))
        alike = np.flatnonzero(among & (self._likeness(position) >= 0)).tolist()
        return {
            other
            for other in sharing.union(alike)
            if other != position and among[other] and self._same(position, other, among)
        }

    def _same(self, one: int, other: int, among: Mask) -> bool:
        if self._questions[one] == self._questions[other]:
            return True
        if self._regions[one] == self._regions[other]:
            return False
        if self._wordings[one] & self._wordings[other]:
            return True
        return self._likest(one, other, among) and self._likest(other, one, among)

    def _likest(self, one: int, other: int, among: Mask) -> bool:
        """Whether `other` is like enough to `one`, and nothing else of its region is more so."""
        row = self._likeness(one)
        rivals = row[among & (self._regions == self._regions[other])]
        return bool(row[other] >= max(0.0, rivals.max(initial=-1.0)))

    def _likeness(self, one: int) -> Floats:
        """How far every question is beyond the likeness to `one` that one matter needs."""
        if one not in self._rows:
            words, _ = self._words.compare(self._grams[one])
            row = words - ALIKE_BY_WORDS_FROM
            if self._vectors is not None:
                meant = (self._vectors @ self._vectors[one]).astype(np.float64)
                row = np.where(np.isnan(meant), row, (words + meant) / 2 - ALIKE_FROM)
            self._rows[one] = row
        return self._rows[one]


def _key(entry: Entry, names: Sequence[str]) -> _Key:
    cut = []
    for wording in entry.wordings:
        text = fold(wording)
        for name in names:
            text = text.replace(name, "")
        cut.append(text or fold(wording))
    return _Key(cut[0], frozenset(cut))


def _names(regions: RegionTree) -> list[str]:
    """Names of regions with and without 省/市/县/区, longest first."""
    folded = [fold(name) for name in regions.parents]
    short = [name[:-1] for name in folded if len(name) > 2 and name[-1] in "省市县区"]
    return sorted({*folded, *short}, key=lambda name: (-len(name), name))
