"""Which entries are about the same matter, so that the nearest region can overrule a higher one."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.knowledge.entries.entry import Entry
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.background import Vectors
from services.knowledge.finding.meanings import Questions
from services.knowledge.finding.wording import characters, fold
from services.knowledge.finding.words import Floats, Ints, Words

ALIKE_FROM = 0.8
"""Likeness of the vectors, and a tenth of that of the characters, from which two questions that are
each other's likest between two regions are one matter. From the pairs of the exemplar bases."""
WORDS_WEIGH = 0.1
ALIKE_BY_WORDS_FROM = 0.6
"""The same for characters alone, where the vectors are not known."""
SHARED_FROM = 0.15
"""Likeness of the characters below which the vectors of two questions are not looked at."""

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
        self,
        entries: Sequence[Entry],
        regions: RegionTree,
        questions: Vectors | Questions | None = None,
    ) -> None:
        """`questions`: the vectors of the questions in their space, one row an entry, NaN where not
        known yet; None where none is known."""
        self._names = _names(regions)
        self._keys: tuple[_Key, ...] = ()
        self._words = Words.of(())
        self._shared = Words.of(())
        self._regions: npt.NDArray[np.object_] = np.zeros(0, dtype=object)
        self._change((), entries, questions)

    def changed(
        self, dropped: Sequence[int], added: Sequence[Entry], questions: Vectors | Questions | None
    ) -> Matters:
        """These without the entries at some positions, and with others after the last one.
        `questions`: of all that are there then."""
        matters = copy(self)
        matters._change(dropped, added, questions)
        return matters

    def _change(
        self, dropped: Sequence[int], added: Sequence[Entry], questions: Vectors | Questions | None
    ) -> None:
        keys = [_key(entry, self._names) for entry in added]
        gone = set(dropped)
        kept = (key for i, key in enumerate(self._keys) if i not in gone)
        self._keys = (*(kept if gone else self._keys), *keys)
        self._words = self._words.changed(dropped, [(characters(k.question),) for k in keys])
        self._shared = self._shared.changed(dropped, [(k.wordings,) for k in keys])
        there = np.asarray([entry.region for entry in added], dtype=object)
        stayed = np.delete(self._regions, list(dropped)) if gone else self._regions
        self._regions = np.concatenate([stayed, there])
        self._vectors = questions
        self._rows: dict[int, tuple[Ints, Floats]] = {}

    def partners(self, position: int, among: Mask) -> set[int]:
        """The entries of `among` that are about the same matter as one, without itself."""
        if not among[position]:
            among = among.copy()
            among[position] = True
        found = self.namesakes(position, among)
        for other in self._likest(position, among):
            if other not in found and position in self._likest(other, among):
                found.add(other)
        return found

    def namesakes(self, position: int, among: Mask) -> set[int]:
        """Those of them that are so by their wordings, whatever the vectors say."""
        sharing = self._shared.sharing(self._keys[position].wordings).tolist()
        return {
            other
            for other in sharing
            if other != position and among[other] and self._shares(position, other)
        }

    def _shares(self, one: int, other: int) -> bool:
        """Of two entries with a wording in common, whether that makes them one matter."""
        return (
            self._keys[one].question == self._keys[other].question
            or self._regions[one] != self._regions[other]
        )

    def _likest(self, one: int, among: Mask) -> set[int]:
        """The entries of other regions that are like enough to one, where nothing else of their
        region is more so."""
        alike, beyond = self._alike(one)
        counts = among[alike] & (self._regions[alike] != self._regions[one])
        best: dict[str, float] = {}
        for other, more in zip(alike[counts].tolist(), beyond[counts].tolist(), strict=True):
            region = self._regions[other]
            best[region] = max(more, best.get(region, more))
        return {
            other
            for other, more in zip(alike[counts].tolist(), beyond[counts].tolist(), strict=True)
            if more >= best[self._regions[other]]
        }

    def _alike(self, one: int) -> tuple[Ints, Floats]:
        """The entries whose questions are like enough to the one of `one`, and how far beyond."""
        if one not in self._rows:
            words = self._words.like(characters(self._keys[one].question))
            if self._vectors is None:
                alike = np.flatnonzero(words >= ALIKE_BY_WORDS_FROM)
                beyond = words[alike] - ALIKE_BY_WORDS_FROM
            else:
                alike = np.flatnonzero(words >= SHARED_FROM)
                by_words = words[alike]
                meant = (self._vectors[alike] @ self._vectors[one]).astype(np.float64)
                beyond = np.where(
                    np.isnan(meant),
                    by_words - ALIKE_BY_WORDS_FROM,
                    meant + WORDS_WEIGH * by_words - ALIKE_FROM,
                )
            enough = beyond >= 0
            self._rows[one] = alike[enough], beyond[enough]
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
