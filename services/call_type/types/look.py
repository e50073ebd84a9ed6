"""What the heads look at in a dialogue: grams and vectors by place, and the manner of talking."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from contracts.call_type import CALL_TYPES, INTAKES
from services.call_type.types.dialogue import Dialogue, Turn, pooled
from services.call_type.types.signals import sums
from services.common.heads import Array
from services.common.vectors import Vector

GRAM_PLACES = ("last", "caller", "agent")
"""The caller's last turn · all the caller said · the agent's last turn."""
VECTOR_PLACES = ("last", "caller", "recent", "answer")
"""The caller's last turn · all the caller said · the same, older turns fading · the agent's last
turn."""
FADE = 0.6
"""What is left of a turn in `recent` with each one after it."""
MANNER = (
    "turns", "turns_squared", "length", "mean_length", "asks", "asks_share",
    "again_words", "again_meaning", "history", "history_words", "answered", "agent_share",
    *(f"last_{label}" for label in CALL_TYPES), *(f"all_{label}" for label in CALL_TYPES),
    *(f"intake_{label}" for label in INTAKES),
)  # fmt: skip
"""Names of the manner's numbers, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One look at a dialogue, after a caller's turn."""

    grams: Mapping[str, frozenset[str]]
    vectors: Mapping[str, Vector | None]
    manner: Array
    """The numbers named by `MANNER`."""


def look(dialogue: Dialogue) -> Look:
    """What there is to see now. The caller must have said something."""
    caller, agent = dialogue.of("caller"), dialogue.of("agent")
    last, answers = caller[-1], agent[-1:]
    vectors, lengths = [turn.vector for turn in caller], [float(len(t.text)) for t in caller]
    fading = [length * FADE ** (len(caller) - 1 - at) for at, length in enumerate(lengths)]
    return Look(
        grams={
            "last": last.grams.every,
            "caller": _all(turn.grams.short for turn in caller),
            "agent": answers[0].grams.short if answers else frozenset(),
        },
        vectors={
            "last": last.vector,
            "caller": pooled(vectors, lengths),
            "recent": pooled(vectors, fading),
            "answer": answers[0].vector if answers else None,
        },
        manner=_manner(dialogue, caller, agent),
    )


def _manner(dialogue: Dialogue, caller: Sequence[Turn], agent: Sequence[Turn]) -> Array:
    last, earlier = caller[-1], caller[:-1]
    lengths = [len(turn.text) for turn in caller]
    asks = [any(one.asks for one in turn.said) for turn in caller]
    pairs = last.grams.pairs
    said = _all(turn.grams.pairs for turn in caller)
    answered = sum(len(turn.text) for turn in agent)
    matters = [matter.pairs for matter in dialogue.matters]
    numbers = [
        math.log1p(dialogue.caller_turns),
        math.log1p(dialogue.caller_turns) ** 2 / 3,
        math.log1p(lengths[-1]) / 3,
        math.log1p(sum(lengths) / len(lengths)) / 3,
        float(asks[-1]),
        sum(asks) / len(asks),
        max((_overlap(pairs, turn.grams.pairs) for turn in earlier), default=0.0),
        max((_likeness(last, turn) for turn in earlier), default=0.0),
        min(len(matters), 4) / 2,
        max((_overlap(matter, said) for matter in matters), default=0.0),
        float(len(dialogue.turns) > 1 and dialogue.turns[-2].role == "agent"),
        answered / max(1, answered + sum(lengths)),
    ]
    every = [hit for turn in caller for one in turn.said for hit in one.found]
    words = [
        sums([hit for one in last.said for hit in one.found], "type"),
        sums(every, "type"),
        sums(every, "intake"),
    ]
    return np.concatenate([np.array(numbers, dtype=np.float32), *words])


def _all(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Share of the shorter text's pairs that the other holds; short texts prove little."""
    return len(one & other) / max(min(len(one), len(other)), 6)


def _likeness(one: Turn, other: Turn) -> float:
    if one.vector is None or other.vector is None:
        return 0.0
    lengths = float(np.linalg.norm(one.vector) * np.linalg.norm(other.vector))
    return float(one.vector @ other.vector) / lengths if lengths else 0.0
