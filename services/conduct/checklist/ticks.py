"""What the checklist knows of a call: ticks that are open, and what was heard so far. Immutable."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.base import Evidence


@dataclass(frozen=True, slots=True)
class Tick:
    """A required phrase whose moment has come, and that was not said yet."""

    phrase: str
    due: int
    """When its moment came, ms."""
    cause: str
    """The event it came by."""
    evidence: Evidence | None = None
    """The words it came by, where it was words."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """The checklist of a call."""

    open: tuple[Tick, ...] = ()
    due: frozenset[str] = frozenset()
    """Phrases that fell due."""
    said: frozenset[tuple[str, int]] = frozenset()
    """Phrases that were said, with the start of the words."""
    holds: frozenset[int] = frozenset()
    """Beginnings of the holds that thanks fell due for."""
    polite: frozenset[str] = frozenset()
    """Polite words that were used."""
    matter: int = 0
    """Characters by which the caller has told the matter."""
    weighty: int = 0
    """Those of them that are no mere question for an address or for hours."""
    utterances: int = 0
    """Utterances of the agent, the opening left out."""
    explained: int | None = None
    """End of the first longer explanation."""
    surname: str | None = None
    """Syllable of the name the caller told."""
    signs: frozenset[tuple[str, int]] = frozenset()
    """What the caller let be heard, and when: `understood`, `leaves`, `wrong_number`."""
    closing: tuple[int, str] | None = None
    """When the agent went on to the closing, and the event that told so."""

    def was_said(self, phrase: str) -> bool:
        """Whether a phrase was said at all."""
        return any(name == phrase for name, _ in self.said)
