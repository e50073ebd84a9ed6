"""What it costs to hear a character as one of a wording, and which wordings a text may hold at all.

Every character of every wording gets a number. For a character that was said, a column holds the
cost of reading it as each of them; the columns of a text, one beside the other, say for each
wording the least that it could cost there. Only wordings for which that is little enough are laid
along the text: that is dear, this is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.common.written import Written
from services.conduct.phrases.sound import distance
from services.conduct.phrases.wording import Wording

NEVER = 9.0
"""No tolerance excuses this."""
SAME_SOUND = 0.05
"""Another character of the same sound."""
FARTHEST = 0.45
"""Syllables farther apart are not misheard for one another."""
NEGATIONS = frozenset("不没别甭非无未")
_FIRM = NEGATIONS | frozenset("我你他谁吗")
"""Never lost or changed: that would turn the meaning round."""
_FIRM_FARTHEST = 0.25
_SWAPPED = frozenset("啊呀哇哪吧嘛呢哦啦哈")
"""Particles that recognisers and listeners take for one another."""
_LOST = 1.5
_LOST_LIGHT = 0.9
_AROUND = frozenset(
    "我你他们的了吗呢吧啊呀嘛是不没有无这那个些什么怎咋哪谁就都也还又再在要会能可以好到去来说讲"
    "一上下给跟和对被把让叫为很太真先请很多几种点儿里边"
)
"""Characters that any sentence may have; the others of a wording are its core."""
KNOWN = 2048
"""Columns kept: as many different characters as calls are made of."""
_EXACT = 1e-4
_PAD = 0
"""Number of no character, since every choice of a wording must hold one."""

Cost = NDArray[np.float32]


class Signs:
    """The characters of some wordings, numbered."""

    def __init__(self, wordings: Sequence[Wording]) -> None:
        known: dict[tuple[str, str, float], int] = {}
        self.wordings = tuple(
            tuple(
                tuple(
                    tuple(
                        known.setdefault(
                            (character, sound, _losing(character, before)), len(known) + 1
                        )
                        for character, sound, before in zip(
                            choice.plain, choice.sounds, " " + choice.plain, strict=False
                        )
                    )
                    for choice in slot
                )
                for slot in wording.slots
            )
            for wording in wordings
        )
        """For each wording, place and choice the numbers of its characters."""
        characters = [" ", *(character for character, _, _ in known)]
        self.lost = [0.0, *(lost for _, _, lost in known)]
        """What it costs to miss each."""
        self.tells = [c not in _AROUND and c != " " for c in characters]
        """Whether each carries meaning."""
        self.heard = [c not in _SWAPPED for c in characters]
        """Whether each is told from others by its sound: particles are not."""
        sounds = sorted({sound for _, sound, _ in known})
        self._sounds = sounds
        self._sound = np.array([0, *(sounds.index(sound) for _, sound, _ in known)], dtype=np.intp)
        self._at: dict[str, list[int]] = {}
        for number, character in enumerate(characters):
            self._at.setdefault(character, []).append(number)
        self._firm = np.array([c in _FIRM for c in characters])
        self._particle = np.array([c in _SWAPPED for c in characters])
        self._row = lru_cache(maxsize=KNOWN)(self._distances)
        self._column = lru_cache(maxsize=KNOWN)(self._reading)

    def costs(self, text: Written, begin: int, until: int) -> Cost:
        """For each character of a stretch of the text what it costs to read it as each number."""
        said = zip(text.plain[begin:until], text.sounds[begin:until], strict=True)
        return np.stack([self._column(*one) for one in said])

    def kept(self) -> int:
        """How many columns and distances are kept for later texts."""
        return self._row.cache_info().currsize + self._column.cache_info().currsize

    def _distances(self, sound: str) -> Cost:
        return np.array([distance(one, sound) for one in self._sounds], dtype=np.float32)

    def _reading(self, said: str, sound: str) -> Cost:
        apart = self._row(sound)[self._sound] if self._sounds else np.zeros(1, dtype=np.float32)
        # 不 may be heard as 部; but 你 is no way of saying 我, and 不 none of saying 都.
        firm = ~self._firm if said in _FIRM else self._firm
        never = (apart > FARTHEST) | (firm & (apart > _FIRM_FARTHEST))
        if said in _FIRM:
            never |= self._firm | (apart > _FIRM_FARTHEST)
        column = np.where(never, np.float32(NEVER), apart + np.float32(SAME_SOUND))
        if said in _SWAPPED:
            column[self._particle] = SAME_SOUND
        column[self._at.get(said, [])] = 0.0
        column[_PAD] = 0.0
        return column


class Sieve:
    """Tells which of some wordings a text may hold."""

    def __init__(self, signs: Signs) -> None:
        numbers: list[int] = []
        choices: list[int] = []
        slots: list[int] = []
        wordings: list[int] = []
        for wording in signs.wordings:
            wordings.append(len(slots))
            for slot in wording:
                slots.append(len(choices))
                for choice in slot:
                    choices.append(len(numbers))
                    numbers += choice or (_PAD,)
        self._numbers = np.array(numbers, dtype=np.intp)
        self._slots = [*wordings, len(slots)]
        self._starts = tuple(np.array(s, dtype=np.intp) for s in (choices, slots, wordings))
        self._lost = np.array(signs.lost, dtype=np.float32)
        self._tells = np.array(signs.tells, dtype=np.float32)

    def let_through(
        self, costs: Cost, tolerance: float, core: float
    ) -> list[tuple[int, list[float]]]:
        """The wordings that may be laid along a text of these costs, by their index, with what at
        most is left over behind each of their places: each character is read where it costs least,
        wherever that is. None that fits is held back."""
        least = costs.min(axis=0)
        whole = tolerance - np.minimum(least, self._lost)
        whole[_PAD] = 0.0
        telling = np.maximum(core - least, -1.0) * self._tells
        left, told = self._best(whole), self._best(telling)
        wordings = self._starts[2]
        fits = np.add.reduceat(left, wordings) >= -_EXACT
        fits &= np.add.reduceat(told, wordings) >= -_EXACT
        found = []
        for index in np.flatnonzero(fits).tolist():
            behind = left[self._slots[index] : self._slots[index + 1]][::-1].cumsum()[::-1]
            found.append((index, [*behind[1:].tolist(), 0.0]))
        return found

    def _best(self, each: Cost) -> Cost:
        """What is left over at each place of each wording, by its best choice."""
        choices, slots, _ = self._starts
        best: Cost = np.maximum.reduceat(np.add.reduceat(each[self._numbers], choices), slots)
        return best


def _losing(character: str, before: str) -> float:
    if character in _FIRM:
        return NEVER
    # 管不了 without 了 is no longer 管不了.
    return _LOST_LIGHT if character in "了的" and before != "不" else _LOST
