"""Vectors of the questions of entries, at hand for telling which are of one matter. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from services.knowledge.finding.background import Space, Vectors

Rows = npt.NDArray[np.int64]
UNKNOWN = -1
"""Row of a question whose vector is not known."""


class Pool:
    """Vectors by point id, as they came from the index. Rows are only ever added, so whoever holds
    a row number may read it while others come."""

    def __init__(self) -> None:
        self._vectors: Vectors = np.zeros((0, 0), dtype=np.float32)
        self._rows: dict[str, int] = {}
        self._used = 0

    def row(self, point: str) -> int:
        """Where the vector of a point is, or UNKNOWN."""
        return self._rows.get(point, UNKNOWN)

    def put(self, vectors: Mapping[str, Vectors]) -> None:
        """Keep vectors."""
        if not vectors:
            return
        new = np.stack(list(vectors.values()))
        needed = self._used + len(new)
        if needed > len(self._vectors):
            larger = np.empty((max(needed, 2 * self._used), new.shape[1]), dtype=np.float32)
            if self._used:
                larger[: self._used] = self._vectors[: self._used]
            self._vectors = larger
        self._vectors[self._used : needed] = new
        self._rows |= {point: self._used + i for i, point in enumerate(vectors)}
        self._used = needed

    def at(self, rows: Rows) -> Vectors:
        """The vectors of rows."""
        found: Vectors = self._vectors[rows]
        return found


class Questions:
    """The vectors of the questions of some entries, by position, placed in a space."""

    def __init__(self, pool: Pool, rows: Rows, space: Space) -> None:
        self._pool = pool
        self._rows = rows
        self._space = space

    def __getitem__(self, positions: Rows | int) -> Vectors:
        """One placed vector a position; NaN where not known yet."""
        rows = np.atleast_1d(self._rows[positions])
        placed: Vectors = np.full((len(rows), len(self._space.centre)), np.nan, dtype=np.float32)
        known = rows != UNKNOWN
        if known.any():
            placed[known] = self._space.place(self._pool.at(rows[known]))
        return placed[0] if isinstance(positions, int) else placed
