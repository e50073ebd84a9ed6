"""What may be told: the answer, a transfer, or nothing. Pure, and the only way an answer leaves.

- An entry applies to its region and all below it. Expired and future entries are as if absent.
- Among the entries on a matter that are valid today, the one nearest to the caller's region
  decides: authorised → its answer; not authorised → transfer, even where a higher level holds
  an answer.
- A weak match is none: nothing is better than a wrong card. Nor is a question answered that more
  likely means something of which nothing applies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

from contracts.card import Source
from services.knowledge.deciding.matters import Mask, Matters
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.regions import RegionTree
from services.knowledge.finding.background import Vectors
from services.knowledge.finding.meanings import Questions
from services.knowledge.finding.ranking import Evidence
from services.knowledge.finding.words import Floats


@dataclass(frozen=True, slots=True)
class Ruling:
    """What may be told on one matter."""

    kind: Literal["answer", "transfer", "announced"]
    source: Source
    """The entry that decides, without its answer."""
    answer: str | None
    """The answer; None where the kind is transfer."""
    confidence: float
    """How sure it is that this matter is meant, 0–1."""
    score: float
    """Strength of the match; comparable across questions."""
    matched: int
    """Position of the entry whose wordings matched."""
    signs: Floats = field(default_factory=lambda: np.zeros(0), compare=False, repr=False)
    """What makes it sure, in the order of `ranking.SIGNS`."""
    differs: tuple[str, ...] = ()
    """Nearer or higher regions that hold another rule on the matter."""
    ends: date | None = None
    """The answer's last day; None = until further notice."""


@dataclass(frozen=True, slots=True)
class Case:
    """Who asks, and when."""

    region: str
    """The caller's region."""
    day: date
    """Today."""


Days = npt.NDArray[np.int64]
AS_NEAR = 0.3
"""How much less an entry of a nearer region may be like what is asked than the one it overrules."""
MANY = 128
"""Entries that are put in order before it is seen whether more are needed."""


@dataclass(frozen=True, slots=True)
class _Match:
    score: float
    position: int
    decider: int


class Judge:
    """Decides on one state of the base. `questions`: as for `Matters`."""

    def __init__(
        self,
        entries: Sequence[Entry],
        regions: RegionTree,
        questions: Vectors | Questions | None = None,
    ) -> None:
        self._entries: tuple[Entry, ...] = ()
        self._regions = regions
        self._matters = Matters((), regions)
        self._begins = self._ends = self._where = np.zeros(0, dtype=np.int64)
        self._codes: dict[str, int] = {}
        self._change((), entries, questions)

    def changed(
        self, dropped: Sequence[int], added: Sequence[Entry], questions: Vectors | Questions | None
    ) -> Judge:
        """This without the entries at some positions, and with others after the last one; costs
        time for those. `questions`: of all that are there then."""
        judge = copy(self)
        judge._change(dropped, added, questions)
        return judge

    def _change(
        self, dropped: Sequence[int], added: Sequence[Entry], questions: Vectors | Questions | None
    ) -> None:
        gone = set(dropped)
        kept = (e for i, e in enumerate(self._entries) if i not in gone)
        self._entries = (*(kept if gone else self._entries), *added)
        self._matters = self._matters.changed(dropped, added, questions)
        codes = self._codes

        def extended(stayed: Days, new: list[int]) -> Days:
            left = np.delete(stayed, list(dropped)) if gone else stayed
            return np.concatenate([left, np.asarray(new, dtype=np.int64)])

        self._begins = extended(self._begins, [_first_day(e) for e in added])
        self._ends = extended(self._ends, [_last_day(e) for e in added])
        self._where = extended(self._where, [codes.setdefault(e.region, len(codes)) for e in added])

    def partners(self, position: int, among: Mask) -> set[int]:
        """The entries of `among` that are about the same matter as one, without itself."""
        return self._matters.partners(position, among)

    def rulings(self, evidence: Evidence, case: Case, *, most: int = 3) -> list[Ruling]:
        """The `most` matters that the evidence speaks for most, likeliest first, each with what may
        be told of it. `evidence.scores` are in the order of the entries."""
        if not self._entries:
            return []
        today = case.day.toordinal()
        valid: Mask = (self._begins <= today) & (today <= self._ends)
        chain = self._regions.chain(case.region)
        applies: Mask = valid & np.isin(self._where, [self._codes.get(name, -1) for name in chain])
        nearness = {region: i for i, region in enumerate(chain)}
        found: list[_Match] = []
        for position in self._best_first(evidence):
            if not applies[position]:
                continue
            decider = self._decider(position, nearness, valid, applies, evidence.asked)
            if all(decider != other.decider for other in found):
                found.append(_Match(float(evidence.scores[position]), position, decider))
            if len(found) > most:
                break
        absent = self._likeliest_absent(found, applies, evidence)
        return [
            self._ruling(i, found, absent, evidence, self._differing(match, case, valid))
            for i, match in enumerate(found[:most])
        ]

    def _best_first(self, evidence: Evidence) -> Iterator[int]:
        """Positions by their scores, greatest first; of equal ones, by id."""
        scores = evidence.scores
        done, size = 0, MANY
        while done < len(scores):
            size = min(size, len(scores))
            # With all that equal the last of them: else chance would say which of those is told.
            least = np.partition(scores, len(scores) - size)[len(scores) - size]
            some = np.flatnonzero(scores >= least).tolist()
            some.sort(key=lambda i: (-scores[i], self._entries[i].id, self._entries[i].revision))
            yield from some[done:]
            done, size = len(some), len(some) * 8

    def _likeliest_absent(
        self, found: Sequence[_Match], applies: Mask, evidence: Evidence
    ) -> float:
        """The best score of a matter of which nothing applies: what is expired, of the future or of
        elsewhere tells nothing, but a question that means it means nothing else."""
        every: Mask = np.ones(len(self._entries), dtype=bool)
        present = {match.decider for match in found} | {match.position for match in found}
        for position in self._best_first(evidence):
            if found and evidence.scores[position] < found[-1].score:
                break
            if not applies[position] and not present & self._matters.partners(position, every):
                return float(evidence.scores[position])
        return 0.0

    def _decider(
        self,
        position: int,
        nearness: Mapping[str, int],
        valid: Mask,
        applies: Mask,
        asked: Floats,
    ) -> int:
        """Of the entries on the matter of one that apply, the one nearest to the caller. One that
        is on it only by likeness must be near to what is asked, too."""

        def rank(i: int) -> tuple[int, bool, int, str]:
            # Of two entries of one region on one matter the cautious one decides, then the newer.
            entry = self._entries[i]
            return nearness[entry.region], entry.answerable, -int(self._begins[i]), entry.id

        while True:
            namesakes = self._matters.namesakes(position, valid)
            partners = [
                i
                for i in self._matters.partners(position, valid)
                if applies[i] and (i in namesakes or asked[i] >= asked[position] - AS_NEAR)
            ]
            nearest = min(partners, key=rank, default=position)
            if rank(nearest) >= rank(position):
                return position
            position = nearest  # whose partners may be nearer still

    def _differing(self, match: _Match, case: Case, valid: Mask) -> tuple[str, ...]:
        """Regions above and below the caller's that hold another rule on the matter."""
        told = self._entries[match.decider]
        chain = self._regions.chain(case.region)
        others = [self._entries[i] for i in self._matters.partners(match.decider, valid)]
        return tuple(
            sorted(
                {
                    other.region
                    for other in others
                    if other.region != told.region
                    and (other.region in chain or case.region in self._regions.chain(other.region))
                    and (other.answer, other.answerable) != (told.answer, told.answerable)
                }
            )
        )

    def _ruling(
        self,
        place: int,
        found: Sequence[_Match],
        absent: float,
        evidence: Evidence,
        differs: tuple[str, ...],
    ) -> Ruling:
        match = found[place]
        rivals = [other.score for other in found if other is not match]
        entry = self._entries[match.decider]
        may = entry.answerable
        last = _last_day(entry)
        return Ruling(
            kind="transfer" if not may else "announced" if entry.sort == "announced" else "answer",
            source=entry.source(),
            answer=entry.answer if may else None,
            confidence=evidence.confidence(match.position, match.score, rivals, absent),
            signs=evidence.signs(match.position, match.score, rivals, absent),
            score=match.score,
            matched=match.position,
            differs=differs,
            ends=date.fromordinal(last) if last < date.max.toordinal() else None,
        )


def _first_day(entry: Entry) -> int:
    return max(entry.valid_from or date.min, entry.takes_effect or date.min).toordinal()


def _last_day(entry: Entry) -> int:
    last = (entry.valid_to or date.max).toordinal()
    return min(last, entry.superseded.toordinal() - 1) if entry.superseded else last
