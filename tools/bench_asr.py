"""`banxi bench asr`: what recognition costs beside the bare engine, in one run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import soundfile
import soxr
import typer
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter, ValidationError
from rapidfuzz.distance import Levenshtein
from rich.console import Console
from rich.table import Table

from contracts.requests import Model
from services.common.failure import CannotStart
from services.common.settings import ServiceSettings, load, prepare_directory
from services.transcription import weights
from services.transcription.guard import Decoding
from services.transcription.whisper import FULL_S, RATE, WhisperEngine
from services.transcription.words import tidy

RECORDINGS = Path(__file__).parents[1] / "tests" / "data" / "audio"
LINE_RATE = 8_000
"""Telephone sound: the recordings are brought down to it first."""
ROUNDS = 2

Sound = NDArray[np.float32]


class _Entry(BaseModel):
    file: str
    transcript: str


@dataclass(frozen=True, slots=True)
class _Utterance:
    sound: Sound
    said: str


@dataclass(slots=True)
class _Way:
    """One way of decoding, and what it cost so far."""

    name: str
    decode: Callable[[Sound], str]
    cpu_s: float = 0.0
    wrong: int = 0

    def take(self, utterance: _Utterance) -> None:
        """Decode one utterance."""
        began = time.process_time()
        text = self.decode(utterance.sound)
        self.cpu_s += time.process_time() - began
        self.wrong += Levenshtein.distance(Decoding(text, 0, 0).bare, utterance.said)


def bench_asr(
    audio_dir: Annotated[
        Path, typer.Option(help="Directory of short recordings with a manifest.json.")
    ] = RECORDINGS,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """CPU seconds to decode a second of speech: bare faster-whisper, 30 s window, trimmed window.

    All three run whisper-base with the same beam on one thread over the same recordings at
    telephone bandwidth, in turns. The trimmed way is what the service does, its guard against loops
    and the second decoding that may follow included.
    """
    try:
        utterances = _read(audio_dir)
        figures = _measure(utterances)
    except CannotStart as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(figures))
        return
    table = Table("", "bare faster-whisper", "30 s window", "trimmed window")
    for row, form in (("cpu_per_audio_second", ".3f"), ("cer", ".3f")):
        table.add_row(row, *(format(figures[f"{way}_{row}"], form) for way in _WAYS))
    Console().print(table)
    Console().print(
        f"trimmed over 30 s window: {figures['trimmed_cpu_over_untrimmed']:.2f}   "
        f"over bare faster-whisper: {figures['trimmed_cpu_over_bare']:.2f}"
    )


_WAYS = ("bare", "untrimmed", "trimmed")


def _read(audio_dir: Path) -> list[_Utterance]:
    manifest = audio_dir / "manifest.json"
    try:
        entries = TypeAdapter(list[_Entry]).validate_json(manifest.read_bytes())
        return [_utterance(audio_dir / entry.file, entry.transcript) for entry in entries]
    except (OSError, soundfile.LibsndfileError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise CannotStart(f"cannot read the recordings of {audio_dir}: {why}") from None
    except ValidationError:
        raise CannotStart(f"{manifest}: needs a list of objects with file, transcript") from None


def _utterance(path: Path, said: str) -> _Utterance:
    sound, rate = soundfile.read(path, dtype="float32")
    line = soxr.resample(sound, rate, LINE_RATE)
    return _Utterance(soxr.resample(line, LINE_RATE, RATE), said)


def _measure(utterances: list[_Utterance]) -> dict[str, float]:
    from faster_whisper import WhisperModel

    models = prepare_directory(load(ServiceSettings).data_dir) / "models"
    directory = weights.whisper_base(models)
    ours = WhisperEngine(directory, Model(name=weights.NAME, version=weights.VERSION))
    bare: Any = WhisperModel(str(directory), device="cpu", compute_type="int8", cpu_threads=1)

    def by_bare(sound: Sound) -> str:
        segments, _ = bare.transcribe(
            sound, language="zh", beam_size=ours.beam, temperature=0.0, without_timestamps=True
        )
        return tidy("".join(segment.text for segment in segments))

    def untrimmed(sound: Sound) -> str:
        return ours.decode(sound, beam=ours.beam, window_s=FULL_S).text

    def trimmed(sound: Sound) -> str:
        return ours.hear(sound, beam=ours.beam).text

    ways = [
        _Way(name, decode)
        for name, decode in zip(_WAYS, (by_bare, untrimmed, trimmed), strict=True)
    ]
    for way in ways:
        way.decode(utterances[0].sound)  # warms up, not counted
    for utterance in utterances * ROUNDS:
        for way in ways:
            way.take(utterance)
    seconds = sum(len(utterance.sound) / RATE for utterance in utterances) * ROUNDS
    characters = sum(len(utterance.said) for utterance in utterances) * ROUNDS
    figures: dict[str, float] = {"audio_s": round(seconds, 2)}
    for way in ways:
        figures[f"{way.name}_cpu_per_audio_second"] = way.cpu_s / seconds
        figures[f"{way.name}_cer"] = way.wrong / characters
    figures["trimmed_cpu_over_untrimmed"] = ways[2].cpu_s / ways[1].cpu_s
    figures["trimmed_cpu_over_bare"] = ways[2].cpu_s / ways[0].cpu_s
    return figures
