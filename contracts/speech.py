"""Voice activity: who makes a sound, decided on the audio, never from transcripts."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.base import Event, Ms, Role


class SpeechStarted(Event):
    """A channel began to speak at `at_ms` (published a little later, when it is sure)."""

    event: ClassVar[str] = "speech.started"

    role: Role
    """The channel."""
    continues: bool = False
    """True where a long utterance was cut at a short pause and this one goes on with it:
    it is not a new turn of the speaker."""

    @property
    def key(self) -> str:
        """One start a channel and moment."""
        return self.role


class SpeechEnded(Event):
    """A channel stopped speaking: the span from `at_ms` to `end_ms` is one utterance."""

    event: ClassVar[str] = "speech.ended"

    role: Role
    """The channel."""
    end_ms: Ms
    """End of the speech, ms on the audio clock (trailing silence not counted)."""
    level_db: Annotated[float, Field(ge=-200, le=0)] | None = None
    """Mean loudness of the speech, dB below full scale; None where it was not measured."""

    @property
    def key(self) -> str:
        """One end a channel and start."""
        return self.role
