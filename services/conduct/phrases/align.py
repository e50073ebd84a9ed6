"""Finding a wording in a text as it may have been heard: by character and by sound.

The wording is laid along the text so that the least has to be excused: another character of the
same sound costs little, a similar sound more; a filler in between is nearly free, other words are
not; a negation, a pronoun or 吗 is never lost or changed, since that turns the meaning round.
A wording is found where the cost stays within a share of its length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from services.common.written import PARTICLES, Written
from services.conduct.phrases.hearing import NEGATIONS, NEVER, Cost, Sieve, Signs
from services.conduct.phrases.wording import Wording

TOLERANCE = 0.16
"""Cost that each character of a wording excuses."""
CORE_TOLERANCE = 0.33
"""Cost that each character that carries the meaning may have on average: of 有什么可急的 only 急
tells, so five right characters around it excuse no other in its place."""
_CORE_SHARE = CORE_TOLERANCE / TOLERANCE
LOOSEST = 0.35
"""The highest tolerance that still finds something."""
BY_SOUND_FROM = 4
"""Shorter wordings have too many innocent homophones: they are matched by character alone."""
_ALONE_FROM = 3
"""But from here on by sound as well where they are all that a clause says,"""
_ALIKE = 0.1 + 1e-6
"""and cost no more: two characters of the same sound."""
_BLAND = 0.06
"""Cost that each character excuses by sound of a wording that no character tells: 这不可能的."""
_FILLER = 0.04
_LIGHT = 0.12
_INSERTED = 0.38
"""Another word in between, its first character."""
_INSERTED_MORE = 0.1
"""Each further character of it."""
_BOTH = 0.2
"""What it costs more where other words stand in between and something sounds otherwise too."""
_TURNING = frozenset("我你他谁吗说讲问回喊念让叫听看")
"""Characters that, in between, make it another sentence: whoever says, asks or is told it."""
_INSERTED_TURNING = 1.0
_INSERTED_BREAK = 0.3
"""What more where a clause begins there."""
_STUTTER = 3
"""Longest word, in characters, that may be said twice in a row: 不要不要, 问题这个问题."""
_BEFORE = PARTICLES | frozenset("哎唉诶喂嗯呃额那")
"""What may stand before the beginning of a clause."""
_WINDOW = 96
_OVERLAP = 40


@dataclass(frozen=True, slots=True)
class Match:
    """A wording found: `plain[start:end]` of the text."""

    wording: Wording
    start: int
    end: int
    length: int
    """Characters of the wording as chosen."""
    cost: float
    strain: float
    """The tolerance it takes: found by `find` where that is not below this."""

    @property
    def score(self) -> float:
        """1 = as written, falling to 0."""
        return max(0.0, 1.0 - self.cost / self.length)


class Finder:
    """Finds many wordings in texts. `fillers` cost nearly nothing between the words of a wording,
    `light` words little; wordings shorter than `by_sound_from` are matched by character alone."""

    def __init__(
        self,
        wordings: Sequence[Wording],
        fillers: Sequence[str] = (),
        light: Sequence[str] = (),
        by_sound_from: int = BY_SOUND_FROM,
    ) -> None:
        self._wordings = tuple(wordings)
        self._signs = Signs(self._wordings)
        self._sieve = Sieve(self._signs)
        self._by_sound_from = by_sound_from
        self._fillers = tuple(fillers)
        self._light = tuple(light)

    def find(self, text: Written, tolerance: float = TOLERANCE) -> Iterator[Match]:
        """Every place where a wording is found, in no particular order. What a lower tolerance
        finds is among what a higher one finds: those whose `strain` is within it."""
        size = len(text.plain)
        if not size or not self._wordings:
            return
        skips = _Skips(text, self._fillers, self._light)
        for begin in range(0, max(size - _OVERLAP, 1), _WINDOW - _OVERLAP):
            until = min(begin + _WINDOW, size)
            costs = self._signs.costs(text, begin, until)
            laid = _Lay(text, begin, costs, self._signs, skips, tolerance)
            core = tolerance * _CORE_SHARE
            for index, behind in self._sieve.let_through(costs, tolerance, core):
                yield from laid.find(
                    self._wordings[index], self._signs.wordings[index], behind, self._by_sound_from
                )


class _Skips:
    """What it costs to skip part of a text between two characters of a wording."""

    def __init__(self, written: Written, fillers: Sequence[str], light: Sequence[str]) -> None:
        text = written.plain
        costs = [_inserting(character) for character in text]
        for words, cost in ((light, _LIGHT), (fillers, _FILLER)):
            for word in words:
                at = text.find(word)
                while at >= 0:
                    for index in range(at, at + len(word)):
                        costs[index] = min(costs[index], cost)
                    at = text.find(word, at + 1)
        _stutters(text, costs)
        self._text = text
        self._known = [0.0, *accumulate(0.0 if cost == _INSERTED else cost for cost in costs)]
        self._breaks = [0, *accumulate(at in written.breaks for at in range(len(text) + 1))]
        self._others = [0, *accumulate(cost == _INSERTED for cost in costs)]

    def cost(self, start: int, end: int) -> float:
        """What it costs to skip `text[start:end]`."""
        others = self._others[end] - self._others[start]
        known = self._known[end] - self._known[start]
        if not others:
            return known
        # 不客气 is no 不.
        apart = _INSERTED_TURNING if self._text[start - 1] == "不" else 0.0
        if self._breaks[end + 1] > self._breaks[start]:
            apart += _INSERTED_BREAK
        return known + apart + _INSERTED + _INSERTED_MORE * (others - 1)


def _inserting(character: str) -> float:
    if character in NEGATIONS:
        return NEVER
    return _INSERTED_TURNING if character in _TURNING else _INSERTED


def _stutters(text: str, costs: list[float]) -> None:
    """What is said twice in a row counts once, fillers between left out."""
    spoken = [index for index, cost in enumerate(costs) if cost != _FILLER]
    said = [text[index] for index in spoken]
    for size in range(1, _STUTTER + 1):
        for at in range(len(said) - 2 * size + 1):
            if said[at : at + size] == said[at + size : at + 2 * size]:
                for index in spoken[at : at + size]:
                    costs[index] = _FILLER


_Way = tuple[float, int, int, int, int, float]
"""The best way to have laid a wording so far, ending at some place of the text: its slack (what
TOLERANCE excuses of its length less what it cost), its length, how many of its characters were
matched by sound alone, where it starts, how many of its characters tell, and what those cost.
Plain tuples: there are many."""
_GAP = 1000
"""Added to the characters matched by sound alone where other words were skipped."""
_NOWHERE = -1
"""The end of a way that has not begun."""


class _Lay:
    """Lays wordings along one stretch of a text."""

    def __init__(
        self,
        text: Written,
        begin: int,
        costs: Cost,
        signs: Signs,
        skips: _Skips,
        tolerance: float,
    ) -> None:
        self._text = text
        self._begin = begin
        self._costs = costs
        self._signs = signs
        self._skips = skips
        self._tolerance = tolerance
        self._extra = tolerance - TOLERANCE
        self._places: dict[int, list[tuple[int, float]]] = {}

    def find(
        self,
        wording: Wording,
        slots: tuple[tuple[tuple[int, ...], ...], ...],
        behind: list[float],
        by_sound_from: int,
    ) -> Iterator[Match]:
        ways: dict[int, _Way] = {_NOWHERE: (0.0, 0, 0, _NOWHERE, 0, 0.0)}
        for slot, rest in zip(slots, behind, strict=True):
            reached: dict[int, _Way] = {}
            for choice in slot:
                for end, way in self._along(choice, ways, rest, wording.begins).items():
                    if end not in reached or way > reached[end]:
                        reached[end] = way
            if not reached:
                return
            ways = reached
        best: dict[int, tuple[float, int, _Way]] = {}
        for end, way in ways.items():
            slack, length, sounded, start, telling, _ = way
            if end == _NOWHERE:
                continue
            gaps, sounded = divmod(sounded, _GAP)
            if sounded and gaps:
                slack -= _BOTH
            spent = length * TOLERANCE - slack
            if sounded and not telling and spent > length * _BLAND:
                continue
            if sounded and length < by_sound_from and not self._alone(start, end, length, spent):
                continue
            if wording.ends and not _ends(self._text, end):
                continue
            if start not in best or slack > best[start][0]:
                best[start] = (slack, end, way)
        for start, (slack, end, (_, length, _, _, telling, core)) in best.items():
            cost = max(length * TOLERANCE - slack, 0.0)
            strain = cost / length
            if telling:
                strain = max(strain, core / telling / _CORE_SHARE)
            if strain <= self._tolerance + 1e-9:
                yield Match(wording, start, end, length, cost, strain)

    def _alone(self, start: int, end: int, length: int, spent: float) -> bool:
        """Whether a short wording, alike in sound, is all that a clause says."""
        alike = spent <= _ALIKE and length >= _ALONE_FROM
        return alike and _begins(self._text, start) and _ends(self._text, end)

    def _along(
        self, choice: tuple[int, ...], ways: dict[int, _Way], rest: float, begins: bool
    ) -> dict[int, _Way]:
        rest += len(choice) * self._tolerance + 1e-3
        for number in choice:
            rest -= self._tolerance
            lost, tells = self._signs.lost[number], self._signs.tells[number]
            heard = self._signs.heard[number]
            taken: dict[int, _Way] = {}
            for end, (slack, length, sounded, start, telling, core) in ways.items():
                length += 1
                least = -rest - length * self._extra
                slack += TOLERANCE
                if slack - lost >= least:
                    # A core character that is missing weighs a whole one more than it may.
                    core_lost = core + (1.0 + CORE_TOLERANCE) * tells
                    way = (slack - lost, length, sounded, start, telling + tells, core_lost)
                    if end not in taken or way > taken[end]:
                        taken[end] = way
                for place, cost in self._read(number):
                    left = slack - cost
                    begun, excused = start, sounded
                    if end == _NOWHERE:
                        if begins and not _begins(self._text, place):
                            continue
                        begun = place
                    elif place < end:
                        continue
                    elif place > end:
                        skipped = self._skips.cost(end, place)
                        if slack - skipped < least:
                            break
                        left -= skipped
                        if skipped >= _INSERTED:
                            excused += _GAP
                    if left >= least:
                        by_sound = excused + (heard and cost > 0)
                        way = (left, length, by_sound, begun, telling + tells, core + cost * tells)
                        if place + 1 not in taken or way > taken[place + 1]:
                            taken[place + 1] = way
            if not taken:
                return taken
            ways = taken
        return ways

    def _read(self, number: int) -> list[tuple[int, float]]:
        """Where in the text a character of the wordings may be read, and at what cost."""
        places = self._places.get(number)
        if places is None:
            column = self._costs[:, number].tolist()
            places = [(self._begin + at, c) for at, c in enumerate(column) if c < NEVER]
            self._places[number] = places
        return places


def _begins(text: Written, start: int) -> bool:
    while start > 0 and start not in text.breaks and text.plain[start - 1] in _BEFORE:
        start -= 1
    return start in text.breaks


def _ends(text: Written, end: int) -> bool:
    size = len(text.plain)
    while end < size and end not in text.breaks and text.plain[end] in PARTICLES:
        end += 1
    return end in text.breaks
