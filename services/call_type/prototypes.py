"""Likeness to examples: a vector beside the centre of each label's examples. Pure arithmetic.

Vectors of a sentence model lie in a narrow cone: even unrelated texts are 0.8 alike. So the mean of
all examples is taken away first; what is left is what tells examples apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Label = TypeVar("Label", bound=str)

_SHARPNESS = (5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 40.0)


@dataclass(frozen=True, slots=True, eq=False)
class Prototypes(Generic[Label]):
    """Examples of several labels, with their vectors."""

    labels: tuple[Label, ...]
    texts: tuple[str, ...]
    owners: npt.NDArray[np.intp]
    """For each text the index of its label."""
    mean: Array
    vectors: Array
    """Centred, unit length; one row a text."""
    centres: Array
    """Unit length; one row a label."""
    sharpness: float
    """What likeness is multiplied with before it becomes a probability."""

    def centred(self, vector: npt.NDArray[Any]) -> Array:
        """A vector as it is compared: without the common part, of unit length."""
        return _unit(np.asarray(vector, dtype=np.float64) - self.mean)

    def leanings(self, vector: npt.NDArray[Any]) -> Array:
        """How much a text leans to each label: log-probabilities up to a constant, mean 0."""
        likeness = self.sharpness * (self.centres @ self.centred(vector))
        return np.asarray(likeness - likeness.mean())

    def nearest(self, vector: npt.NDArray[Any], label: Label | None = None) -> int:
        """Index of the example most like it, among all or one label's."""
        likeness = self.vectors @ self.centred(vector)
        if label is not None:
            likeness = np.where(self.owners == self.labels.index(label), likeness, -np.inf)
        return int(likeness.argmax())


def fit(
    labels: tuple[Label, ...], examples: Sequence[tuple[Label, str]], vectors: npt.NDArray[Any]
) -> Prototypes[Label]:
    """Prototypes from (label, text) and one row a text; every label has at least two. The sharpness
    is the one that predicts each example best from all the others (leave-one-out likelihood)."""
    owners = np.array([labels.index(label) for label, _ in examples], dtype=np.intp)
    rows = np.asarray(vectors, dtype=np.float64)
    mean = rows.mean(axis=0)
    rows = _unit(rows - mean)
    member = np.eye(len(labels))[owners]
    sums = member.T @ rows
    # Without the example itself: its label's sum loses it, the others stay.
    likeness = rows @ _unit(sums).T
    own = _unit(sums[owners] - rows)
    likeness[np.arange(len(rows)), owners] = (own * rows).sum(axis=1)

    def surprise(sharpness: float) -> float:
        return float(-np.log(softmax(sharpness * likeness)[member.astype(bool)]).mean())

    return Prototypes(
        labels=labels,
        texts=tuple(text for _, text in examples),
        owners=owners,
        mean=mean,
        vectors=rows,
        centres=_unit(sums),
        sharpness=min(_SHARPNESS, key=surprise),
    )


def softmax(leanings: Array) -> Array:
    """Probabilities along the last axis."""
    raised = np.exp(leanings - leanings.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _unit(rows: Array) -> Array:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1.0))
