"""A second witness for red lines: what was learned from labelled lines, for what nobody listed.

A linear head over grams of characters and sounds (`banxi train red-lines`). It only ever points:
what it suspects is a sign, never a red line. Deterministic, and no model is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from services.common.datafiles import DataFileError
from services.common.grams import grams
from services.common.heads import Array, Head, load_heads, save_heads
from services.common.written import Written

NONE = "none"
"""The label of innocent talk, the last of the head's."""
HEAD = "lines"
PLACE = "said"
"""The one place its grams stand at."""
MADE_BY = "banxi train red-lines"
LONGEST_STRETCH = 24
"""Characters of the words it names at most."""

Weights = npt.NDArray[np.float64]
Share = Annotated[float, Field(ge=0, le=1)]


class About(BaseModel):
    """What is known of a head beside its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    """Digest of the lines it learned from."""
    suspect: Share
    """How probable a red line of a kind must be."""
    suspect_kind: dict[str, Share]
    """The same for kinds with a threshold of their own."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What a text sounds like."""

    kind: str
    """Id of the red line."""
    probability: float
    start: int
    end: int
    """The stretch of `Written.plain` that speaks for it most."""


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """The head, ready to be asked."""

    about: About
    head: Head

    def suspects(self, text: Written, beyond: int = 0) -> Suspicion | None:
        """What a text sounds like, if anything. Only words that reach beyond the first `beyond`
        characters of `plain` count."""
        block = self.head.grams[PLACE]
        rows = block.rows(gram for gram, start, end in grams(text) if start < end)
        if not len(rows):
            return None
        shares = np.exp(self.head.words({PLACE: rows}))
        found = suspected(self.about, self.head.labels, shares)
        if found is None:
            return None
        start, end = _heaviest(self._weights(text, found), beyond)
        return Suspicion(self.head.labels[found], float(shares[found]), start, end)

    def _weights(self, text: Written, kind: int) -> Weights:
        """How much each character of `plain` speaks for a kind, rather than for none."""
        block, none = self.head.grams[PLACE], self.head.labels.index(NONE)
        weights = np.zeros(len(text.plain))
        for gram, start, end in grams(text):
            if start < end and (row := block.vocabulary.get(gram)) is not None:
                weights[start:end] += block.weights[row, kind] - block.weights[row, none]
        return weights

    def save(self, path: Path) -> None:
        """Write it to a file."""
        save_heads(path, self.about, {HEAD: self.head}, {})


def suspected(about: About, labels: tuple[str, ...], shares: Array) -> int | None:
    """The kind that is probable enough, and most so; its index among the labels."""
    likely = [
        (float(shares[index]), index)
        for index, label in enumerate(labels)
        if label != NONE and shares[index] >= about.suspect_kind.get(label, about.suspect)
    ]
    return max(likely)[1] if likely else None


def load_witness(path: Path, kinds: frozenset[str]) -> Witness:
    """Read the file `banxi train red-lines` wrote. Raises DataFileError."""
    about, heads, _ = load_heads(path, About, MADE_BY)
    head = heads.get(HEAD)
    if head is None or set(head.grams) != {PLACE} or NONE not in head.labels:
        raise DataFileError(f"{path}: is not what `{MADE_BY}` writes; make it anew with it")
    if unknown := set(head.labels) - kinds - {NONE}:
        raise DataFileError(
            f"{path}: knows {min(unknown)}, which is not the id of a red line; "
            f"make it anew with `{MADE_BY}`"
        )
    return Witness(about, head)


def _heaviest(weights: Weights, beyond: int) -> tuple[int, int]:
    """The stretch with the greatest sum of what exceeds the average, not longer than
    LONGEST_STRETCH, that ends beyond the first `beyond`."""
    sums = np.concatenate([[0.0], np.cumsum(weights - weights.mean())])
    best, at = -np.inf, (0, len(weights))
    for end in range(min(beyond, len(weights) - 1) + 1, len(weights) + 1):
        first = max(0, end - LONGEST_STRETCH)
        start = first + int(np.argmin(sums[first:end]))
        if sums[end] - sums[start] > best:
            best, at = sums[end] - sums[start], (start, end)
    return at
