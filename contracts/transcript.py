"""What was said: partial and final utterances."""

from __future__ import annotations

from typing import ClassVar

from contracts.base import Contract, Event, Ms, Producer, Role, Share


class Correction(Contract):
    """One place where the lexicon changed what was heard."""

    heard: str
    """The characters as recognised."""
    made: str
    """The lexicon's term they were read as."""
    start: int
    """Index of the first changed character in the corrected text."""


class TranscriptPartial(Event):
    """What an open utterance sounds like so far. May be lost; a later one or the final follows."""

    event: ClassVar[str] = "transcript.partial"

    role: Role
    """The channel."""
    end_ms: Ms
    """Up to where the audio was heard, ms."""
    text: str
    """The words so far."""

    @property
    def key(self) -> str:
        """One partial a channel and extent."""
        return f"{self.role}-{self.end_ms}"


class TranscriptFinal(Event):
    """The words of one utterance, from `at_ms` to `end_ms`.

    Empty `text` says: this span was decoded and holds no words (a cough, a noise).
    Whoever publishes this event is the recogniser; nothing else of the system depends on ours.
    """

    event: ClassVar[str] = "transcript.final"

    role: Role
    """The channel."""
    end_ms: Ms
    """End of the utterance, ms on the audio clock."""
    text: str
    """The words, after phonetic correction by the site's lexicon. Simplified Chinese."""
    heard: str
    """The words as the recogniser heard them."""
    corrections: tuple[Correction, ...] = ()
    """What the lexicon changed."""
    confidence: Share | None = None
    """The recogniser's confidence; None where it gives none."""
    by: Producer
    """The recogniser with its version."""

    @property
    def key(self) -> str:
        """One final a channel and start."""
        return self.role
