"""The background against which a similarity counts: a model puts all text of a language close
together (right answers at 0.88, unrelated ones at 0.84), so a similarity means nothing by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, StringConstraints

from services.common.datafiles import Entry, read_data

Vectors = npt.NDArray[np.float32]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]

DATA = Path(str(files("services.knowledge") / "data"))
"""Where the data files of this service stand."""


class Background(Entry):
    """Utterances that belong to no entry."""

    talk: Annotated[tuple[Line, ...], Field(min_length=10)]
    """Asks nothing: greetings, acknowledgements, particulars, anger."""
    matters: Annotated[tuple[Line, ...], Field(min_length=10)]
    """Questions of every kind; a base may hold some of them."""

    @property
    def lines(self) -> tuple[str, ...]:
        """All of them, `talk` first."""
        return self.talk + self.matters


def read_background(path: Path = DATA / "background.yaml") -> Background:
    """Read the file. Raises DataFileError."""
    return read_data(path, Background)


@dataclass(frozen=True, slots=True)
class Space:
    """Where vectors lie once what all of them share is taken out."""

    centre: Vectors
    """Their mean."""
    axis: Vectors
    """The direction in which they differ most, unit length. It tells official wording from spoken
    wording, not one matter from another, and callers do not speak as entries are written."""

    @classmethod
    def of(cls, vectors: Vectors) -> Space:
        """The space of some vectors, one a row; at least two."""
        centre = vectors.mean(axis=0)
        around = vectors - centre
        _, axes = np.linalg.eigh(around.T @ around)
        return cls(centre, axes[:, -1].astype(np.float32))

    def place(self, vectors: Vectors) -> Vectors:
        """Vectors seen from the centre, without the axis, at unit length: their dot products are
        near 0 for unrelated text."""
        seen = self._project(vectors - self.centre)
        lengths = np.linalg.norm(seen, axis=-1, keepdims=True)
        placed: Vectors = seen / np.maximum(lengths, 1e-9)
        return placed

    def probe(self, query: Vectors) -> Vectors:
        """A vector whose dot products with vectors as they came rank those as `place` would, but
        for their lengths: with it, an index finds the nearest of the space."""
        return self._project(query - self.centre)

    def _project(self, vectors: Vectors) -> Vectors:
        without: Vectors = vectors - np.outer(vectors @ self.axis, self.axis).reshape(vectors.shape)
        return without
