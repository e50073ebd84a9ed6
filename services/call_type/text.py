"""Words as they are compared: without punctuation, and with characters that sound alike as one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.common.text import ALIKE

_BREAK = re.compile(r"[，。！？；：、,.!?;:\s]+")
_LONGEST_CLAUSE = 24
"""Characters; recognisers without punctuation give no other place to cut."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A text for comparing, and where each of its characters stood."""

    text: str
    places: tuple[int, ...]
    """Index of each character in the original."""
    original: str

    def find(self, pattern: str) -> tuple[int, int] | None:
        """The span of a folded pattern in the original text (end excluded), or None."""
        at = self.text.find(pattern) if pattern else -1
        if at < 0:
            return None
        return self.places[at], self.places[at + len(pattern) - 1] + 1


def fold(text: str) -> Folded:
    """Letters, digits and Chinese characters only, in lower case; 您=你, 得/地=的, 她/它=他."""
    kept = [(character, place) for place, character in enumerate(text) if character.isalnum()]
    # lower() may lengthen a character; such a one stays as it is, or the places would shift.
    small = (c.lower() if len(c.lower()) == 1 else c for c, _ in kept)
    return Folded("".join(small).translate(ALIKE), tuple(p for _, p in kept), text)


def clauses(text: str) -> list[str]:
    """The text cut at punctuation, and where there is none, into short stretches."""
    cut = [part for part in _BREAK.split(text) if part]
    return [
        part[start : start + _LONGEST_CLAUSE]
        for part in cut
        for start in range(0, len(part), _LONGEST_CLAUSE)
    ]


def shared_pairs(one: str, other: str) -> int:
    """How many neighbouring pairs of characters two texts share."""
    first, second = fold(one).text, fold(other).text
    return len(
        {first[i : i + 2] for i in range(len(first) - 1)}
        & {second[i : i + 2] for i in range(len(second) - 1)}
    )
