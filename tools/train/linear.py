"""Learning linear heads (`services.common.heads`): logistic regressions over grams and vectors,
the same numbers every time."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from services.common.heads import Array, GramBlock, Head, VectorBlock, away, scale

Indexes = npt.NDArray[np.intp]
NEVER = -20.0
"""Log-odds of a label that no exemplar has."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What is learned from: one row an exemplar, by place."""

    labels: tuple[str, ...]
    known: Indexes
    """Index of each exemplar's label."""
    grams: Mapping[str, Sequence[AbstractSet[str]]]
    vectors: Mapping[str, Array]
    """Rows of zeros where there is no vector."""
    weights: Array
    """How much each exemplar counts."""
    rarest: Mapping[str, int] = field(default_factory=dict)
    """Grams in fewer exemplars are left out; by place, 3 where it is not named."""
    firmness: float = 10.0
    vector_firmness: float = 10.0
    """How closely the readings follow the exemplars (inverse of the regularisation)."""
    rounds: int = 80

    def learn(self, chosen: Indexes) -> Head:
        """A head that learned from the exemplars with these indexes."""
        known, weights = self.known[chosen], self.weights[chosen]
        blocks = {place: self._vocabulary(place, chosen) for place in self.grams}
        parts = [self._matrix(place, chosen, words) for place, words in blocks.items()]
        learned, gram_bias = self._fit(sparse.hstack(parts).tocsr(), known, weights, self.firmness)
        grams, at = {}, 0
        for place, words in blocks.items():
            grams[place] = GramBlock(words, learned[at : at + max(len(words), 1)])
            at += max(len(words), 1)
        centres = {place: self._centre(place, chosen) for place in self.vectors}
        rows = [self._away(place, chosen, centre) for place, centre in centres.items()]
        vector_bias = np.zeros(len(self.labels), dtype=np.float32)
        if rows:
            firmness = self.vector_firmness
            learned, vector_bias = self._fit(np.hstack(rows), known, weights, firmness)
        vectors, at = {}, 0
        for place, centre in centres.items():
            vectors[place] = VectorBlock(centre, learned[at : at + centre.size])
            at += centre.size
        return Head(self.labels, grams, gram_bias, vectors, vector_bias)

    def read(self, head: Head, chosen: Indexes) -> tuple[Array, Array]:
        """Log-probabilities of these exemplars by their words, and by their vectors."""
        rows = [
            {place: block.rows(self.grams[place][at]) for place, block in head.grams.items()}
            for at in chosen
        ]
        vectors = [
            {place: _there(self.vectors[place][at]) for place in head.vectors} for at in chosen
        ]
        return np.array([head.words(r) for r in rows]), np.array([head.meaning(v) for v in vectors])

    def judged_by_others(self, authors: Sequence[str], folds: int) -> tuple[Array, Array]:
        """`read` of every exemplar by heads that learned from other authors alone."""
        fold = {author: at % folds for at, author in enumerate(sorted(set(authors)))}
        folds_of = np.array([fold[author] for author in authors])
        size = (len(authors), len(self.labels))
        words, meaning = np.zeros(size, np.float32), np.zeros(size, np.float32)
        for number in sorted(set(fold.values())):
            judged = np.flatnonzero(folds_of == number)
            head = self.learn(np.flatnonzero(folds_of != number))
            words[judged], meaning[judged] = self.read(head, judged)
        return words, meaning

    def _vocabulary(self, place: str, chosen: Indexes) -> dict[str, int]:
        counted = Counter(gram for at in chosen for gram in self.grams[place][at])
        rarest = self.rarest.get(place, 3)
        kept = sorted(gram for gram, count in counted.items() if count >= rarest)
        return {gram: row for row, gram in enumerate(kept)}

    def _matrix(self, place: str, chosen: Indexes, words: Mapping[str, int]) -> Any:
        columns = [sorted(words[g] for g in self.grams[place][at] if g in words) for at in chosen]
        ends = np.cumsum([0, *(len(row) for row in columns)])
        scales = np.array([scale(len(row)) for row in columns], dtype=np.float32)
        cells = np.repeat(scales, np.diff(ends))
        content = (cells, [column for row in columns for column in row], ends)
        return sparse.csr_matrix(content, shape=(len(chosen), max(len(words), 1)))

    def _centre(self, place: str, chosen: Indexes) -> Array:
        rows = self.vectors[place][chosen]
        there = rows[np.any(rows, axis=1)]
        centre: Array = (there if len(there) else rows).mean(axis=0).astype(np.float32)
        return centre

    def _away(self, place: str, chosen: Indexes, centre: Array) -> Array:
        rows = self.vectors[place][chosen]
        there = np.any(rows, axis=1, keepdims=True)
        return np.where(there, away(rows, centre), 0).astype(np.float32)

    def _fit(
        self, features: Any, known: Indexes, weights: Array, firmness: float
    ) -> tuple[Array, Array]:
        labels = np.unique(known)
        learned = np.zeros((features.shape[1], len(self.labels)), dtype=np.float32)
        bias = np.full(len(self.labels), NEVER, dtype=np.float32)
        if len(labels) == 1:
            bias[labels] = 0.0
            return learned, bias
        coefficients, constants = fit(features, known, weights, firmness, self.rounds)
        learned[:, labels] = coefficients
        bias[labels] = constants
        return learned, bias


def fit(
    features: Any, known: Indexes, weights: Array, firmness: float, rounds: int
) -> tuple[Array, Array]:
    """A logistic regression: weights with one column a label that occurs, and their biases."""
    with warnings.catch_warnings():
        # It stops after `rounds` by our own will.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=firmness, max_iter=rounds)
        model.fit(features, known, sample_weight=weights)
    learned, constants = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        # Of two classes sklearn gives only what speaks for the second.
        learned = np.concatenate([-learned, learned]) / 2
        constants = np.concatenate([-constants, constants]) / 2
    return learned.T.astype(np.float32), constants.astype(np.float32)


def _there(row: Array) -> Array | None:
    return row if row.any() else None
