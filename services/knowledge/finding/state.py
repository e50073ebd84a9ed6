"""One state of the base, ready to be asked. Pure: entries and vectors in, evidence and rulings out.

A change of the base or of its index makes a new state that shares what stayed; who is asking
meanwhile keeps the old one. Any sequence of changes leads to what a state made at once would say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy

import numpy as np

from services.knowledge.deciding.decide import Judge
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.background import Background, Vectors
from services.knowledge.finding.find import Finder, Similar
from services.knowledge.finding.meanings import UNKNOWN, Pool, Questions, Rows
from services.knowledge.finding.mend import Mender
from services.knowledge.finding.points import Point, points, points_of
from services.knowledge.finding.ranking import Evidence
from services.knowledge.finding.words import Floats, Mask

MENDED_FROM = 0.05
"""Overlap with an entry that reading an utterance by its sound must gain. Else the caller may just
use words that the base does not."""


class State:
    """Entries with everything that finding and deciding needs."""

    def __init__(self, regions: RegionTree, background: Background) -> None:
        """A base of no entries."""
        self.entries: tuple[Entry, ...] = ()
        self.judge = Judge((), regions)
        self.background_points = points((), background)
        self._finder = Finder((), background)
        self._mender = Mender(background.lines)
        # By numbers that an entry keeps for life. Each state has its own: one is asked while the
        # next is being made.
        self._holders: dict[str, tuple[Point, tuple[int, ...]]] = {}
        self._written: dict[str, tuple[int, ...]] = {}
        self._line_ids = {point.id: point for point in self.background_points}
        self._pool = Pool()
        self._next = 0
        self._numbers: Rows = np.zeros(0, dtype=np.int64)
        self._asked: Mask = np.zeros(0, dtype=bool)
        self._about: Mask = np.zeros(0, dtype=bool)
        self._rows: Rows = np.zeros(0, dtype=np.int64)
        self._lines: Rows = np.full(len(self._line_ids), UNKNOWN, dtype=np.int64)

    @property
    def by_meaning(self) -> bool:
        """Whether vectors can be used: those of the background are known. Else all is judged by
        words."""
        return bool((self._lines != UNKNOWN).all())

    def changed(
        self, ids: Collection[str], entries: Iterable[Entry], held: Collection[str] = ()
    ) -> State:
        """The state in which `entries` are what is known under `ids`: all others of those ids are
        gone. `held`: ids of points the index holds."""
        coming = {(entry.id, entry.revision): entry for entry in entries}
        dropped = []
        for position, entry in enumerate(self.entries):
            if entry.id not in ids:
                continue
            if coming.get((entry.id, entry.revision)) == entry:
                del coming[entry.id, entry.revision]
            else:
                dropped.append(position)
        added = tuple(coming.values())
        if not dropped and not added:
            return self
        state = copy(self)
        state._holders, state._written = self._holders.copy(), self._written.copy()
        state._change(dropped, added, held)
        return state

    def _change(
        self, dropped: Sequence[int], added: tuple[Entry, ...], held: Collection[str]
    ) -> None:
        leaving = [self.entries[position] for position in dropped]
        for position, entry in zip(dropped, leaving, strict=True):
            self._release(entry, int(self._numbers[position]))
        asked, about, rows = [], [], []
        for number, entry in enumerate(added, start=self._next):
            self._written[entry.id] = (*self._written.get(entry.id, ()), number)
            ids = [self._hold(point, number) for point in points_of(entry)]
            asked.append(any(id_ in held for id_ in ids[:-1]))
            about.append(ids[-1] in held)
            rows.append(self._pool.row(ids[0]))
        numbers = np.arange(self._next, self._next + len(added))
        self._numbers = np.concatenate([np.delete(self._numbers, dropped), numbers])
        self._asked = np.concatenate([np.delete(self._asked, dropped), np.asarray(asked, bool)])
        self._about = np.concatenate([np.delete(self._about, dropped), np.asarray(about, bool)])
        new_rows = np.asarray(rows, dtype=np.int64)
        self._rows = np.concatenate([np.delete(self._rows, dropped), new_rows])
        self._next += len(added)
        gone = set(dropped)
        kept = (entry for i, entry in enumerate(self.entries) if i not in gone)
        self.entries = (*(kept if gone else self.entries), *added)
        self._finder = self._finder.changed(dropped, added)
        self._mender.change(_wordings(leaving), _wordings(added))
        self.judge = self.judge.changed(dropped, added, self._questions())

    def learned(self, vectors: Mapping[str, Vectors | None]) -> State:
        """The state once the index holds more points, id → vector; it may be None where the point
        is neither of the background nor of an entry's question."""
        state = copy(self)
        state._asked, state._about = self._asked.copy(), self._about.copy()
        state._rows = self._rows.copy()
        kept: dict[str, Vectors] = {}
        for id_, vector in vectors.items():
            if vector is not None and id_ in self._line_ids:
                kept[id_] = vector
            point, numbers = self._holders.get(id_, (None, ()))
            for position in self._positions(numbers):
                if point is not None and point.about:
                    state._about[position] = True
                    continue
                state._asked[position] = True
                asked_for = point is not None and self.entries[position].question == point.text
                if vector is not None and asked_for:
                    kept[id_] = vector
        self._pool.put(kept)
        for id_ in kept:
            for position in self._positions(self._holders.get(id_, (None, ()))[1]):
                state._rows[position] = self._pool.row(id_)
        lines = [self._pool.row(id_) for id_ in self._line_ids]
        state._lines = np.asarray(lines, dtype=np.int64)
        state.judge = self.judge.changed((), (), state._questions())
        return state

    def without_vectors(self) -> State:
        """The state with an index that holds nothing."""
        state = copy(self)
        state._pool = Pool()
        state._lines = np.full(len(self._line_ids), UNKNOWN, dtype=np.int64)
        state._asked = np.zeros(len(self.entries), dtype=bool)
        state._about = np.zeros(len(self.entries), dtype=bool)
        state._rows = np.full(len(self.entries), UNKNOWN, dtype=np.int64)
        state.judge = self.judge.changed((), (), None)
        return state

    def point(self, id_: str) -> Point | None:
        """A point of the base by its id."""
        return self._line_ids.get(id_) or self._holders.get(id_, (None, ()))[0]

    def point_ids(self) -> set[str]:
        """What an index must hold: the points of the background and of all entries."""
        return set(self._holders) | self._line_ids.keys()

    def writings(self, entry_id: str) -> list[Entry]:
        """The values an entry has."""
        positions = self._positions(self._written.get(entry_id, ()))
        return [self.entries[position] for position in positions]

    def points_at_hand(self) -> set[str]:
        """The points whose vectors it needs itself: of the background and of the questions of all
        entries."""
        return self._line_ids.keys() | {points_of(entry)[0].id for entry in self.entries}

    def mend(self, text: str) -> str:
        """What a caller may have said where `text` was heard, if an entry knows that better."""
        mended = self._mender.mend(text)
        if mended == text:
            return text
        gained = self._finder.overlap(mended) - self._finder.overlap(text)
        return mended if gained >= MENDED_FROM else text

    def evidence(
        self, text: str, query: Vectors | None = None, nearest: Mapping[str, float] | None = None
    ) -> Evidence:
        """What `text` speaks for. `query`: its vector; `nearest`: the points the index found for
        it, id → cosine. Without them, what the words say."""
        if query is None or nearest is None or not self.by_meaning:
            return self._finder.evidence(text, None)
        return self._finder.evidence(text, self._similar(query, nearest))

    def _similar(self, query: Vectors, nearest: Mapping[str, float]) -> Similar:
        asked: Floats = np.full(len(self.entries), np.nan)
        about: Floats = np.full(len(self.entries), np.nan)
        if nearest:
            # What the index holds but did not bring is less near than all it brought.
            asked[self._asked] = about[self._about] = min(nearest.values())
            for id_, cosine in nearest.items():
                point, numbers = self._holders.get(id_, (None, ()))
                if point is None:
                    continue
                into = about if point.about else asked
                for position in self._positions(numbers):
                    into[position] = np.fmax(into[position], cosine)
        lines = self._pool.at(self._lines) @ query
        return Similar(asked, about, lines.astype(np.float64))

    def _questions(self) -> Questions | None:
        return Questions(self._pool, self._rows) if self.by_meaning else None

    def _positions(self, numbers: Sequence[int]) -> list[int]:
        """Where entries of some numbers stand."""
        found: list[int] = np.searchsorted(self._numbers, numbers).tolist()
        return found

    def _hold(self, point: Point, number: int) -> str:
        id_ = point.id
        _, numbers = self._holders.get(id_, (point, ()))
        self._holders[id_] = (point, (*numbers, number))
        return id_

    def _release(self, entry: Entry, number: int) -> None:
        if others := tuple(n for n in self._written[entry.id] if n != number):
            self._written[entry.id] = others
        else:
            del self._written[entry.id]
        for id_ in (point.id for point in points_of(entry)):
            point, numbers = self._holders.get(id_, (None, ()))
            left = tuple(other for other in numbers if other != number)
            if point is not None and left:
                self._holders[id_] = (point, left)
            else:
                self._holders.pop(id_, None)


def _wordings(entries: Iterable[Entry]) -> list[str]:
    return [text for entry in entries for text in entry.wordings]
