"""The arithmetic of `banxi bench conduct`: what is counted, and what is divided by what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tools.bench_conduct import figures_of, measure

pytestmark = pytest.mark.unit

WAYS = ("exact", "matching", "words_only", "with_meaning", "embedding")


class Machine:
    """A clock that only work moves, and that work."""

    def __init__(self) -> None:
        self.now = 0.0
        self.order: list[tuple[str, str]] = []
        self._calls: Counter[tuple[str, str]] = Counter()

    def clock(self) -> float:
        return self.now

    def way(self, name: str, seconds: Callable[[str, int], float]) -> Callable[[str], None]:
        """Work that takes `seconds(item, n)` when the item comes for the n-th time, from 0."""

        def work(item: str) -> None:
            self.order.append((name, item))
            self.now += seconds(item, self._calls[name, item])
            self._calls[name, item] += 1

        return work


def test_an_item_counts_with_the_median_of_its_rounds_after_the_first() -> None:
    machine = Machine()
    # The first is the warm-up, the fourth met noise.
    rounds = (50.0, 1.0, 2.0, 90.0)
    ways = {
        "steady": machine.way("steady", lambda item, _: float(item)),
        "noisy": machine.way("noisy", lambda item, n: float(item) + rounds[n]),
    }
    costs = measure(ways, ["1", "3"], 3, machine.clock)
    assert costs == {"steady": [1.0, 3.0], "noisy": [3.0, 5.0]}


def test_ways_take_turns_on_each_item_and_none_keeps_its_place() -> None:
    machine = Machine()
    items = [str(number) for number in range(60)]
    measure({way: machine.way(way, lambda *_: 1.0) for way in WAYS}, items, 3, machine.clock)
    turns = [machine.order[at : at + 5] for at in range(0, len(machine.order), 5)]
    assert [{item for _, item in turn} for turn in turns] == [{item} for item in items] * 4
    assert all({way for way, _ in turn} == set(WAYS) for turn in turns)
    for place in range(5):
        assert Counter(turn[place][0] for turn in turns) == dict.fromkeys(WAYS, 48)
    followers = Counter((turn[0][0], turn[1][0]) for turn in turns)
    assert len(followers) == 20
    assert set(followers.values()) == {12}


def test_figures_by_hand() -> None:
    # 20 utterances: p50 is the 11th, p95 the 20th.
    ramp = [float(number) / 1000 for number in range(1, 21)]
    times = dict(zip(WAYS, (1, 2, 4, 12, 8), strict=True))
    costs = {way: [each * one for one in ramp] for way, each in times.items()}
    figures = figures_of(costs)
    assert figures["exact_p50_ms"] == pytest.approx(11)
    assert figures["exact_p95_ms"] == pytest.approx(20)
    assert figures["embedding_p50_ms"] == pytest.approx(88)
    assert figures["embedding_p95_ms"] == pytest.approx(160)
    assert figures["exact_p95_over_embedding_p95"] == pytest.approx(1 / 8)
    assert figures["words_only_p50_over_embedding_p95"] == pytest.approx(44 / 160)
    assert figures["words_only_p95_over_embedding_p95"] == pytest.approx(0.5)
    assert figures["with_meaning_p95_over_embedding_p95"] == pytest.approx(1.5)
    assert not [name for name in figures if name.startswith("embedding") and "over" in name]
    assert len(figures) == 5 * 2 + 4 * 2
