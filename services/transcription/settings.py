"""Settings of the transcription service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.common.settings import ServiceSettings


class AsrSettings(BaseModel):
    """The recogniser: `BANXI_ASR__…`."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    engine: Literal["whisper", "vosk"] | None = None
    """Which recogniser; when not set: vosk where `vosk_model` is set, else whisper."""
    vosk_model: Path | None = None
    """Directory of a Vosk model, for instance vosk-model-cn-0.22."""
    whisper_model: Path | None = None
    """Directory of another Whisper model in CTranslate2's form; when not set, the whisper-base
    that is installed with Banxi."""
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads of one decoding."""
    workers: Annotated[int, Field(ge=1, le=32)] = 1
    """Decodings at the same time."""
    beam: Annotated[int, Field(ge=1, le=10)] = 5
    """Beam width of Whisper for finals; partials always take 1."""
    hotwords: Annotated[int, Field(ge=0, le=40)] = 0
    """How many terms, from the top of the lexicon, Whisper is told before it listens."""
    partials: bool = True
    """Whether to publish what an open utterance sounds like so far."""
    lexicon: Path | None = None
    """The site's own lexicon; when not set, the one that comes with Banxi."""

    @property
    def chosen(self) -> Literal["whisper", "vosk"]:
        """The engine these settings ask for."""
        return self.engine or ("vosk" if self.vosk_model else "whisper")


class Settings(ServiceSettings):
    """Everything `services.transcription` can be told by environment variables."""

    asr: AsrSettings = AsrSettings()
    """The recogniser."""
