"""Required phrases, shown to the agent as ticks: due, said."""

from __future__ import annotations

from typing import ClassVar

from contracts.base import Derived


class PhraseDue(Derived):
    """The moment of a required phrase has come."""

    event: ClassVar[str] = "phrase.due"

    phrase: str
    """Id of the required phrase, for instance `opening`."""
    name: str
    """Its Chinese name on the page."""

    @property
    def key(self) -> str:
        """The phrase."""
        return self.phrase


class PhraseSaid(Derived):
    """A required phrase was heard."""

    event: ClassVar[str] = "phrase.said"

    phrase: str
    """Id of the required phrase."""
    name: str
    """Its Chinese name on the page."""

    @property
    def key(self) -> str:
        """The phrase."""
        return self.phrase
