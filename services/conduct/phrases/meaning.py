"""The meaning head: how much an utterance speaks for each rule, whatever its words.

Two linear readings are added: one of the text's grams (`grams.py`), one of its vector from the
embedding service. Both were learned from the exemplar sentences (`banxi train conduct`); what was
learned is a file of numbers. Pure arithmetic: no model is run here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from services.common.datafiles import DataFileError
from services.common.grams import grams
from services.common.vectors import Vector
from services.common.written import Written

Array = npt.NDArray[np.float32]
WINDOW = 16
STRIDE = 6
"""Length of the parts that are read of longer texts, and how far apart they begin, characters."""
FEWEST_GRAMS = 16
"""Texts with fewer different grams count as if they had so many: a single word proves little."""
JOINT = 10
"""Weights of the joined decision, one for each value of `detector.evidence`."""


class About(BaseModel):
    """What the file says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    """Digest of the exemplars it was learned from."""
    embedding: str
    """Id of the embedding model whose vectors it reads."""
    rules: tuple[str, ...]
    """The rules it knows."""
    vector_share: float
    """What the vector's reading is multiplied with before it is added."""
    wordings: tuple[str, ...]
    """Wordings of the phrase file it was learned beside. It has no say where another one is found,
    which it cannot know."""
    joint: tuple[float, ...]
    """Weights of the joined decision (`detector.py`), with a vector."""
    joint_words: tuple[float, ...]
    """The same where there is no vector."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text speaks for."""

    odds: float
    """Natural log of the odds that it is an offence."""
    rule: str
    """The rule it speaks for most."""
    start: int
    """What was read, as indexes in `plain`."""
    end: int


class Head:
    """The head, ready to read."""

    def __init__(
        self,
        about: About,
        vocabulary: Iterable[str],
        weights: Array,
        bias: Array,
        centre: Array,
        vector_weights: Array,
        vector_bias: Array,
    ) -> None:
        self.about = about
        self.version = about.version
        self._index = {gram: row for row, gram in enumerate(vocabulary)}
        self._weights = weights
        self._bias = bias
        self._centre = centre
        self._vector_weights = vector_weights
        self._vector_bias = vector_bias

    def read(self, text: Written, vector: Vector | None = None) -> Reading:
        """What the whole text speaks for; `vector` is that of its raw text."""
        logits = self._of_grams(text, 0, len(text.plain))
        if vector is not None:
            logits = logits + self.about.vector_share * self._of_vector(vector)
        return self._reading(logits, 0, len(text.plain))

    def read_part(self, text: Written, start: int, end: int) -> Reading:
        """What `plain[start:end]` speaks for, by its words."""
        start, end = max(start, 0), min(end, len(text.plain))
        return self._reading(self._of_grams(text, start, end), start, end)

    def strongest(self, text: Written) -> Reading:
        """What the part that speaks most for an offence speaks for, by its words: in a long
        utterance the polite rest would hide it."""
        size = len(text.plain)
        if size <= WINDOW:
            return self.read_part(text, 0, size)
        starts = [*range(0, size - WINDOW, STRIDE), size - WINDOW]
        parts = (self.read_part(text, start, start + WINDOW) for start in starts)
        return max(parts, key=lambda reading: reading.odds)

    def stretch(self, text: Written, reading: Reading) -> tuple[int, int]:
        """Where in `plain` the words stand that made the reading: the stretch whose characters
        gain most, each gram's weight shared among those it stands on."""
        gains = np.zeros(reading.end - reading.start, dtype=np.float32)
        column = self.about.rules.index(reading.rule)
        for gram, start, end in grams(text, reading.start, reading.end):
            row = self._index.get(gram)
            if row is not None and end > start:
                gain = self._weights[row, column] - self._weights[row, -1]
                gains[start - reading.start : end - reading.start] += gain / (end - start)
        start, end = _heaviest(gains)
        return reading.start + start, reading.start + end

    def _reading(self, logits: Array, start: int, end: int) -> Reading:
        offence = logits[:-1]
        odds = _log_sum(offence) - float(logits[-1])
        return Reading(odds, self.about.rules[int(offence.argmax())], start, end)

    def _of_grams(self, text: Written, start: int, end: int) -> Array:
        seen = {gram for gram, _, _ in grams(text, start, end)}
        rows = sorted(self._index[gram] for gram in seen if gram in self._index)
        if not rows:
            return _log_shares(self._bias)
        scale = float(max(len(rows), FEWEST_GRAMS)) ** -0.5
        return _log_shares(self._weights[rows].sum(axis=0) * scale + self._bias)

    def _of_vector(self, vector: Vector) -> Array:
        away = np.asarray(vector, dtype=np.float32) - self._centre
        away /= max(float(np.linalg.norm(away)), 1e-6)
        return _log_shares(away @ self._vector_weights + self._vector_bias)

    def save(self, path: Path) -> None:
        """Write the file; weights are kept as bytes with one scale a column."""
        scales = np.maximum(np.abs(self._weights).max(axis=0), 1e-6) / 127
        # Into an open file: given a path, numpy would add an ending of its own.
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                about=np.frombuffer(self.about.model_dump_json().encode(), dtype=np.uint8),
                vocabulary=np.frombuffer("\n".join(self._index).encode(), dtype=np.uint8),
                weights=np.round(self._weights / scales).astype(np.int8),
                scales=scales.astype(np.float32),
                bias=self._bias,
                centre=self._centre,
                vector_weights=self._vector_weights,
                vector_bias=self._vector_bias,
            )


def load_head(path: Path) -> Head:
    """Read a file that `banxi train conduct` wrote. Raises DataFileError with what is wrong."""
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            parts: dict[str, Any] = {name: file[name] for name in file.files}
        about = About.model_validate(json.loads(parts["about"].tobytes()))
        vocabulary = parts["vocabulary"].tobytes().decode().split("\n")
        weights = parts["weights"].astype(np.float32) * parts["scales"]
        learned = [weights] + [
            parts[name].astype(np.float32)
            for name in ("bias", "centre", "vector_weights", "vector_bias")
        ]
    except Exception as error:
        # A file may be broken in any way; the operator's remedy is the same.
        raise DataFileError(
            f"{path}: is no meaning head ({type(error).__name__}); make it with `banxi train "
            "conduct`"
        ) from None
    classes = len(about.rules) + 1
    size = parts["centre"].size
    shapes = [(len(vocabulary), classes), (classes,), (size,), (size, classes), (classes,)]
    if [part.shape for part in learned] != shapes or not all(map(_finite, learned)):
        raise DataFileError(f"{path}: its weights do not fit its vocabulary and rules")
    if not all(len(w) == JOINT and _finite(np.array(w)) for w in (about.joint, about.joint_words)):
        raise DataFileError(
            f"{path}: its joined decision is of another version; make it again with `banxi train "
            "conduct`"
        )
    return Head(about, vocabulary, *learned)


def _finite(numbers: npt.NDArray[Any]) -> bool:
    return bool(np.isfinite(numbers).all())


def _log_sum(logits: npt.NDArray[Any]) -> float:
    top = float(logits.max())
    return top + float(np.log(np.exp(logits - top).sum()))


def _log_shares(logits: npt.NDArray[Any]) -> Array:
    shares: Array = (logits - _log_sum(logits)).astype(np.float32)
    return shares


def _heaviest(gains: Array) -> tuple[int, int]:
    """The stretch with the largest sum; all of it where none is above 0."""
    best, best_stretch = 0.0, (0, len(gains))
    total, start = 0.0, 0
    for at, gain in enumerate(gains):
        total += float(gain)
        if total <= 0:
            total, start = 0.0, at + 1
        elif total > best:
            best, best_stretch = total, (start, at + 1)
    return best_stretch
