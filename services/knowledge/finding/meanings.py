"""Vectors at hand: of the questions of entries, to tell which are of one matter, and of the
background. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from services.knowledge.finding.background import Vectors

Rows = npt.NDArray[np.int64]
UNKNOWN = -1
"""Row of a point whose vector is not known."""


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
    """The vectors of the questions of some entries, by position."""

    def __init__(self, pool: Pool, rows: Rows) -> None:
        self._pool = pool
        self._rows = rows

    def __getitem__(self, positions: Rows | int) -> Vectors:
        """One vector a position; NaN where not known yet."""
        rows = np.atleast_1d(self._rows[positions])
        vectors = self._pool.at(np.maximum(rows, 0))
        vectors[rows == UNKNOWN] = np.nan
        return vectors[0] if isinstance(positions, int) else vectors
