"""What an index of the base must hold. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from services.knowledge.entries.entry import Entry
from services.knowledge.finding.background import Background
from services.knowledge.finding.find import background_owner

LONGEST_ABOUT = 64
"""Characters of an entry as a whole that are made a vector, its question among them. Embedding
takes time by the character; what an answer is about stands at its beginning."""
_NAMESPACE = uuid.UUID("6f1c1d3e-6a0e-4f53-9f0e-1a5c0f9b7d11")


@dataclass(frozen=True, slots=True)
class Point:
    """One vector of the index: what it is of."""

    owner: str
    """Entry id, or `find.background_owner`."""
    about: bool
    """Whether it is of the entry as a whole rather than of one wording of its question."""
    text: str
    """The text that was made a vector. Not kept in the index."""

    @property
    def id(self) -> str:
        """Follows from the rest, so that a changed text is another point."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.owner}\n{self.about}\n{self.text}"))


def points(entries: Iterable[Entry], background: Background) -> list[Point]:
    """What an index of the base must hold."""
    return [
        *(Point(background_owner(i), False, line) for i, line in enumerate(background.lines)),
        *(point for entry in entries for point in points_of(entry)),
    ]


def points_of(entry: Entry) -> list[Point]:
    """The points of an entry: one a wording, the question first, and the entry as a whole last."""
    return [
        *(Point(entry.id, False, text) for text in entry.wordings),
        Point(entry.id, True, entry.about[:LONGEST_ABOUT]),
    ]
