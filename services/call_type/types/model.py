"""What was learned about types and intake kinds (`banxi train call-type`), and reading it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from contracts.call_type import CALL_TYPES, INTAKES
from services.call_type.types.look import GRAM_PLACES, MANNER, VECTOR_PLACES, Look
from services.call_type.types.turning import SIGNS
from services.common.datafiles import DataFileError
from services.common.heads import Array, Head, load_heads, log_shares, save_heads

PACKAGED = Path(__file__).parent.parent / "data" / "types.npz"
MADE_BY = "banxi train call-type"
INTAKE_GRAMS, INTAKE_VECTORS = ("caller", "agent"), ("caller", "answer")
"""Places that the intake kind is read at."""
FAINTEST = -8.0
"""Log-probabilities below this count as this: nobody is surer of what was never heard before."""
_MANNER_OF_INTAKE = len(INTAKES)
"""The last numbers of the manner: signal words of the intake kinds."""

Figures = Mapping[str, float]


class About(BaseModel):
    """What the file says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    """Digest of the calls it was learned from."""
    embedding: str
    """Id of the embedding model whose vectors it reads."""
    calls: int
    """How many they were."""
    figures: Figures
    """How it did from author to author, as `banxi eval call-type` counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """How readings are joined into log-odds: one row a number, the last one the bias."""

    types: Array
    intakes: Array


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a look at a call says."""

    types: Array
    """Log-probabilities of the ten types."""
    intakes: Array
    """Log-probabilities of the intake kinds."""


class TypeModel:
    """Heads and how they are joined."""

    def __init__(
        self,
        about: About,
        types: Head,
        intakes: Head,
        joint: Joint,
        joint_words: Joint,
        turning: Array,
    ) -> None:
        self.about = about
        self.types = types
        self.intakes = intakes
        self.turning = turning
        """Weights of `turning.SIGNS` and the bias."""
        self._joint = joint
        self._joint_words = joint_words

    def read(self, look: Look) -> Reading:
        """What the look says; by words alone where there is no vector of the caller's words."""
        with_vectors = look.vectors["last"] is not None
        joint = self._joint if with_vectors else self._joint_words
        by_words, by_vectors = readings(self.types, look)
        types = joined(
            joint.types, type_numbers(by_words, by_vectors if with_vectors else None, look.manner)
        )
        by_words, by_vectors = readings(self.intakes, look)
        numbers = intake_numbers(by_words, by_vectors if with_vectors else None, types, look.manner)
        return Reading(types, joined(joint.intakes, numbers))

    def save(self, path: Path) -> None:
        """Write the file."""
        extra = {
            "joint_types": self._joint.types,
            "joint_intakes": self._joint.intakes,
            "joint_words_types": self._joint_words.types,
            "joint_words_intakes": self._joint_words.intakes,
            "turning": self.turning,
        }
        save_heads(path, self.about, {"types": self.types, "intakes": self.intakes}, extra)


def load_model(path: Path | None = None) -> TypeModel:
    """Read a file that `banxi train call-type` wrote. Raises DataFileError with what is wrong."""
    file = path or PACKAGED
    about, heads, extra = load_heads(file, About, MADE_BY)
    wrong = DataFileError(
        f"{file}: was made by another version of the program; make it anew with `{MADE_BY}`"
    )
    try:
        types, intakes = heads["types"], heads["intakes"]
        joint = Joint(extra["joint_types"], extra["joint_intakes"])
        joint_words = Joint(extra["joint_words_types"], extra["joint_words_intakes"])
        turning = extra["turning"]
    except KeyError:
        raise wrong from None
    fits = (
        (types.labels, intakes.labels) == (CALL_TYPES, INTAKES)
        and (tuple(types.grams), tuple(types.vectors)) == (GRAM_PLACES, VECTOR_PLACES)
        and (tuple(intakes.grams), tuple(intakes.vectors)) == (INTAKE_GRAMS, INTAKE_VECTORS)
        and turning.shape == (len(SIGNS) + 1,)
        and _shapes(joint, with_vectors=True)
        and _shapes(joint_words, with_vectors=False)
    )
    if not fits:
        raise wrong
    return TypeModel(about, types, intakes, joint, joint_words, turning)


def readings(head: Head, look: Look) -> tuple[Array, Array]:
    """A head's log-probabilities by the words and by the vectors."""
    rows = {place: block.rows(look.grams[place]) for place, block in head.grams.items()}
    return head.words(rows), head.meaning(look.vectors)


def type_numbers(by_words: Array, by_vectors: Array | None, manner: Array) -> Array:
    """What the joined decision on the type weighs; one row, or many."""
    read = (
        [_bounded(by_words)] if by_vectors is None else [_bounded(by_words), _bounded(by_vectors)]
    )
    return np.concatenate([*read, manner], axis=-1)


def intake_numbers(by_words: Array, by_vectors: Array | None, types: Array, manner: Array) -> Array:
    """What the joined decision on the intake kind weighs; one row, or many."""
    read = (
        [_bounded(by_words)] if by_vectors is None else [_bounded(by_words), _bounded(by_vectors)]
    )
    return np.concatenate([*read, _bounded(types), manner[..., -_MANNER_OF_INTAKE:]], axis=-1)


def joined(weights: Array, numbers: Array) -> Array:
    """Log-probabilities from numbers and weights whose last row is the bias."""
    return log_shares(numbers @ weights[:-1] + weights[-1])


def _bounded(shares: Array) -> Array:
    return np.maximum(shares, FAINTEST)


def _shapes(joint: Joint, *, with_vectors: bool) -> bool:
    heads = 2 if with_vectors else 1
    types, intakes = len(CALL_TYPES), len(INTAKES)
    return (joint.types.shape, joint.intakes.shape) == (
        (heads * types + len(MANNER) + 1, types),
        (heads * intakes + types + _MANNER_OF_INTAKE + 1, intakes),
    )
