"""Which situation a moment is, if any: `situations.npz` read over the last turns. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from services.call_type.situations.book import Book
from services.call_type.situations.look import SignalWords, Turn, look
from services.common.failure import CannotStart
from services.common.grams import grams
from services.common.heads import Array, Head, load_heads, log_shares, scale

PACKAGED = Path(__file__).parent.parent / "data" / "situations.npz"
MADE_BY = "banxi train situations"
NONE = "none"
HEAD = "situations"
LEAST = 2
"""Chinese characters from which words say something; a silence says something too."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_QUOTED = 16
"""Characters that the quoted evidence has at most."""


class Joint(BaseModel):
    """How the readings are joined: the calibrated log-odds of each label, and what is let pass."""

    model_config = ConfigDict(frozen=True)

    words: float
    """Weight of the log-probabilities by the words."""
    meaning: float
    """Weight of those by the vectors; 0 where there are none."""
    none: float
    """Added for none."""
    least: float
    """Probability of being any situation from which a moment is called one."""


class About(BaseModel):
    """What a head file says of itself."""

    model_config = ConfigDict(frozen=True)

    version: str
    """Digest of the exemplars it learned from."""
    embedding: str
    """Id of the embedding model whose vectors it reads."""
    joint: Joint
    joint_words: Joint
    """Where there is no vector."""
    figures: dict[str, float]
    """As judged from author to author."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a moment is."""

    situation: str | None
    """None where it needs no wording."""
    confidence: float
    """Probability of that, from what the exemplars taught."""
    words: str = ""
    """The words of the last turn that say so most."""


class Recogniser:
    """Reads moments."""

    def __init__(self, book: Book, path: Path | None = None) -> None:
        """Raises CannotStart where the file is broken or knows a situation that has no card."""
        file = path or PACKAGED
        self.about, heads, _ = load_heads(file, About, MADE_BY)
        if set(heads) != {HEAD} or NONE not in heads[HEAD].labels:
            raise CannotStart(f"{file}: is not what `{MADE_BY}` writes; make it anew with it")
        self._head: Head = heads[HEAD]
        if missing := sorted({*self._head.labels} - {*book.by_id, NONE}):
            raise CannotStart(f"{file}: knows {missing[0]}, for which situations.yaml has no card")
        self._signals = SignalWords(book.table.situations)

    @property
    def version(self) -> str:
        """Digest of the exemplars it learned from."""
        return self.about.version

    @property
    def labels(self) -> tuple[str, ...]:
        """What it may say: ids of situations, and `none`."""
        return self._head.labels

    def recognise(self, turns: Sequence[Turn]) -> Recognised:
        """What the moment of the last turn is. Vectors of another model than `about.embedding` must
        be left out by the caller."""
        if not turns or not _says_something(turns[-1]):
            return Recognised(None, 1.0)
        seen = look(turns, self._signals)
        rows = {place: block.rows(seen.grams[place]) for place, block in self._head.grams.items()}
        words = self._head.words(rows)
        with_vector = turns[-1].vector is not None
        joint = self.about.joint if with_vector else self.about.joint_words
        meaning = self._head.meaning(seen.vectors) if with_vector else np.zeros_like(words)
        shares = joined(joint, words, meaning, self._head.labels.index(NONE))
        best, certain = decide(joint, shares, self._head.labels.index(NONE))
        label = self._head.labels[best]
        if label == NONE:
            return Recognised(None, certain)
        return Recognised(label, certain, self._loudest(turns[-1], best))

    def _loudest(self, turn: Turn, label: int) -> str:
        """The stretch of a turn that speaks most for a label."""
        block, text = self._head.grams[turn.role], turn.written
        speaks = np.zeros(len(text.plain), dtype=np.float32)
        for gram, start, end in grams(text):
            row = block.vocabulary.get(gram)
            if row is not None and end > start:
                speaks[start:end] += float(block.weights[row, label]) / (end - start)
        start, end = stretch(speaks * scale(len(speaks)))
        return text.words(start, end)


def joined(joint: Joint, words: Array, meaning: Array, none: int) -> Array:
    """Probabilities of the labels, from log-probabilities by the words and by the vectors."""
    logits = joint.words * words + joint.meaning * meaning
    logits[..., none] += joint.none
    return np.asarray(np.exp(log_shares(logits)), dtype=np.float32)


def decide(joint: Joint, shares: Array, none: int) -> tuple[int, float]:
    """The label that is said, and its probability."""
    if 1 - float(shares[none]) < joint.least:
        return none, float(shares[none])
    situations = shares.copy()
    situations[none] = -1
    best = int(situations.argmax())
    return best, float(shares[best])


def stretch(speaks: Array) -> tuple[int, int]:
    """From where to where a run of at most 16 characters speaks most: its sum is greatest."""
    best, found = 0.0, (0, 0)
    sums = np.concatenate([[0.0], np.cumsum(speaks)])
    for start in range(len(speaks)):
        ends = sums[start + 1 : start + 1 + _QUOTED] - sums[start]
        at = int(ends.argmax())
        if ends[at] > best:
            best, found = float(ends[at]), (start, start + at + 1)
    return found


def _says_something(turn: Turn) -> bool:
    if not turn.text.strip():
        return turn.silence_s > 0
    return len(_CHINESE.findall(turn.written.plain)) >= LEAST
