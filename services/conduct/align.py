"""Finding a wording in a text as it may have been heard: by character and by sound.

The wording is laid along the text so that the least has to be excused: another character of the
same sound costs little, a similar sound more; a filler in between is nearly free, other words are
not; a negation, a pronoun or 吗 is never lost or changed, since that turns the meaning round.
A wording is found where the cost stays within a share of its length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.common.sound import blurred
from services.conduct.sound import distance
from services.conduct.wording import Choice, Wording, heard_bits
from services.conduct.written import PARTICLES, Written

TOLERANCE = 0.16
"""Cost that each character of a wording excuses."""
CORE_TOLERANCE = 0.33
"""Cost that each character that carries the meaning may have on average: of 有什么可急的 only 急
tells, so five right characters around it excuse no other in its place."""
_AROUND = frozenset(
    "我你他们的了吗呢吧啊呀嘛是不没有无这那个些什么怎咋哪谁就都也还又再在要会能可以好到去来说讲"
    "一上下给跟和对被把让叫为很太真先请很多几种点儿里边"
)
"""Characters that any sentence may have; the others of a wording are its core."""
BY_SOUND_FROM = 4
"""Shorter wordings have too many innocent homophones: they are matched by character alone."""
_SAME_SOUND = 0.05
_FARTHEST = 0.65
"""Syllables farther apart are not misheard for one another."""
_FILLER = 0.04
_LIGHT = 0.12
_INSERTED = 1.0
_LOST = 1.5
_LOST_LIGHT = 0.3
_NEVER = 9.0
_NEGATIONS = frozenset("不没别甭非无未")
_FIRM = _NEGATIONS | frozenset("我你他谁吗")
_FIRM_TOLERANCE = 0.25
_SWAPPED = frozenset("啊呀哇哪吧嘛呢哦啦哈")
"""Particles that recognisers and listeners take for one another."""
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
        for wording in self._wordings:
            wording.keys  # noqa: B018 - made now, so that every text is compared with all of them
        self._by_sound_from = by_sound_from
        self._skippable = ((tuple(light), _LIGHT), (tuple(fillers), _FILLER))

    def find(self, text: Written, tolerance: float = TOLERANCE) -> Iterator[Match]:
        """Every place where a wording is found, in no particular order."""
        size = len(text.plain)
        skipping = self._skipping(text.plain)
        for begin in range(0, max(size - _OVERLAP, 1), _WINDOW - _OVERLAP):
            until = min(begin + _WINDOW, size)
            heard = heard_bits(blurred(sound) for sound in text.sounds[begin:until])
            laid = _Lay(text, begin, until, skipping, tolerance)
            for wording in self._wordings:
                if wording.may_be_in(heard):
                    yield from laid.find(wording, self._by_sound_from)

    def _skipping(self, text: str) -> list[float]:
        """What it costs to skip each character."""
        costs = [_NEVER if character in _NEGATIONS else _INSERTED for character in text]
        for words, cost in self._skippable:
            for word in words:
                at = text.find(word)
                while at >= 0:
                    for index in range(at, at + len(word)):
                        costs[index] = min(costs[index], cost)
                    at = text.find(word, at + 1)
        return costs


_Way = tuple[float, int, int, int, float]
"""The best way to have laid a wording so far, ending at some place of the text: its slack (what
its length excuses less what it cost: a wording is found where this is not below 0), its length, how
many of its characters were matched by sound alone, where it starts, and the slack of its core.
Plain tuples: there are many."""


class _Lay:
    """Lays wordings along one stretch of a text."""

    def __init__(
        self, text: Written, begin: int, until: int, skipping: list[float], tolerance: float
    ) -> None:
        self._text = text
        self._begin = begin
        self._skipping = skipping[begin:until]
        self._tolerance = tolerance
        self._costs: dict[tuple[str, str], list[float]] = {}

    def find(self, wording: Wording, by_sound_from: int) -> Iterator[Match]:
        ways: list[_Way] = [(0.0, 0, 0, start, 0.0) for start in range(len(self._skipping) + 1)]
        for slot, room in zip(wording.slots, wording.room, strict=True):
            rows = [self._along(choice, ways) for choice in slot]
            ways = (
                rows[0] if len(rows) == 1 else [max(column) for column in zip(*rows, strict=True)]
            )
            if max(ways)[0] + room * self._tolerance < 0:
                return
        best: dict[int, tuple[float, int, int]] = {}
        for end, (slack, length, sounded, start, core) in enumerate(ways):
            if slack < 0 or core < 0 or start >= end or (length < by_sound_from and sounded):
                continue
            if start not in best or slack > best[start][0]:
                best[start] = (slack, end, length)
        for start, (slack, end, length) in best.items():
            place, stop = self._begin + start, self._begin + end
            if wording.begins and not _begins(self._text, place):
                continue
            if wording.ends and not _ends(self._text, stop):
                continue
            yield Match(wording, place, stop, length, max(length * self._tolerance - slack, 0.0))

    def _along(self, choice: Choice, ways: list[_Way]) -> list[_Way]:
        tolerance = self._tolerance
        before = ""
        for character, sound in zip(choice.plain, choice.sounds, strict=True):
            lost = tolerance - _losing(character, before)
            before = character
            # Particles are not told apart by sound, so they count as the same.
            heard = character not in _SWAPPED
            tells = character not in _AROUND
            slack, length, sounded, start, core = ways[0]
            way = (slack + lost, length + 1, sounded, start, core - tells)
            row = [way]
            costs = self._replacing(character, sound)
            for offset, (cost, skipping) in enumerate(zip(costs, self._skipping, strict=True), 1):
                slack, length, sounded, start, core = ways[offset - 1]
                taken = slack + tolerance - cost
                skipped = way[0] - skipping
                without = ways[offset][0] + lost
                if taken >= skipped and taken >= without:
                    if tells:
                        core += CORE_TOLERANCE - cost
                    way = (taken, length + 1, sounded + (heard and cost > 0), start, core)
                elif skipped >= without:
                    way = (skipped, *way[1:])
                else:
                    _, length, sounded, start, core = ways[offset]
                    way = (without, length + 1, sounded, start, core - tells)
                row.append(way)
            ways = row
        return ways

    def _replacing(self, character: str, sound: str) -> list[float]:
        """What it costs to read each character of the text as this one."""
        known = self._costs.get((character, sound))
        if known is None:
            known = [
                _reading(character, sound, self._text.plain[at], self._text.sounds[at])
                for at in range(self._begin, self._begin + len(self._skipping))
            ]
            self._costs[character, sound] = known
        return known


def _losing(character: str, before: str) -> float:
    if character in _FIRM:
        return _NEVER
    # 管不了 without 了 is no longer 管不了.
    return _LOST_LIGHT if character in "了的" and before != "不" else _LOST


def _reading(character: str, sound: str, said: str, said_sound: str) -> float:
    if said == character:
        return 0.0
    if character in _SWAPPED and said in _SWAPPED:
        return _SAME_SOUND
    apart = distance(sound, said_sound)
    if character in _FIRM or said in _FIRM:
        # 不 may be heard as 部; but 你 is no way of saying 我, and 不 none of saying 都.
        both = character in _FIRM and said in _FIRM
        return _NEVER if both or apart > _FIRM_TOLERANCE else apart + _SAME_SOUND
    return apart + _SAME_SOUND if apart <= _FARTHEST else _NEVER


def _begins(text: Written, start: int) -> bool:
    while start > 0 and start not in text.breaks and text.plain[start - 1] in PARTICLES:
        start -= 1
    return start in text.breaks


def _ends(text: Written, end: int) -> bool:
    size = len(text.plain)
    while end < size and end not in text.breaks and text.plain[end] in PARTICLES:
        end += 1
    return end in text.breaks
