"""Words that give a caller away, found in what is said (`signals.yaml`, `intake.yaml`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from contracts.call_type import CALL_TYPES, INTAKES
from services.call_type.tables import Tables
from services.common.heads import Array
from services.common.written import Written, read

SATURATED = 4.0
"""Weight from which more words say little more: the fifth 气死我了 adds hardly anything."""
_TELLING = re.compile(r"(?![零一二三四五六七八九十百千万两幺])[\u4e00-\u9fff]")


Kind = Literal["type", "intake"]
"""What a word speaks for: 投诉 is a type and an intake kind."""
LABELS: Mapping[Kind, tuple[str, ...]] = {"type": CALL_TYPES, "intake": INTAKES}


@dataclass(frozen=True, slots=True)
class Found:
    """A signal word in an utterance."""

    kind: Kind
    label: str
    """The type or intake kind it speaks for."""
    weight: float
    words: str
    """As they were heard."""


class SignalWords:
    """The tables' words, ready to be looked for."""

    def __init__(self, tables: Tables) -> None:
        self._words: list[tuple[Kind, str, float, str]] = []
        for of_type in tables.signals.signals:
            for word in of_type.patterns:
                self._words.append(("type", of_type.type, of_type.weight, read(word).plain))
        for of_intake in tables.intake.signals:
            for word in of_intake.patterns:
                self._words.append(("intake", of_intake.intake, of_intake.weight, read(word).plain))
        self._questions = [read(word).plain for word in tables.signals.questions]
        # Longest first, or 对 would leave the 的 of 对的 behind.
        nods = {read(word).plain for word in tables.signals.acknowledgements} - {""}
        self._nods = re.compile("|".join(map(re.escape, sorted(nods, key=len, reverse=True))))

    def found(self, text: Written) -> tuple[Found, ...]:
        """The words of the tables in a text."""
        return tuple(
            Found(kind, label, weight, text.words(at, at + len(pattern)))
            for kind, label, weight, pattern in self._words
            if (at := text.plain.find(pattern)) >= 0
        )

    def asks(self, text: Written) -> bool:
        """Whether a question word is in it."""
        return any(word in text.plain for word in self._questions)

    def content(self, text: Written) -> int:
        """How many Chinese characters are left without acknowledgements and numbers: what has
        none, or is of another language, says nothing of the call."""
        return len(_TELLING.findall(self._nods.sub("", text.plain)))


def sums(found: Iterable[Found], kind: Kind) -> Array:
    """The weights of the words by label of a kind, saturated; each word counts once."""
    labels = LABELS[kind]
    total = np.zeros(len(labels), dtype=np.float32)
    for hit in {(one.label, one.words): one for one in found if one.kind == kind}.values():
        total[labels.index(hit.label)] += hit.weight
    return np.asarray(SATURATED * (1 - np.exp(-total / SATURATED)), dtype=np.float32)
