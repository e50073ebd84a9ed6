"""Entries that say the same, or the contrary, while both count: what an editor should see before
one of them is taken. Pure: by characters and by sound, so that a misspelt double is seen, too."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from services.knowledge.entries.entry import Entry
from services.knowledge.entries.facts import differing
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.wording import characters, fold, sounds

ALIKE_FROM = 0.72
"""Likeness of two questions from which they are taken for one matter; 1 = the same."""
SAME_WORDING = 0.95
"""Likeness of two entries that share a wording, as it is said."""
MOST = 10
LOOKED_AT = 40
"""The likeliest ones, of which the answers are compared."""

Sort = Literal["duplicate", "contradiction", "overrules", "overruled"]
_GRAVEST: tuple[Sort, ...] = ("contradiction", "duplicate", "overrules", "overruled")
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Near:
    """An entry that is about the same matter as another, for the same callers and days."""

    entry: Entry
    """It."""
    sort: Sort
    """As in `contracts.requests.AlikeEntry`."""
    likeness: float
    """How alike the questions are, 0–1."""
    why: str
    """What is the same and what differs, in words for editors."""
    differs: bool
    """Whether the answers say different things."""

    @property
    def grave(self) -> tuple[int, float, str]:
        """Its place among others, the gravest first."""
        return (_GRAVEST.index(self.sort), -self.likeness, self.entry.id)


class Neighbours:
    """Tells which of many entries lie near to one."""

    def __init__(self, entries: Sequence[Entry], regions: RegionTree) -> None:
        self._entries = entries
        self._regions = regions
        self._names = tuple(fold(name) for name in regions.parents)
        questions = [_bare(entry.question, self._names) for entry in entries]
        self._characters = _Grams([characters(question) for question in questions], characters)
        self._sounds = _Grams([sounds(question) for question in questions], sounds)
        self._holders: defaultdict[str, list[int]] = defaultdict(list)
        for position, entry in enumerate(entries):
            for wording in {_bare(wording, self._names) for wording in entry.wordings}:
                self._holders[wording].append(position)

    def near(self, entry: Entry) -> list[Near]:
        """What lies near to an entry, other than itself; the gravest first, at most `MOST`."""
        question = _bare(entry.question, self._names)
        likeness = (self._characters.like(question) + self._sounds.like(question)) / 2
        for wording in {_bare(wording, self._names) for wording in entry.wordings}:
            for position in self._holders.get(wording, ()):
                likeness[position] = max(likeness[position], SAME_WORDING)
        found = []
        alike = np.flatnonzero(likeness >= ALIKE_FROM)
        for position in alike[np.argsort(-likeness[alike], kind="stable")][:LOOKED_AT].tolist():
            other = self._entries[position]
            if other.id != entry.id and _together(entry, other):
                near = self._near(entry, other, float(min(1.0, likeness[position])))
                found += [near] if near else []
        return sorted(found, key=lambda near: near.grave)[:MOST]

    def _near(self, entry: Entry, other: Entry, likeness: float) -> Near | None:
        differs = differing(entry.answer, other.answer)
        if entry.region == other.region:
            if differs:
                why = f"同一事项、同一地区，说法不同：{differs}"
                return Near(other, "contradiction", likeness, why, True)
            return Near(other, "duplicate", likeness, "同一事项、同一地区，已有一条", False)
        said = f"，说法不同：{differs}" if differs else ""
        if other.region in self._regions.chain(entry.region):
            why = f"{entry.region}的来电由这一条答复，不再用{other.region}的{said}"
            return Near(other, "overrules", likeness, why, bool(differs))
        if entry.region in self._regions.chain(other.region):
            why = f"{other.region}的来电仍由{other.region}的一条答复{said}"
            return Near(other, "overruled", likeness, why, bool(differs))
        return None


class _Grams:
    """Which questions share rare grams with one."""

    def __init__(
        self, grams: Sequence[frozenset[str]], cut: Callable[[str], frozenset[str]]
    ) -> None:
        self._count = len(grams)
        self._cut = cut
        where: defaultdict[str, list[int]] = defaultdict(list)
        for position, of_one in enumerate(grams):
            for gram in of_one:
                where[gram].append(position)
        self._where = {gram: np.asarray(at) for gram, at in where.items()}
        self._weights = {gram: self._rarity(len(at)) for gram, at in where.items()}
        self._unheard = self._rarity(0)
        self._lengths: _Floats = np.sqrt(
            [sum(self._weight(g) for g in of_one) or 1.0 for of_one in grams]
        )

    def like(self, text: str) -> _Floats:
        """Likeness to each question, 0–1."""
        shared = np.zeros(self._count)
        square = 0.0
        for gram in self._cut(text):
            weight = self._weight(gram)
            square += weight
            if gram in self._where:
                shared[self._where[gram]] += weight
        return shared / (self._lengths * (np.sqrt(square) or 1.0))

    def _weight(self, gram: str) -> float:
        """How much a gram says, squared: the less, the more questions hold it."""
        return self._weights.get(gram, self._unheard)

    def _rarity(self, used: int) -> float:
        return math.log(2 + self._count / (1 + used)) ** 2


def _together(one: Entry, other: Entry) -> bool:
    """Whether there is a day on which both count."""
    begins = [day for e in (one, other) for day in (e.valid_from, e.takes_effect) if day]
    ends = [e.valid_to for e in (one, other) if e.valid_to]
    ends += [e.superseded - timedelta(days=1) for e in (one, other) if e.superseded]
    return not begins or not ends or max(begins) <= min(ends)


def _bare(text: str, names: Sequence[str]) -> str:
    """A wording as it is compared: folded, without names of regions."""
    folded = bare = fold(text)
    for name in names:
        bare = bare.replace(name, "")
    return bare or folded
