"""What a caller may have said, where a recogniser heard other characters of the same sound.

The words of the base are what callers ask about. Where a stretch of an utterance is no wording the
base knows, but sounds like one that it does, that one is meant: 射宝卡 is read as 社保卡. It is
only compared so: cards show what was heard.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

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
    """Knows the stretches of some texts by their sound."""

    def __init__(self, texts: Iterable[str]) -> None:
        known: Counter[str] = Counter()
        sounding: dict[tuple[str, ...], Counter[str]] = {}
        for text in texts:
            plain = letters(text)
            heard = heard_as(plain)
            if len(heard) != len(plain):
                continue
            for size in range(SHORTEST, LONGEST + 1):
                for start in range(len(plain) - size + 1):
                    stretch = plain[start : start + size]
                    known[stretch] += 1
                    sounding.setdefault(heard[start : start + size], Counter())[stretch] += 1
        self._known = frozenset(known)
        self._sounding = {
            sound: max(stretches, key=lambda s: (stretches[s], s))
            for sound, stretches in sounding.items()
        }

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
                read = stretch if stretch in self._known else self._sounding.get(heard[start:end])
                if read is None:
                    continue
                gained = worth[start] + _worth(stretch, read)
                if gained > best:
                    best, words = gained, reading[start] + read
            worth.append(best)
            reading.append(words)
        return reading[-1]


def _worth(stretch: str, read: str) -> float:
    worth = float(len(stretch) ** _POWER)
    changed = sum(a != b for a, b in zip(stretch, read, strict=True))
    if changed:
        worth -= _CHANGED * changed + (_PAIR if len(stretch) == SHORTEST else 0.0)
    return worth
