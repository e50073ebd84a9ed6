"""From a final to what the heads look at."""

from __future__ import annotations

from contracts.base import Role
from services.call_type.types.dialogue import Grams, Said
from services.call_type.types.signals import SignalWords
from services.common.vectors import Vector
from services.common.written import read

LONGEST = 600
"""Characters of a final that are looked at; nobody says more in one breath."""


class Ear:
    """Makes finals ready to be looked at."""

    def __init__(self, words: SignalWords) -> None:
        self._words = words

    def hear(
        self,
        event_id: str,
        role: Role,
        span: tuple[int, int],
        text: str,
        vector: Vector | None = None,
    ) -> Said:
        """A final; `span` in ms."""
        written = read(text[:LONGEST])
        of_caller = role == "caller"
        return Said(
            event_id=event_id,
            role=role,
            at_ms=span[0],
            end_ms=max(span),
            text=written.raw,
            grams=Grams.of(written),
            telling=self._words.content(written),
            found=self._words.found(written) if of_caller else (),
            asks=of_caller and self._words.asks(written),
            vector=vector,
        )

    def matter(self, text: str) -> Grams:
        """What an earlier call was about, to be compared."""
        return Grams.of(read(text[:LONGEST]))
