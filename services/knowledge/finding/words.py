"""Which owners use which grams, rare ones counting more: postings that grow and shrink. Pure.

Owners are what is looked for (entries, lines of the background); each holds one bag of grams a
wording. A change makes a new `Words` that shares what stayed: owners live in blocks that never
change, and one that is gone is only marked so. Small blocks are put together as they gather, so a
change costs time for what it changes; counting again how rare each gram is takes one pass of numpy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Grams = frozenset[str]
Bags = Sequence[Grams]
"""The grams of an owner's wordings, at least one wording."""

GATHERED = 4
"""A block is put together with the one after it unless it is more than so many times as large."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Some owners, for ever as they are. Each wording's grams stand in a row, each gram's wordings
    and owners in another."""

    wordings: Ints
    """Owner → the number of its first wording; one more at the end."""
    starts: Ints
    """Wording → where its grams begin; one more at the end."""
    grams: Numbers
    """Grams of all wordings."""
    known: Numbers
    """The grams that occur, in order."""
    at_wording: tuple[Ints, Numbers]
    """Position in `known` → wordings: where they begin, and they."""
    of_owner: tuple[Ints, Numbers]
    """The same for owners."""

    @classmethod
    def of(cls, wordings: Ints, starts: Ints, grams: Numbers) -> _Block:
        rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        owners = np.repeat(np.arange(len(wordings) - 1), np.diff(wordings))[rows]
        known, at_wording = _postings(grams, rows)
        pairs = np.unique(np.stack([grams.astype(np.int64), owners]), axis=1)
        _, of_owner = _postings(pairs[0].astype(np.int32), pairs[1])
        return cls(wordings, starts, grams, known, at_wording, of_owner)

    @property
    def owners(self) -> int:
        return len(self.wordings) - 1

    def found(self, grams: Numbers) -> tuple[Ints, Mask]:
        """Where grams stand in `known`, and which of them do."""
        where = np.searchsorted(self.known, grams)
        there = where < len(self.known)
        there[there] = self.known[where[there]] == grams[there]
        return where, there

    def kept(self, alive: Mask) -> tuple[Ints, Ints, Numbers]:
        """Its rows without the owners that are gone."""
        sizes = np.diff(self.wordings)
        stays = np.repeat(alive, sizes)
        lengths = np.diff(self.starts)
        return (
            _begins(sizes[alive]),
            _begins(lengths[stays]),
            self.grams[np.repeat(stays, lengths)],
        )


class Words:
    """Some owners and the grams of their wordings. Positions of owners follow from the order in
    which they came: those that left leave no gap."""

    def __init__(
        self, vocabulary: dict[str, int], blocks: tuple[_Block, ...], alive: tuple[Mask, ...]
    ) -> None:
        """`vocabulary`: gram → its number, shared between states; it only grows."""
        self._vocabulary = vocabulary
        self._blocks = blocks
        self._alive = alive
        self._living = np.concatenate([*alive, np.zeros(0, dtype=bool)])
        self.count = int(self._living.sum())
        used = np.zeros(len(vocabulary), dtype=np.int64)
        for block, lives in zip(blocks, alive, strict=True):
            starts, owners = block.of_owner
            used[block.known] += _sums(lives[owners].astype(np.float64), starts).astype(np.int64)
        self._used = used
        self._rarities = np.log(1 + (self.count - used + 0.5) / (used + 0.5))
        self._unused = math.log(1 + (self.count + 0.5) / 0.5)
        squares = self._rarities**2
        self._lengths = [np.sqrt(_sums(squares[b.grams], b.starts)) for b in blocks]
        for lengths in self._lengths:
            lengths[lengths == 0] = 1.0

    @classmethod
    def of(cls, owners: Iterable[Bags]) -> Words:
        """The words of some owners."""
        return cls({}, (), ()).changed((), list(owners))

    def changed(self, dropped: Sequence[int], added: Sequence[Bags]) -> Words:
        """These without the owners at some positions, and with others after the last one."""
        if not len(dropped) and not added:
            return self
        living = self._living.copy()
        living[np.flatnonzero(living)[np.asarray(dropped, dtype=np.int64)]] = False
        ends = np.cumsum([block.owners for block in self._blocks], dtype=np.int64)
        blocks = list(self._blocks)
        alive = np.split(living, ends)[: len(blocks)]
        if added:
            blocks.append(self._block(added))
            alive.append(np.ones(len(added), dtype=bool))
        return Words(self._vocabulary, *_gathered(blocks, alive))

    def rarity(self, gram: str) -> float:
        """How much a gram says: the less, the more owners use it."""
        number = self._vocabulary.get(gram, len(self._used))
        if number < len(self._used):
            return float(self._rarities[number])
        return self._unused

    def compare(self, grams: Grams) -> tuple[Floats, Floats]:
        """Per owner: likeness to its likest wording, and the share of the question that its
        wordings cover; both 0–1, rare grams counting more."""
        numbers, weights, unknown = self._weighed(grams)
        whole = float(weights.sum()) + unknown * self._unused
        if not whole:
            return np.zeros(self.count), np.zeros(self.count)
        covers: list[Floats] = [np.zeros(0)]
        for block in self._blocks:
            where, there = block.found(numbers)
            covers.append(_spread(where[there], weights[there], block.of_owner, block.owners))
        return self.like(grams), np.concatenate(covers)[self._living] / whole

    def like(self, grams: Grams) -> Floats:
        """The likeness alone."""
        numbers, weights, unknown = self._weighed(grams)
        squares = weights**2
        length = math.sqrt(float(squares.sum()) + unknown * self._unused**2)
        if not length:
            return np.zeros(self.count)
        likes: list[Floats] = [np.zeros(0)]
        for block, lengths in zip(self._blocks, self._lengths, strict=True):
            where, there = block.found(numbers)
            shared = _spread(where[there], squares[there], block.at_wording, len(lengths))
            shared /= lengths * length
            if len(shared) > block.owners:
                shared = np.maximum.reduceat(shared, block.wordings[:-1])
            likes.append(shared)
        like: Floats = np.concatenate(likes)[self._living]
        return like

    def sharing(self, grams: Grams) -> Ints:
        """Positions of the owners that use any of some grams."""
        numbers, _, _ = self._weighed(grams)
        found: list[Mask] = []
        for block in self._blocks:
            where, there = block.found(numbers)
            ones = np.ones(int(there.sum()))
            found.append(_spread(where[there], ones, block.of_owner, block.owners) > 0)
        held: Mask = np.concatenate([*found, np.zeros(0, dtype=bool)])
        return np.flatnonzero(held[self._living])

    def _weighed(self, grams: Grams) -> tuple[Numbers, Floats, int]:
        """Grams by number with their rarity, and how many of them nobody uses."""
        numbers = np.asarray([self._vocabulary.get(gram, -1) for gram in grams], dtype=np.int32)
        # What came to the vocabulary later is unknown here.
        known = numbers[(numbers >= 0) & (numbers < len(self._used))]
        return known, self._rarities[known], len(grams) - len(known)

    def _block(self, added: Sequence[Bags]) -> _Block:
        vocabulary = self._vocabulary
        bags = list(chain.from_iterable(added))
        numbers = [vocabulary.setdefault(g, len(vocabulary)) for bag in bags for g in bag]
        return _Block.of(
            _begins(np.asarray([len(owner) for owner in added], dtype=np.int64)),
            _begins(np.asarray([len(bag) for bag in bags], dtype=np.int64)),
            np.asarray(numbers, dtype=np.int32),
        )


def _gathered(
    blocks: list[_Block], alive: list[Mask]
) -> tuple[tuple[_Block, ...], tuple[Mask, ...]]:
    """The blocks without empty ones, each more than `GATHERED` times as large as the next."""
    kept: list[tuple[_Block, Mask]] = []
    for block, lives in zip(blocks, alive, strict=True):
        left = int(lives.sum())
        if not left:
            continue
        if 2 * left < block.owners:
            block, lives = _Block.of(*block.kept(lives)), np.ones(left, dtype=bool)
        kept.append((block, lives))
    while len(kept) > 1 and kept[-2][0].owners <= GATHERED * kept[-1][0].owners:
        parts = [block.kept(lives) for block, lives in kept[-2:]]
        one = _Block.of(
            _begins(np.concatenate([np.diff(wordings) for wordings, _, _ in parts])),
            _begins(np.concatenate([np.diff(starts) for _, starts, _ in parts])),
            np.concatenate([grams for _, _, grams in parts]),
        )
        kept[-2:] = [(one, np.ones(one.owners, dtype=bool))]
    return tuple(block for block, _ in kept), tuple(lives for _, lives in kept)


def _begins(sizes: Ints) -> Ints:
    begins: Ints = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes, dtype=np.int64)])
    return begins


def _postings(grams: Numbers, of: Ints) -> tuple[Numbers, tuple[Ints, Numbers]]:
    """The grams that occur, in order; and where each one's postings begin, and they."""
    order = np.argsort(grams, kind="stable")
    known, sizes = np.unique(grams[order], return_counts=True)
    return known, (_begins(sizes), of[order].astype(np.int32))


def _sums(values: Floats, starts: Ints) -> Floats:
    """The sums of stretches of values, also of empty ones."""
    sums: Floats = np.add.reduceat(np.append(values, 0.0), starts[:-1])
    sums[np.diff(starts) == 0] = 0
    return sums


def _spread(where: Ints, weights: Floats, postings: tuple[Ints, Numbers], size: int) -> Floats:
    """Per holder the sum of the weights of what it holds. `where`: what, in the postings."""
    starts, holders = postings
    begins, sizes = starts[where], starts[where + 1] - starts[where]
    if not sizes.sum():
        return np.zeros(size)
    each = [holders[begin : begin + n] for begin, n in zip(begins, sizes, strict=True)]
    weighed = np.repeat(weights, sizes)
    spread: Floats = np.bincount(np.concatenate(each), weighed, minlength=size).astype(np.float64)
    return spread
