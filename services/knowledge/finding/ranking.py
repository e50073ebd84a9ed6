"""How much each witness of a match counts, and how sure they make it: learned numbers, in a file
that `banxi train knowledge` writes. Pure but for reading it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from services.common.datafiles import Entry, read_data
from services.knowledge.finding.background import DATA
from services.knowledge.finding.words import Floats

LEARNED = DATA / "ranking.json"
WITNESSES = ("asked", "about", "like", "cover", "like_sound", "cover_sound")
"""By vector: the nearest wording, the entry as a whole. By character and by sound: likeness to the
likest wording, and the share of the question that the wordings cover."""

SIGNS = ("score", "lead", "third", "absent", "talk", "other", "asked", "crowd", "length", "one")
"""What makes sure of a match: its score, its leads over the next matter and the one after it, how
far a matter of which nothing applies (expired, of elsewhere) is ahead of it, how much the question
is like talk and like other questions, how near the entry's likest wording is and how near those of
the CROWD nearest are on the average, the question's length, and 1."""
CROWD = 30
LONG = 40
"""Characters from which a question is simply long."""

Numbers = Annotated[tuple[float, ...], Field(min_length=6, max_length=6)]


class Weights(Entry):
    """Numbers for one way of hearing a question."""

    witnesses: Numbers
    """In the order of WITNESSES; together they make 1."""
    sure: Annotated[tuple[float, ...], Field(min_length=len(SIGNS), max_length=len(SIGNS))]
    """In the order of SIGNS: the logistic of their sum is the confidence."""
    shown_from: Annotated[float, Field(gt=0, lt=1)]
    """Confidence from which a card is shown."""
    listed_from: float
    """Score from which a matter is named beside another, and listed by a search."""


class Ranking(Entry):
    """All learned numbers."""

    version: Annotated[str, Field(min_length=1)]
    """Which exemplars it was learned from."""
    meaning: Weights
    """With vectors."""
    words: Weights
    """By words alone."""
    expected: Annotated[tuple[float, ...], Field(min_length=6, max_length=6)]
    """What the characters let one expect of a similarity of vectors not known yet: three numbers
    (of 1, likeness, coverage) for the nearest wording, three for the entry as a whole."""

    def stand_in(self, like: Floats, cover: Floats) -> tuple[Floats, Floats]:
        """What the characters let one expect: for the nearest wording, for the whole."""
        one, likeness, coverage = self.expected[:3]
        whole, likeness_whole, coverage_whole = self.expected[3:]
        asked: Floats = one + likeness * like + coverage * cover
        about: Floats = whole + likeness_whole * like + coverage_whole * cover
        return asked, about


def read_ranking(path: Path = LEARNED) -> Ranking:
    """Read the file. Raises DataFileError."""
    return read_data(path, Ranking)


@cache
def packaged_ranking() -> Ranking:
    """The numbers that come with the installation. Raises DataFileError."""
    return read_ranking()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for which entry, for one question."""

    scores: Floats
    """One an entry, in the order of the base; comparable among each other and across questions."""
    talk: float
    """How much the question is like talk that asks nothing."""
    other: float
    """How much it is like questions of any kind."""
    asked: Floats
    """Per entry, how much it is like the entry's likest wording."""
    length: int
    """Characters of the question."""
    weights: Weights
    """By which these were weighed."""

    @property
    def is_talk(self) -> bool:
        """Whether it is more like talk than like anything that can be asked."""
        return self.talk > max(float(self.asked.max(initial=-1.0)), self.other)

    def signs(
        self, matched: int, score: float, rivals: Sequence[float], absent: float = 0.0
    ) -> Floats:
        """What makes sure, in the order of SIGNS. `matched`: position of the entry whose wordings
        matched; `rivals`: scores of the matches of other matters; `absent`: the best score of a
        matter of which nothing applies."""
        next_, third, *_ = (*sorted((max(0.0, rival) for rival in rivals), reverse=True), 0.0, 0.0)
        size = min(CROWD, len(self.asked))
        crowd = np.partition(self.asked, len(self.asked) - size)[len(self.asked) - size :]
        return np.asarray(
            [
                score,
                score - next_,
                score - third,
                max(0.0, absent - score),
                self.talk,
                self.other,
                self.asked[matched],
                crowd.mean(),
                min(LONG, self.length) / LONG,
                1.0,
            ]
        )

    def confidence(
        self, matched: int, score: float, rivals: Sequence[float], absent: float = 0.0
    ) -> float:
        """How sure it is that a matter is meant; parameters as for `signs`."""
        signs = self.signs(matched, score, rivals, absent)
        weighed = float(signs @ np.asarray(self.weights.sure))
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, weighed))))


def weighed(witnesses: Floats, weights: Weights) -> Floats:
    """Scores of entries; `witnesses`: one row an entry, in the order of WITNESSES."""
    scores: Floats = witnesses @ np.asarray(weights.witnesses)
    return scores
