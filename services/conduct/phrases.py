"""Which forbidden phrases an agent's utterance holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.conduct import context
from services.conduct.align import Finder, Match
from services.conduct.rulebook import PhraseFile, Rule
from services.conduct.wording import parse
from services.conduct.written import PARTICLES, Written, read

EXCEPTION_TOLERANCE = 0.1


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

    @property
    def split(self) -> bool:
        """Whether it began in the speaker's previous utterance."""
        return self.start < 0


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
        """The phrases of an agent's utterance, each rule once, in the order of speech.

        `previous` is the same speaker's utterance before it: a phrase may begin there, but only
        phrases that reach into `text` count, and none that stands whole in `previous`.
        """
        found = self._hits(text, "")
        if previous.strip():
            known = {hit.rule.id for hit in found}
            found += [h for h in self._hits(text, previous) if h.split and h.rule.id not in known]
        return sorted(found, key=lambda hit: hit.start)

    def _hits(self, text: str, previous: str) -> list[Hit]:
        whole = read(f"{previous}，{text}" if previous else text)
        border = len(read(previous).plain)
        candidates = [m for m in self._finder.find(whole) if _reaches(m, whole, border)]
        if not candidates:
            return []
        required = tuple(self._required.find(whole, EXCEPTION_TOLERANCE))
        matches = [match for match in candidates if self._stands(match, whole, required)]
        size = max(len(whole.plain) - border, 1)
        return [
            Hit(
                rule=self._owner[match.wording],
                words=whole.words(match.start, match.end),
                score=round(match.score, 3),
                start=(match.start - border) / size,
                end=(match.end - border) / size,
            )
            for match in self._best(matches)
        ]

    def _stands(self, match: Match, text: Written, required: Sequence[Match]) -> bool:
        rule = self._owner[match.wording]
        if _overlapped(match, required) or not self._guards.let_pass(rule, match, text):
            return False
        exceptions = self._exceptions.get(rule.id)
        return not exceptions or not _overlapped(match, exceptions.find(text, EXCEPTION_TOLERANCE))

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


def _overlapped(match: Match, others: Iterable[Match]) -> bool:
    return any(other.start < match.end and match.start < other.end for other in others)


def _reaches(match: Match, text: Written, border: int) -> bool:
    """Whether a match has words of its own, not only particles, behind the border."""
    if match.end <= border:
        return False
    if match.start >= border:
        return True
    return any(c not in PARTICLES for c in text.plain[border : match.end])
