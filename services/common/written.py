"""Text as it is compared: characters that count, where each stood, and how each sounds.

Punctuation is left out but remembered as breaks between clauses; 您 reads as 你, 得 and 地 as 的,
traditional characters as simplified ones, digits as their Chinese names, Latin letters in lower
case, whatever their width.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from unicodedata import normalize

import opencc

from services.common.sound import syllables
from services.common.text import ALIKE

_SAME = ALIKE | str.maketrans("妳瞧0123456789", "你看零一二三四五六七八九")
PARTICLES = frozenset("啊呀吧呢嘛哦噢哈啦了哇咯呗的哟么")
"""Characters that may trail a clause without changing it."""


@dataclass(frozen=True)
class Written:
    """A text, ready to be compared."""

    raw: str
    """As it was given."""
    plain: str
    """The characters that count, in their common form."""
    places: tuple[int, ...]
    """For each of them its index in `raw`."""
    breaks: frozenset[int]
    """Indexes in `plain` before which a clause begins; holds 0 and `len(plain)`."""

    @cached_property
    def sounds(self) -> tuple[str, ...]:
        """For each character of `plain` its toneless syllable; others stand for themselves."""
        return syllables(self.plain)

    def words(self, start: int, end: int) -> str:
        """The words as given, punctuation included, from index `start` to `end` of `plain`."""
        if start >= end:
            return ""
        return self.raw[self.places[start] : self.places[end - 1] + 1]

    def clause_start(self, index: int) -> int:
        """Where the clause that holds `index` begins."""
        while index not in self.breaks:
            index -= 1
        return index


@lru_cache(maxsize=1)
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@lru_cache(maxsize=8192)
def _common(character: str) -> str:
    """The form in which a character is compared."""
    alike = normalize("NFKC", character).lower()
    counts = next((c for c in alike if c.isalnum()), character)
    return str(_simplifier().convert(counts))[:1].translate(_SAME) or counts


def read(text: str) -> Written:
    """Make a text ready to be compared. Any text is: emoji and foreign signs count as breaks."""
    plain: list[str] = []
    places: list[int] = []
    breaks = {0}
    for place, character in enumerate(text):
        if character.isalnum():
            plain.append(_common(character))
            places.append(place)
        else:
            breaks.add(len(plain))
    breaks.add(len(plain))
    return Written(text, "".join(plain), tuple(places), frozenset(breaks))
