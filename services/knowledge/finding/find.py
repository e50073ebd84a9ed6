"""How strongly a question speaks for each entry. Pure: words and similarities in, scores out.

Three witnesses are heard: the vectors (what is meant), the characters (what is said) and the sounds
(what it may have been before a recogniser misheard it). None of them is right alone. The whole
way of a question: docs/knowledge.md.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.knowledge.entries.entry import Entry
from services.knowledge.finding.background import Background
from services.knowledge.finding.wording import characters, sounds

Floats = npt.NDArray[np.float64]
Grams = frozenset[str]

# How much each witness counts: the nearest wording of an entry and the entry as a whole, by vector;
# likeness and coverage, by character and by sound. Fitted on eval_data/kb.dev.jsonl and on the
# wordings of the sample base, each left out and asked once; the values are round on purpose.
ASKED, ABOUT = 0.45, 0.55
LIKE, COVER, LIKE_SOUND, COVER_SOUND = 0.13, 0.20, 0.09, 0.14


def expected(like: Floats, cover: Floats) -> Floats:
    """What the characters alone let one expect of a similarity of vectors."""
    return 0.07 + 0.65 * like + 0.33 * cover


@dataclass(frozen=True, slots=True)
class Similar:
    """Similarities of a question's vector to those of an index, in their space; what is missing is
    not known yet."""

    asked: Mapping[str, float]
    """Owner (entry id, or `background_owner`) → similarity to its nearest wording."""
    about: Mapping[str, float]
    """Entry id → similarity to the entry as a whole."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for which entry, for one question."""

    scores: Floats
    """One an entry, in the order of the base; comparable among each other and across questions."""
    talk: float
    """How much the question is like talk that asks nothing."""
    other: float
    """How much it is like questions of any kind."""


class Words:
    """Which wordings share rare grams with a question."""

    def __init__(self, wordings: Sequence[Grams], owners: Sequence[int]) -> None:
        self._owners = np.asarray(owners, dtype=np.int64)
        self.count = int(self._owners.max(initial=-1)) + 1
        at_wording: dict[str, list[int]] = defaultdict(list)
        of_owner: dict[str, set[int]] = defaultdict(set)
        for number, (grams, owner) in enumerate(zip(wordings, owners, strict=True)):
            for gram in grams:
                at_wording[gram].append(number)
                of_owner[gram].add(owner)
        self._at_wording = {gram: np.asarray(where) for gram, where in at_wording.items()}
        self._of_owner = {gram: np.asarray(sorted(who)) for gram, who in of_owner.items()}
        self._lengths = np.sqrt(
            [sum(self.rarity(g) ** 2 for g in grams) or 1.0 for grams in wordings]
        )

    def rarity(self, gram: str) -> float:
        """How much a gram says: the less, the more owners use it."""
        used = len(self._of_owner.get(gram, ()))
        return math.log(1 + (self.count - used + 0.5) / (used + 0.5))

    def compare(self, grams: Grams) -> tuple[Floats, Floats]:
        """Per owner: likeness to its likest wording, and the share of the question that its
        wordings cover; both 0–1, rare grams counting more."""
        shared = np.zeros(len(self._owners))
        covered = np.zeros(self.count)
        whole = square = 0.0
        for gram in grams:
            weight = self.rarity(gram)
            whole += weight
            square += weight**2
            if gram in self._at_wording:
                shared[self._at_wording[gram]] += weight**2
                covered[self._of_owner[gram]] += weight
        like = np.zeros(self.count)
        if whole:
            np.maximum.at(like, self._owners, shared / (self._lengths * math.sqrt(square)))
            covered /= whole
        return like, covered


class Finder:
    """Compares questions with the wordings of all entries, and with the background."""

    def __init__(self, entries: Sequence[Entry], background: Background) -> None:
        self.count = len(entries)
        self._talk = slice(self.count, self.count + len(background.talk))
        self._other = slice(self._talk.stop, self.count + len(background.lines))
        texts = [(i, text) for i, entry in enumerate(entries) for text in entry.wordings]
        texts += [(self.count + i, line) for i, line in enumerate(background.lines)]
        self._position = {entry.id: i for i, entry in enumerate(entries)} | {
            background_owner(i): self.count + i for i in range(len(background.lines))
        }
        owners = [owner for owner, _ in texts]
        self._chars = Words([characters(text) for _, text in texts], owners)
        self._sounds = Words([sounds(text) for _, text in texts], owners)

    def evidence(self, text: str, similar: Similar | None) -> Evidence:
        """What `text` speaks for. Where similarities are not known, and all of them where `similar`
        is None (nobody made a vector of the question), the characters stand in for them."""
        like, cover = self._chars.compare(characters(text))
        like_sound, cover_sound = self._sounds.compare(sounds(text))
        asked = expected(like, cover)
        about = asked.copy()
        if similar is not None:
            self._put(asked, similar.asked)
            self._put(about, similar.about)
        scores = (
            ASKED * asked
            + ABOUT * about
            + LIKE * like
            + COVER * cover
            + LIKE_SOUND * like_sound
            + COVER_SOUND * cover_sound
        )
        return Evidence(
            scores=scores[: self.count],
            talk=float(asked[self._talk].max()),
            other=float(asked[self._other].max()),
        )

    def overlap(self, text: str) -> float:
        """How much of a text the entry knows that knows most of it, by its characters; 0–2."""
        like, cover = self._chars.compare(characters(text))
        return float((like + cover)[: self.count].max(initial=0.0))

    def _put(self, into: Floats, similarities: Mapping[str, float]) -> None:
        for owner, similarity in similarities.items():
            if (position := self._position.get(owner)) is not None:
                into[position] = similarity


def background_owner(line: int) -> str:
    """The name under which a line of the background stands in an index. No entry has such an id."""
    return f" {line}"
