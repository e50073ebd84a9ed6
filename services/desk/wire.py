"""Small pieces of what goes to a page: JSON types, times, words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contracts.base import Evidence

Json = Any
Sections = dict[str, Json]


def millis(wall: datetime | None) -> int:
    """Milliseconds since 1970, as browsers count; 0 for None."""
    return round(wall.timestamp() * 1000) if wall else 0


def words(evidence: Sequence[Evidence]) -> str:
    """The words as heard; what lies between two pieces is left out."""
    return "…".join(piece.words for piece in evidence if piece.words)
