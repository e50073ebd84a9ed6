"""Nearest prototype: what call types are compared with. A few example callers a type, the centre of
their vectors, and the centre that is nearest to the vector of what a caller says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, StringConstraints, field_validator

from contracts.call_type import CALL_TYPES, CallType
from services.common.datafiles import Entry, read_data

FILE = Path(__file__).parent / "data" / "prototypes.yaml"
NAME = "nearest prototype"

Array = npt.NDArray[np.float32]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Embed = Callable[[Sequence[str]], npt.NDArray[Any]]
"""Texts → one unit-length row each."""


class Examples(Entry):
    """What callers of one type say."""

    type: CallType
    utterances: Annotated[tuple[Words, ...], Field(min_length=1)]


class PrototypeFile(Entry):
    """prototypes.yaml."""

    version: Literal[1]
    """The form of the file."""
    types: tuple[Examples, ...]

    @field_validator("types")
    @classmethod
    def _each_once(cls, types: tuple[Examples, ...]) -> tuple[Examples, ...]:
        counts = Counter(entry.type for entry in types)
        if wrong := [label for label in CALL_TYPES if counts[label] != 1]:
            raise ValueError(f"must stand there once each: {', '.join(wrong)}")
        return types


@dataclass(frozen=True, slots=True, eq=False)
class Prototypes:
    """The centres."""

    mean: Array
    """Of all examples: taken away first, or all vectors look alike."""
    centres: Array
    """Unit length, one row a type."""

    @classmethod
    def of(cls, embed: Embed, file: Path = FILE) -> Prototypes:
        """From the examples of a file. Raises DataFileError."""
        types = {entry.type: entry.utterances for entry in read_data(file, PrototypeFile).types}
        vectors = [embed(types[label]) for label in CALL_TYPES]
        mean = np.concatenate(vectors).mean(axis=0)
        rows = [_unit(_unit(each - mean).mean(axis=0)) for each in vectors]
        return cls(mean, np.array(rows, dtype=np.float32))

    def nearest(self, vector: npt.NDArray[Any]) -> CallType:
        """The type whose centre is nearest to a text's vector."""
        return CALL_TYPES[int((self.centres @ _unit(vector - self.mean)).argmax())]


def _unit(rows: npt.NDArray[Any]) -> Array:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1.0), dtype=np.float32)
