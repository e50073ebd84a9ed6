"""What a caller may have said, where a recogniser heard other characters of the same sound.

The words of the base are what callers ask about. Where a stretch of an utterance is no wording the
base knows, but sounds like one that it does, that one is meant: 射宝卡 is read as 社保卡. It is
only compared so: cards show what was heard.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from services.knowledge.finding.wording import heard_as, letters

LONGEST = 4
"""Characters of the longest stretch that is known by its sound."""
SHORTEST = 2
_POWER = 1.5
"""A long stretch is worth more than the short ones it consists of."""
_CHANGED = 1.0
"""What every changed character takes off that worth."""
_PAIR = 0.5
"""And a changed pair: many words are two syllables, and sound alike by chance."""
_BETWEEN = re.compile(r"([\W_]+)")


class Mender:
    """Knows the stretches of some texts by their sound. Texts come and go; who mends meanwhile
    reads by the words of one moment or the next."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._known: Counter[str] = Counter()
        self._sounding: dict[str, tuple[tuple[int, str], ...]] = {}
        """Sound → the stretches of that sound, and how often each is there."""
        self.change((), texts)

    def change(self, gone: Iterable[str], added: Iterable[str]) -> None:
        """Forget some texts and learn others."""
        for texts, count in ((added, 1), (gone, -1)):
            for stretch, sound in (pair for text in texts for pair in _stretches(text)):
                self._count(stretch, sound, count)

    def _count(self, stretch: str, sound: str, count: int) -> None:
        self._known[stretch] += count
        if not self._known[stretch]:
            del self._known[stretch]
        # One stretch may be read in two ways, by its neighbours: 银行 and 行为.
        alike = self._sounding.get(sound, ())
        others = tuple(pair for pair in alike if pair[1] != stretch)
        before = next((often for often, other in alike if other == stretch), 0)
        if before + count:
            self._sounding[sound] = (*others, (before + count, stretch))
        elif others:
            self._sounding[sound] = others
        else:
            del self._sounding[sound]

    def mend(self, text: str) -> str:
        """The text as it may have been said, in lower case; punctuation stays."""
        return "".join(
            part if between % 2 else self._mend(part)
            for between, part in enumerate(_BETWEEN.split(text))
        )

    def _mend(self, text: str) -> str:
        """The reading of greatest worth: known stretches, and those that sound like known ones."""
        plain = letters(text)
        heard = heard_as(plain)
        if len(heard) != len(plain) or len(plain) != len(text):
            return text  # it holds what has no single sound a character
        worth = [0.0]
        reading = [""]
        for end in range(1, len(plain) + 1):
            best, words = worth[end - 1], reading[end - 1] + plain[end - 1]
            for size in range(SHORTEST, min(LONGEST, end) + 1):
                start = end - size
                stretch = plain[start:end]
                read = stretch if stretch in self._known else self._sounds_like(heard[start:end])
                if read is None:
                    continue
                gained = worth[start] + _worth(stretch, read)
                if gained > best:
                    best, words = gained, reading[start] + read
            worth.append(best)
            reading.append(words)
        return reading[-1]

    def _sounds_like(self, heard: tuple[str, ...]) -> str | None:
        """The commonest stretch of that sound."""
        _, stretch = max(self._sounding.get(" ".join(heard), ()), default=(0, None))
        return stretch


def _stretches(text: str) -> Iterator[tuple[str, str]]:
    """The stretches of a text, each with its sound; none of one whose characters have not one
    sound each."""
    plain = letters(text)
    heard = heard_as(plain)
    if len(heard) != len(plain):
        return
    for size in range(SHORTEST, LONGEST + 1):
        for start in range(len(plain) - size + 1):
            yield plain[start : start + size], " ".join(heard[start : start + size])


def _worth(stretch: str, read: str) -> float:
    worth = float(len(stretch) ** _POWER)
    changed = sum(a != b for a, b in zip(stretch, read, strict=True))
    if changed:
        worth -= _CHANGED * changed + (_PAIR if len(stretch) == SHORTEST else 0.0)
    return worth
