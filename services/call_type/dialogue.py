"""The caller's side of a call as values: what was heard, what it speaks for, what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

import numpy as np

from contracts.call_type import CALL_TYPES, INTAKES, CallType, Intake
from services.call_type.prototypes import Array, Label, softmax
from services.common.vectors import Vector

TYPE_INDEX: dict[CallType, int] = {label: index for index, label in enumerate(CALL_TYPES)}
INTAKE_INDEX: dict[Intake, int] = {label: index for index, label in enumerate(INTAKES)}


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """One utterance of the caller, with its vectors where there are any."""

    event_id: str
    at_ms: int
    end_ms: int
    text: str
    alone: Vector | None = None
    """Vector of the utterance."""
    together: Vector | None = None
    """Vector of the last utterances as one text (`Assessor.texts`); None where it is the first."""

    @property
    def vectors(self) -> list[Vector]:
        """Those that are there."""
        return [vector for vector in (self.alone, self.together) if vector is not None]


@dataclass(frozen=True, slots=True)
class Found(Generic[Label]):
    """A word of the tables in an utterance."""

    label: Label
    weight: float
    words: str
    """As it was heard."""


@dataclass(frozen=True, slots=True, eq=False)
class Spoke:
    """An utterance that has been weighed."""

    heard: Heard
    found: tuple[Found[CallType], ...]
    leanings: Array | None
    """To each type; None where there was no vector."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What speaks for each of several labels: sums over utterances, of which the older fade."""

    words: Array
    """Weights of the words found."""
    likeness: Array
    """Leanings of the utterances, each times its weight."""
    mass: float = 0.0
    """Sum of those weights."""

    @classmethod
    def none(cls, labels: Sequence[str]) -> Evidence:
        """Nothing heard yet."""
        return cls(np.zeros(len(labels)), np.zeros(len(labels)))

    def after(self, fade: float, words: Array, leanings: Array | None, weight: float) -> Evidence:
        """With one more utterance; without leanings what is known of likeness only fades."""
        likeness, mass = self.likeness * fade, self.mass * fade
        if leanings is not None:
            likeness, mass = likeness + weight * leanings, mass + weight
        return Evidence(self.words * fade + words, likeness, mass)

    def scores(self, words: float, limit: float, likeness: float) -> Array:
        """Both sorts added up by their weights: words saturate at `limit`; likeness is a mean, so
        that ten calm questions do not outweigh the outburst after them."""
        saturated = limit * (1 - np.exp(-self.words / limit))
        return words * saturated + likeness * self.likeness / max(self.mass, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Dialogue:
    """The caller's side so far."""

    characters: int = 0
    """Said so far, acknowledgements not counted."""
    types: Evidence = field(default_factory=lambda: Evidence.none(CALL_TYPES))
    intakes: Evidence = field(default_factory=lambda: Evidence.none(INTAKES))
    manner: Array = field(default_factory=lambda: np.zeros(len(CALL_TYPES)))
    """What the way of talking says for each type: asking, telling, asking again."""
    matters: float = 0.0
    """Words that opened a further matter."""
    asked: tuple[Array, ...] = ()
    """Centred vectors of the caller's last questions."""
    recent: tuple[Spoke, ...] = ()
    """The last utterances that said something."""
    probabilities: Array = field(default_factory=lambda: softmax(np.zeros(len(CALL_TYPES))))
    """Of each type now."""
    shown: CallType | None = None
    """The type shown; None = not yet known."""
    challenger: CallType | None = None
    """The type that led after the last utterance, but is not shown yet."""
    intake: Intake | None = None
    """The intake kind; None = not yet known."""

    @property
    def confidence(self) -> float:
        """Probability of the type shown; 0 while there is none."""
        return 0.0 if self.shown is None else float(self.probabilities[TYPE_INDEX[self.shown]])

    @property
    def words_only(self) -> bool:
        """Whether the last utterance had to be weighed without vectors."""
        return bool(self.recent) and self.recent[-1].leanings is None

    def best(self, count: int) -> list[tuple[CallType, float]]:
        """The likeliest types, best first."""
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(CALL_TYPES[i], float(self.probabilities[i])) for i in order]
