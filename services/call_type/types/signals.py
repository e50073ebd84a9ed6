"""Words that give a caller away, found in what is said (`signals.yaml`, `intake.yaml`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from contracts.call_type import CALL_TYPES, INTAKES
from services.call_type.heads import Array
from services.call_type.tables import Tables
from services.common.written import Written, read

SATURATED = 4.0
"""Weight from which more words say little more: the fifth 气死我了 adds hardly anything."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Found:
    """A signal word in an utterance."""

    label: str
    """The type or intake kind it speaks for."""
    weight: float
    words: str
    """As they were heard."""


class SignalWords:
    """The tables' words, ready to be looked for."""

    def __init__(self, tables: Tables) -> None:
        types = ((entry.type, entry.weight, entry.patterns) for entry in tables.signals.signals)
        intakes = ((entry.intake, entry.weight, entry.patterns) for entry in tables.intake.signals)
        self._words = [
            (label, weight, read(pattern).plain)
            for label, weight, patterns in (*types, *intakes)
            for pattern in patterns
        ]
        self._questions = [read(word).plain for word in tables.signals.questions]
        # Longest first, or 对 would leave the 的 of 对的 behind.
        nods = {read(word).plain for word in tables.signals.acknowledgements} - {""}
        self._nods = re.compile("|".join(map(re.escape, sorted(nods, key=len, reverse=True))))

    def found(self, text: Written) -> tuple[Found, ...]:
        """The words of the tables in a text."""
        return tuple(
            Found(label, weight, text.words(at, at + len(pattern)))
            for label, weight, pattern in self._words
            if (at := text.plain.find(pattern)) >= 0
        )

    def asks(self, text: Written) -> bool:
        """Whether a question word is in it."""
        return any(word in text.plain for word in self._questions)

    def content(self, text: Written) -> int:
        """How many Chinese characters are left without acknowledgements: what is none, or of
        another language, says nothing of the call."""
        return len(_CHINESE.findall(self._nods.sub("", text.plain)))


def sums(found: Iterable[Found], labels: Sequence[str] = (*CALL_TYPES, *INTAKES)) -> Array:
    """The weights of the words by label, saturated; each word counts once."""
    total = np.zeros(len(labels), dtype=np.float32)
    for hit in {(one.label, one.words): one for one in found}.values():
        if hit.label in labels:
            total[labels.index(hit.label)] += hit.weight
    return np.asarray(SATURATED * (1 - np.exp(-total / SATURATED)), dtype=np.float32)
