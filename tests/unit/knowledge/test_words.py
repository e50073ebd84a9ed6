"""The gram index: any sequence of changes gives the numbers of a plain count of all."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.knowledge.finding.wording import characters
from services.knowledge.finding.words import Bags, Grams, Words

pytestmark = pytest.mark.unit

bags = st.text("社保卡丢了补办工资", max_size=7).map(characters)
owners = st.lists(st.lists(bags, min_size=1, max_size=3), max_size=6)


class Plain:
    """What `Words` must say, counted from nothing."""

    def __init__(self, owners: Sequence[Bags]) -> None:
        self._owners = owners

    def rarity(self, gram: str) -> float:
        used = sum(any(gram in bag for bag in owner) for owner in self._owners)
        return math.log(1 + (len(self._owners) - used + 0.5) / (used + 0.5))

    def compare(self, grams: Grams) -> tuple[list[float], list[float]]:
        likes, covers = [], []
        for owner in self._owners:
            likes.append(max(self._cosine(grams, bag) for bag in owner))
            every = frozenset().union(*owner)
            whole = sum(map(self.rarity, grams))
            covers.append(sum(map(self.rarity, grams & every)) / whole if whole else 0.0)
        return likes, covers

    def _cosine(self, one: Grams, other: Grams) -> float:
        lengths = self._square(one) * self._square(other)
        return self._square(one & other) / math.sqrt(lengths) if lengths else 0.0

    def _square(self, grams: Grams) -> float:
        return float(sum(self.rarity(gram) ** 2 for gram in grams))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sets(st.integers(0, 11), max_size=5), owners), max_size=6), bags)
def test_any_sequence_of_changes_counts_as_all_at_once(
    changes: list[tuple[set[int], list[list[Grams]]]], asked: Grams
) -> None:
    words = Words.of(())
    there: list[list[Grams]] = []
    for gone, added in changes:
        dropped = sorted(position for position in gone if position < len(there))
        before, was = words, list(there)
        words = words.changed(dropped, added)
        there = [owner for i, owner in enumerate(there) if i not in dropped] + added
        for said, owners_then in ((words, there), (before, was)):  # who still asks the one before
            like, cover = said.compare(asked)
            likes, covers = Plain(owners_then).compare(asked)
            assert like == pytest.approx(np.asarray(likes))
            assert cover == pytest.approx(np.asarray(covers))
            sharing = [
                i for i, owner in enumerate(owners_then) if asked & frozenset().union(*owner)
            ]
            assert said.sharing(asked).tolist() == sharing
    assert words.rarity("社") == pytest.approx(Plain(there).rarity("社"))
    assert words.rarity("无人") == pytest.approx(Plain(there).rarity("无人"))
