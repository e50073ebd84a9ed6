"""Which engine the settings ask for, and its model."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from contracts.requests import Model
from services.common.failure import CannotStart
from services.transcription import weights
from services.transcription.data_files import LEXICON, load_inventions, load_terms
from services.transcription.engine import Engine
from services.transcription.settings import AsrSettings


def load_engine(asr: AsrSettings, models: Path) -> Engine:
    """The engine the settings ask for; embedded models lie in `models`. Blocks while it loads;
    raises CannotStart.

    The engines are imported here: each brings a numeric library the other does not need.
    """
    if asr.chosen == "vosk":
        from services.transcription.vosk import VoskEngine

        if asr.vosk_model is None:
            raise CannotStart("BANXI_ASR__ENGINE is vosk: set BANXI_ASR__VOSK_MODEL to a directory")
        return VoskEngine(asr.vosk_model, scratch=models)
    from services.transcription.whisper import WhisperEngine

    directory = asr.whisper_model or weights.whisper_base(models)
    runtime = f"ctranslate2.{version('ctranslate2')}"
    model = Model(name=directory.resolve().name, version=runtime)
    if asr.whisper_model is None:
        model = Model(name=weights.NAME, version=f"{weights.VERSION}+{runtime}", licence="MIT")
    return WhisperEngine(
        directory,
        model,
        beam=asr.beam,
        threads=asr.threads,
        workers=asr.workers,
        hotwords=load_terms(asr.lexicon or LEXICON)[: asr.hotwords],
        inventions=load_inventions(),
    )
