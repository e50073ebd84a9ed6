"""One state of the base, ready to be asked. Pure: entries and vectors in, evidence and rulings out.

A change of the base or of its index makes a new state; who is asking meanwhile keeps the old one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from services.knowledge.deciding.decide import Judge
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.background import Background, Space, Vectors
from services.knowledge.finding.find import Evidence, Finder, Similar, background_owner
from services.knowledge.finding.mend import Mender
from services.knowledge.finding.points import Point, points

MENDED_FROM = 0.05
"""Overlap with an entry that reading an utterance by its sound must gain. Else the caller may just
use words that the base does not."""


class State:
    """Entries with everything that finding and deciding needs. Building it takes about a
    millisecond an entry."""

    def __init__(
        self,
        entries: Sequence[Entry],
        regions: RegionTree,
        background: Background,
        vectors: Mapping[str, Vectors] | None = None,
    ) -> None:
        """`vectors`: what the index holds, point id → vector; None where there is no index yet."""
        self.entries = tuple(entries)
        self._finder = Finder(entries, background)
        wordings = (text for entry in entries for text in entry.wordings)
        self._mender = Mender([*wordings, *background.lines])
        self._points = {point.id: point for point in points(entries, background)}
        held = {id_: v for id_, v in (vectors or {}).items() if id_ in self._points}
        self.missing = [point for id_, point in self._points.items() if id_ not in held]
        lines = [held.get(point.id) for point in points((), background)]
        self._space: Space | None = None
        questions: Vectors | None = None
        if all(line is not None for line in lines):
            self._space = Space.of(np.stack(list(held.values())))
            self._background = self._space.place(np.stack([v for v in lines if v is not None]))
            questions = self._questions(held, self._space)
        self._held = {(self._points[id_].owner, self._points[id_].about) for id_ in held}
        self.judge = Judge(entries, regions, questions)

    @property
    def by_meaning(self) -> bool:
        """Whether vectors can be used; else all is judged by words."""
        return self._space is not None

    def mend(self, text: str) -> str:
        """What a caller may have said where `text` was heard, if an entry knows that better."""
        mended = self._mender.mend(text)
        if mended == text:
            return text
        gained = self._finder.overlap(mended) - self._finder.overlap(text)
        return mended if gained >= MENDED_FROM else text

    def probe(self, query: Vectors) -> Vectors | None:
        """What to ask the index for, given the vector of a question; None without vectors."""
        return self._space.probe(query) if self._space is not None else None

    def evidence(
        self, text: str, query: Vectors | None = None, nearest: Mapping[str, Vectors] | None = None
    ) -> Evidence:
        """What `text` speaks for. `query`: its vector; `nearest`: the points the index found for
        its `probe`. Without them, what the words say."""
        if query is None or nearest is None or self._space is None:
            return self._finder.evidence(text, None)
        placed = self._space.place(query)
        known = [(self._points[id_], v) for id_, v in nearest.items() if id_ in self._points]
        asked: dict[str, float] = {}
        about: dict[str, float] = {}
        if known:
            near = self._space.place(np.stack([vector for _, vector in known])) @ placed
            # What the index holds but did not bring is less near than all it brought.
            least = float(near.min())
            for owner, whole in self._held:
                (about if whole else asked)[owner] = least
            for (point, _), similarity in zip(known, near.tolist(), strict=True):
                into = about if point.about else asked
                into[point.owner] = max(similarity, into.get(point.owner, similarity))
        for i, similarity in enumerate((self._background @ placed).tolist()):
            asked[background_owner(i)] = similarity
        return self._finder.evidence(text, Similar(asked, about))

    def _questions(self, held: Mapping[str, Vectors], space: Space) -> Vectors:
        ids = [Point(entry.id, False, entry.question).id for entry in self.entries]
        rows: Vectors = np.full((len(ids), len(space.centre)), np.nan, dtype=np.float32)
        known = [i for i, id_ in enumerate(ids) if id_ in held]
        if known:
            rows[known] = space.place(np.stack([held[ids[i]] for i in known]))
        return rows
