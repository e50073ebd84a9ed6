"""The one port of recognition: a shared engine, and a session for every utterance.

A recogniser of another kind is another `Engine`; whoever publishes `transcript.final` instead
replaces the whole service.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from contracts.base import Producer
from contracts.requests import Model
from services.transcription.buffer import Samples


@dataclass(frozen=True, slots=True)
class Heard:
    """What was made of an utterance."""

    text: str
    """The words in simplified Chinese; empty where there are none."""
    confidence: float | None = None
    """0–1; None where the engine gives none or there are no words."""


NOTHING = Heard("")


class Session(Protocol):
    """One utterance. Used by one thread at a time; may block it."""

    def accept(self, samples: Samples) -> None:
        """Take the next samples of the utterance."""
        ...

    def partial(self) -> str:
        """What it sounds like so far."""
        ...

    def finish(self) -> Heard:
        """The utterance is complete: its words. The session is not used again."""
        ...


class Engine(Protocol):
    """A loaded model. Sessions of it may be used from several threads at once."""

    model: Model
    """Name, version and licence of the model."""
    partial_every_ms: int
    """How much new sound of an open utterance is worth another partial, ms."""

    def open(self, rate: int) -> Session:
        """Begin an utterance of `rate` samples a second."""
        ...


Load = Callable[[], Engine]
"""Loads an engine; blocks. Raises CannotStart where its model is missing or broken."""


def producer(model: Model) -> Producer:
    """A model as the `by` of what it made."""
    return Producer(name=model.name, version=model.version)
