"""Linear heads: how much a moment of a call speaks for each of several labels.

A head reads two sorts of things: blocks of grams (`services.common.grams`), one for each place they
may stand at, such as the caller's last words or the agent's; and blocks of vectors from the
embedding service. Each sort gives log-probabilities; joining them is the reader's affair. What was
learned is a file of numbers (`banxi train`). Pure arithmetic: no model is run here.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from services.common.datafiles import DataFileError
from services.common.vectors import Vector

Array = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
FEWEST = 16
"""Blocks with fewer known grams count as if they had so many: a single word proves little."""
NO_ROWS: Rows = np.zeros(0, dtype=np.int32)

About = TypeVar("About", bound=BaseModel)


@dataclass(frozen=True, slots=True, eq=False)
class GramBlock:
    """What the grams at one place speak for."""

    vocabulary: Mapping[str, int]
    """Gram → row of the weights."""
    weights: Array
    """One row a gram, one column a label."""

    def rows(self, grams: Iterable[str]) -> Rows:
        """The rows of the grams that are known, each once, in order."""
        known = {row for gram in grams if (row := self.vocabulary.get(gram)) is not None}
        return np.array(sorted(known), dtype=np.int32)

    def logits(self, rows: Rows) -> Array:
        """What they add up to."""
        if not len(rows):
            return np.zeros(self.weights.shape[1], dtype=np.float32)
        return np.asarray(self.weights[rows].sum(axis=0) * scale(len(rows)), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class VectorBlock:
    """What the vector at one place speaks for."""

    centre: Array
    """The mean of all vectors it learned from; taken away first, or all look alike."""
    weights: Array
    """One row a dimension, one column a label."""

    def logits(self, vector: Vector | None) -> Array:
        """What it speaks for; nothing where there is none."""
        if vector is None:
            return np.zeros(self.weights.shape[1], dtype=np.float32)
        logits: Array = away(vector, self.centre) @ self.weights
        return logits


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Blocks that were learned together."""

    labels: tuple[str, ...]
    grams: Mapping[str, GramBlock]
    """By the place they stand at."""
    gram_bias: Array
    vectors: Mapping[str, VectorBlock]
    vector_bias: Array

    def words(self, rows: Mapping[str, Rows]) -> Array:
        """Log-probabilities by the words: rows of `GramBlock.rows`, by place."""
        logits = self.gram_bias.copy()
        for place, block in self.grams.items():
            logits += block.logits(rows.get(place, NO_ROWS))
        return log_shares(logits)

    def meaning(self, vectors: Mapping[str, Vector | None]) -> Array:
        """Log-probabilities by the vectors, by place."""
        logits = self.vector_bias.copy()
        for place, block in self.vectors.items():
            logits += block.logits(vectors.get(place))
        return log_shares(logits)


def scale(count: int) -> float:
    """What a sum over so many grams is multiplied with."""
    return 1 / math.sqrt(max(count, FEWEST))


def away(vectors: npt.NDArray[Any], centre: Array) -> Array:
    """Vectors without their common part, of unit length; zero where nothing is left."""
    left = np.asarray(vectors, dtype=np.float32) - centre
    length = np.linalg.norm(left, axis=-1, keepdims=True)
    return np.asarray(left / np.where(length > 1e-6, length, np.inf), dtype=np.float32)


def log_shares(logits: npt.NDArray[Any]) -> Array:
    """Log-probabilities along the last axis."""
    top = logits.max(axis=-1, keepdims=True)
    shares = logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))
    return np.asarray(shares, dtype=np.float32)


def save_heads(
    path: Path, about: BaseModel, heads: Mapping[str, Head], extra: Mapping[str, Array]
) -> None:
    """Write a file of heads and further arrays. Weights of grams are kept as bytes with one scale a
    column. The same content gives the same bytes."""
    parts: dict[str, Any] = {"about": _bytes(about.model_dump_json())}
    for name, head in heads.items():
        parts[f"{name}/labels"] = _bytes("\n".join(head.labels))
        parts[f"{name}/gram_bias"] = head.gram_bias
        parts[f"{name}/vector_bias"] = head.vector_bias
        for place, grams in head.grams.items():
            scales = np.maximum(np.abs(grams.weights).max(axis=0, initial=0), 1e-6) / 127
            parts[f"{name}/grams/{place}/vocabulary"] = _bytes("\n".join(grams.vocabulary))
            parts[f"{name}/grams/{place}/weights"] = np.round(grams.weights / scales).astype("i1")
            parts[f"{name}/grams/{place}/scales"] = scales.astype(np.float32)
        for place, vectors in head.vectors.items():
            parts[f"{name}/vectors/{place}/centre"] = vectors.centre.astype(np.float32)
            parts[f"{name}/vectors/{place}/weights"] = vectors.weights.astype(np.float16)
    parts |= {f"extra/{name}": array for name, array in extra.items()}
    content = io.BytesIO()
    np.savez_compressed(content, **parts)
    path.write_bytes(content.getvalue())


def load_heads(
    path: Path, about: type[About], made_by: str
) -> tuple[About, dict[str, Head], dict[str, Array]]:
    """Read a file that `save_heads` wrote. `made_by`: the command that makes it anew. Raises
    DataFileError with what is wrong."""
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            parts: dict[str, Any] = {name: file[name] for name in file.files}
        described = about.model_validate(json.loads(parts["about"].tobytes()))
        names = dict.fromkeys(n.split("/")[0] for n in parts if n.endswith("/labels"))
        heads = {name: _head(parts, f"{name}/") for name in names}
        extra = {
            name.removeprefix("extra/"): np.asarray(array, dtype=np.float32)
            for name, array in parts.items()
            if name.startswith("extra/")
        }
        sound = all(np.isfinite(array).all() for array in extra.values()) and all(
            map(_fits, heads.values())
        )
    except Exception as error:
        # A file may be broken in any way; the operator's remedy is the same.
        raise DataFileError(
            f"{path}: is not what `{made_by}` writes ({type(error).__name__}); make it anew with it"
        ) from None
    if not sound:
        raise DataFileError(
            f"{path}: its weights do not fit its words and labels; make it anew with `{made_by}`"
        )
    return described, heads, extra


def _head(parts: Mapping[str, Any], name: str) -> Head:
    def places(sort: str) -> Sequence[str]:
        start = f"{name}{sort}/"
        return tuple(dict.fromkeys(p[len(start) :].split("/")[0] for p in parts if start in p))

    grams = {}
    for place in places("grams"):
        at = f"{name}grams/{place}/"
        words = _text(parts[at + "vocabulary"]).split("\n")
        grams[place] = GramBlock(
            {gram: row for row, gram in enumerate(words) if gram},
            np.asarray(parts[at + "weights"] * parts[at + "scales"], dtype=np.float32),
        )
    vectors = {
        place: VectorBlock(
            parts[f"{name}vectors/{place}/centre"],
            np.asarray(parts[f"{name}vectors/{place}/weights"], dtype=np.float32),
        )
        for place in places("vectors")
    }
    return Head(
        labels=tuple(_text(parts[name + "labels"]).split("\n")),
        grams=grams,
        gram_bias=np.asarray(parts[name + "gram_bias"], dtype=np.float32),
        vectors=vectors,
        vector_bias=np.asarray(parts[name + "vector_bias"], dtype=np.float32),
    )


def _fits(head: Head) -> bool:
    labels = len(head.labels)
    numbers = [head.gram_bias, head.vector_bias]
    fits = all(bias.shape == (labels,) for bias in numbers)
    for grams in head.grams.values():
        fits &= grams.weights.shape == (max(len(grams.vocabulary), 1), labels)
        numbers.append(grams.weights)
    for vectors in head.vectors.values():
        fits &= vectors.weights.shape == (vectors.centre.size, labels)
        numbers += [vectors.weights, vectors.centre]
    return fits and all(bool(np.isfinite(array).all()) for array in numbers)


def _bytes(text: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _text(array: npt.NDArray[np.uint8]) -> str:
    return array.tobytes().decode()
