"""Which forbidden phrases an agent's utterance holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.common.written import PARTICLES, Written, read
from services.conduct.phrases import context
from services.conduct.phrases.align import TOLERANCE, Finder, Match
from services.conduct.phrases.rulebook import PhraseFile, Rule
from services.conduct.phrases.wording import Wording, parse

EXCEPTION_TOLERANCE = 0.1
SURE = 0.05
"""Strain of a match whose every character was heard, or one of its sound."""
LOOSE = 0.28
"""Cost that each character of a wording excuses where the meaning has a say too."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A forbidden phrase that was said."""

    rule: Rule
    words: str
    """The words as heard, from the first to the last of the phrase."""
    score: float
    """1 = exactly as written, falling to 0."""
    start: float
    """Where it begins, as a share of the utterance; below 0 where it began in the previous one."""
    end: float
    """Where it ends, as a share of the utterance."""
    wording: Wording | None = None
    """The wording that was found; None where the meaning tells it."""

    @property
    def split(self) -> bool:
        """Whether it began in the speaker's previous utterance."""
        return self.start < 0


@dataclass(frozen=True, slots=True)
class Look:
    """What matching finds in an utterance."""

    hits: tuple[Hit, ...]
    """The phrases that are there, each rule once, in the order of speech."""
    loose: Hit | None
    """Where there are none: what comes nearest to one; not to be trusted alone."""
    excused: bool
    """A phrase is there that the context excuses."""


class PhraseBook:
    """The rules, ready to be looked for."""

    def __init__(self, file: PhraseFile) -> None:
        self.version = file.version
        self.rules = {rule.id: rule for rule in file.rules}
        self._rank = {rule.id: rank for rank, rule in enumerate(file.rules)}
        self._guards = context.Guards(file)
        self._owner = {
            parse(written): rule for rule in reversed(file.rules) for written in rule.wordings
        }
        self._finder = Finder(tuple(self._owner), file.fillers, file.light)
        self._required = Finder([parse(written) for written in file.required], file.fillers)
        self._exceptions = {
            rule.id: Finder([parse(e) for e in rule.exceptions], file.fillers)
            for rule in file.rules
            if rule.exceptions
        }

    def hits(self, text: str, previous: str = "") -> list[Hit]:
        """As `look`: the phrases that are there."""
        return list(self.look(text, previous).hits)

    def look(self, text: str, previous: str = "") -> Look:
        """Look for every phrase in an agent's utterance.

        `previous` is the same speaker's utterance before it: a phrase may begin there, but only
        phrases that reach into `text` count, and none that stands whole in `previous`.
        """
        look = self._look(text, "")
        if not previous.strip():
            return look
        joined = self._look(text, previous)
        known = {hit.rule.id for hit in look.hits}
        hits = (*look.hits, *(h for h in joined.hits if h.split and h.rule.id not in known))
        loose = [hit for hit in (look.loose, joined.loose) if hit]
        return Look(
            hits=tuple(sorted(hits, key=lambda hit: hit.start)),
            loose=None if hits else max(loose, key=lambda hit: hit.score, default=None),
            excused=look.excused,
        )

    def permits(self, rule: str, text: Written, start: int, end: int) -> bool:
        """Whether at least half of `plain[start:end]` is a required wording, or an exception of the
        rule: what it seems to mean is no offence then."""
        right = list(self._required.find(text, EXCEPTION_TOLERANCE))
        if rule in self._exceptions:
            right += self._exceptions[rule].find(text, EXCEPTION_TOLERANCE)
        covered = {at for m in right for at in range(max(m.start, start), min(m.end, end))}
        return 2 * len(covered) >= end - start

    def _look(self, text: str, previous: str) -> Look:
        whole = read(f"{previous}，{text}" if previous else text)
        border = len(read(previous).plain)
        found = list(self._finder.find(whole, LOOSE))
        # What was whole before the border is said once more only by what is surely said behind it.
        said = {self._owner[m.wording].id for m in found if m.end <= border and _firm(m)}
        candidates = [
            m
            for m in found
            if _reaches(m, whole, border)
            and (m.start >= border or m.strain <= SURE or self._owner[m.wording].id not in said)
        ]
        if not candidates:
            return Look((), None, excused=False)
        required = tuple(self._required.find(whole, EXCEPTION_TOLERANCE))
        # Once for each rule: they are looked for in the whole text.
        excepted = {
            rule: tuple(self._exceptions[rule].find(whole, EXCEPTION_TOLERANCE))
            for rule in {self._owner[match.wording].id for match in candidates}
            if rule in self._exceptions
        }
        standing = [match for match in candidates if self._stands(match, whole, required, excepted)]
        firm = [match for match in standing if _firm(match)]
        size = max(len(whole.plain) - border, 1)

        def hit(match: Match) -> Hit:
            return Hit(
                rule=self._owner[match.wording],
                words=whole.words(match.start, match.end),
                score=round(match.score, 3),
                start=(match.start - border) / size,
                end=(match.end - border) / size,
                wording=match.wording,
            )

        nearest = min(standing, key=lambda match: match.strain, default=None)
        return Look(
            hits=tuple(map(hit, sorted(self._best(firm), key=lambda match: match.start))),
            loose=hit(nearest) if nearest and not firm else None,
            excused=not firm and any(map(_firm, candidates)),
        )

    def _stands(
        self,
        match: Match,
        text: Written,
        required: Sequence[Match],
        excepted: Mapping[str, Sequence[Match]],
    ) -> bool:
        rule = self._owner[match.wording]
        if _overlapped(match, required) or _overlapped(match, excepted.get(rule.id, ())):
            return False
        return self._guards.let_pass(rule, match, text)

    def _best(self, matches: Iterable[Match]) -> list[Match]:
        """Of matches that share words the one that explains most; each rule once."""
        chosen: list[Match] = []
        rules: set[str] = set()
        for match in sorted(matches, key=self._preference):
            rule = self._owner[match.wording].id
            if not _overlapped(match, chosen) and rule not in rules:
                chosen.append(match)
                rules.add(rule)
        return chosen

    def _preference(self, match: Match) -> tuple[float, int, int]:
        # What was explained: the wording's length less what had to be excused, dearly.
        explained = match.length - 3 * match.cost
        return (-explained, self._rank[self._owner[match.wording].id], match.start)


def _firm(match: Match) -> bool:
    return match.strain <= TOLERANCE


def _overlapped(match: Match, others: Iterable[Match]) -> bool:
    return any(other.start < match.end and match.start < other.end for other in others)


def _reaches(match: Match, text: Written, border: int) -> bool:
    """Whether a match has words of its own, not only particles, behind the border."""
    if match.end <= border:
        return False
    if match.start >= border:
        return True
    return any(c not in PARTICLES for c in text.plain[border : match.end])
