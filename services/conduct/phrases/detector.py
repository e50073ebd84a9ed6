"""Which forbidden phrases an utterance holds: what matching finds and what is meant, joined.

Matching knows the words and their sounds, the meaning head what is meant; each errs where the other
does not. Their findings are weighed against each other by a handful of weights, learned with the
head from exemplars of authors that the head had not seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from services.common.vectors import Vector
from services.common.written import Written, read
from services.conduct.phrases.book import Hit, Look, PhraseBook
from services.conduct.phrases.meaning import Head, Reading
from services.conduct.phrases.wording import parse

FARTHEST = 12.0
"""Odds beyond this say no more."""
SHORTEST = 4
"""Characters of an utterance that the meaning alone may find fault with: less may mean anything."""
AROUND = 8
"""Characters beside a phrase that is there that tell whether it is meant."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What the meaning head reads of an utterance."""

    whole: Reading
    part: Reading
    """Of the part that speaks most for an offence."""
    around: Reading | None
    """Of the surest phrase that is there, with a few words around it."""
    across: Reading | None
    """Of the utterance together with the one before it; None where that one says as much."""


def readings(
    head: Head, look: Look, text: Written, previous: str, vector: Vector | None
) -> Readings:
    """Everything the joined decision needs of the head."""
    around = None
    if look.hits:
        size = len(text.plain)
        hit = max(look.hits, key=lambda hit: hit.score)
        start, end = round(hit.start * size), round(hit.end * size)
        around = head.read_part(text, start - AROUND, end + AROUND)
    across = None
    if previous.strip() and head.read(read(previous)).odds < 0:
        across = head.read(read(f"{previous}，{text.raw}"))
    return Readings(head.read(text, vector), head.strongest(text), around, across)


def evidence(look: Look, found: Readings) -> tuple[float, ...]:
    """What the joined decision weighs; the last is the constant."""
    whole = _bounded(found.whole.odds)
    return (
        whole,
        max(_bounded(found.part.odds) - whole, 0.0),
        max(_bounded(found.across.odds) - whole, 0.0) if found.across else 0.0,
        float(bool(look.hits)),
        max((hit.score for hit in look.hits), default=0.0),
        _bounded(found.around.odds) if found.around else 0.0,
        look.loose.score if look.loose else 0.0,
        float(bool(look.loose and look.loose.rule.id in (found.whole.rule, found.part.rule))),
        float(look.excused),
        1.0,
    )


class Detector:
    """Phrase book and meaning head together."""

    def __init__(self, book: PhraseBook, head: Head) -> None:
        self.book = book
        self.head = head
        self._known = {parse(written) for written in head.about.wordings}

    @property
    def model(self) -> str:
        """Id of the embedding model whose vectors help."""
        return self.head.about.embedding

    def hits(self, text: str, previous: str = "", vector: Vector | None = None) -> list[Hit]:
        """The phrases of an agent's utterance, each rule once, in the order of speech.

        `previous`: the same speaker's utterance before it; `vector`: that of `text`, None where
        there is none to be had, then words alone decide."""
        look = self.book.look(text, previous)
        written = read(text)
        if not written.plain:
            return list(look.hits)
        found = readings(self.head, look, written, previous, vector)
        about = self.head.about
        weights = about.joint_words if vector is None else about.joint
        pairs = zip(weights, evidence(look, found), strict=True)
        if sum(weight * value for weight, value in pairs) >= 0:
            return list(look.hits) or self._meant(look, written, previous, found)
        return [hit for hit in look.hits if not self._has_a_say(hit)]

    def _has_a_say(self, hit: Hit) -> bool:
        """Whether the head could have learned of this phrase: a site's own are not judged by it."""
        return hit.rule.id in self.head.about.rules and hit.wording in self._known

    def _meant(self, look: Look, text: Written, previous: str, found: Readings) -> list[Hit]:
        """No phrase is there word for word, but the whole speaks for one."""
        reading = max(found.whole, found.part, key=lambda one: one.odds)
        rule = reading.rule
        if found.across and found.across.odds > reading.odds:
            rule = found.across.rule
        if look.loose and look.loose.rule.id == rule:
            return [look.loose]
        if rule not in self.book.rules or len(text.plain) < SHORTEST:
            return []
        start, end = self.head.stretch(text, reading)
        if start >= end:
            return []
        size = len(text.plain)
        joined = read(f"{previous}，{text.raw}") if previous else text
        border = len(joined.plain) - size
        if self.book.permits(rule, joined, border + start, border + end):
            return []
        return [
            Hit(
                rule=self.book.rules[rule],
                words=text.words(start, end),
                score=round(1 / (1 + math.exp(-_bounded(reading.odds))), 3),
                start=start / size,
                end=end / size,
            )
        ]


def _bounded(odds: float) -> float:
    return max(-FARTHEST, min(FARTHEST, odds))
