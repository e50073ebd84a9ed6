"""Settings of the media service."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.base import Share
from services.common.settings import ListenerSettings, Port
from services.media.endpoint import Rules

Seconds = Annotated[float, Field(gt=0, le=3600)]


class MediaSettings(BaseModel):
    """The group `BANXI_MEDIA__…`."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    port: Port = 7710
    """Port of the audio door."""
    grace_s: Seconds = 10.0
    """How long a call whose connection is lost may be resumed, seconds; then it ended as lost."""
    start_timeout_s: Seconds = 10.0
    """How long a new socket may take to send `start`, seconds."""
    idle_timeout_s: Seconds = 60.0
    """How long open sockets of a call may send nothing at all, seconds; then it ended as lost."""
    max_calls: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Calls at a time; one more is refused."""
    vad_threshold: Share = 0.5
    """Probability from which a chunk of 32 ms is clearly voice."""
    vad_low_threshold: Share = 0.3
    """Probability below which it is clearly none; between the two, what was goes on."""
    min_speech_ms: Annotated[int, Field(ge=32, le=1_000)] = 96
    """Voice shorter than this is a noise, ms."""
    pause_ms: Annotated[int, Field(ge=200, le=3_000)] = 600
    """A pause this long ends an utterance, ms."""
    long_utterance_ms: Annotated[int, Field(ge=1_000, le=60_000)] = 8_000
    """An utterance this long is cut at the next short pause, ms."""
    long_pause_ms: Annotated[int, Field(ge=100, le=3_000)] = 200
    """A pause this long cuts a long utterance, ms."""
    longest_utterance_ms: Annotated[int, Field(ge=2_000, le=120_000)] = 25_000
    """An utterance this long is cut even without a pause, ms."""

    @model_validator(mode="after")
    def _thresholds_in_order(self) -> MediaSettings:
        if self.vad_low_threshold > self.vad_threshold:
            raise ValueError("vad_low_threshold must not be above vad_threshold")
        return self

    @property
    def rules(self) -> Rules:
        """What the endpointer needs of it."""
        return Rules(
            threshold=self.vad_threshold,
            low_threshold=self.vad_low_threshold,
            min_speech_ms=self.min_speech_ms,
            pause_ms=self.pause_ms,
            long_ms=self.long_utterance_ms,
            long_pause_ms=self.long_pause_ms,
            longest_ms=self.longest_utterance_ms,
        )


class Settings(ListenerSettings):
    """What the media service reads from the environment."""

    media: MediaSettings = MediaSettings()
    """The door and the voice activity."""
