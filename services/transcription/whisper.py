"""Whisper through CTranslate2, on no more sound than there is.

Whisper is trained on windows of 30 s, and encoding 30 s costs the same for a short utterance as
for a long one. We encode the utterance and a little silence only: several times cheaper. But
now and then the decoder loops: `guard` notices, and the utterance is decoded again in the full
window.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import soxr
import tokenizers
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray

from contracts.requests import Model
from services.common.failure import CannotStart
from services.transcription.buffer import Samples
from services.transcription.engine import NOTHING, Heard
from services.transcription.guard import Decoding, better, is_doubtful, is_loop, is_silence
from services.transcription.words import Inventions, tidy

RATE = 16_000
FULL_S = 30.0
"""The window Whisper is trained on."""
TAIL_S = 2.0
LEAST_S = 6.0
"""The trimmed window: the utterance and so much silence after it, but not less than that. Encoding
a few seconds of silence costs next to nothing; much shorter windows loop more often."""
PIECE_S = 28.0
TOKENS_A_SECOND = 16
"""Twice what fast speech needs: a loop is stopped there."""
COMPUTE = "int8"


class WhisperEngine:
    """A Whisper model for Mandarin. Raises CannotStart where `directory` holds none.

    `beam`: beam width of finals; `hotwords`: terms it is told to expect; `workers`, `threads`:
    decodings at a time and threads of each.
    """

    partial_every_ms = 2_000

    def __init__(
        self,
        directory: Path,
        model: Model,
        *,
        beam: int = 5,
        threads: int = 1,
        workers: int = 1,
        hotwords: Sequence[str] = (),
        inventions: Inventions | None = None,
    ) -> None:
        self.model = model
        self.beam = beam
        self.inventions = inventions or Inventions()
        try:
            self._whisper = ctranslate2.models.Whisper(
                str(directory),
                compute_type=COMPUTE,
                intra_threads=threads,
                inter_threads=workers,
            )
            self._tokenizer = Tokenizer(
                tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json")),
                multilingual=True,
                task="transcribe",
                language="zh",
            )
        # The libraries raise nothing narrower for files that are missing, cut short or foreign.
        except Exception as error:
            raise CannotStart(
                f"cannot load a Whisper model from {directory} ({type(error).__name__}): it needs "
                "model.bin, config.json, tokenizer.json and vocabulary.json in CTranslate2's form; "
                "delete the directory if it lies in BANXI_DATA_DIR, it is made again"
            ) from None
        self._features = FeatureExtractor(feature_size=self._whisper.n_mels)
        told = self._tokenizer.encode(" " + "、".join(hotwords)) if hotwords else []
        self._prompt = [
            *([self._tokenizer.sot_prev, *told[:100]] if told else []),
            *self._tokenizer.sot_sequence,
            self._tokenizer.no_timestamps,
        ]

    def open(self, rate: int) -> WhisperSession:
        """Begin an utterance."""
        return WhisperSession(self, rate)

    def hear(self, sound: NDArray[np.float32], *, beam: int) -> Heard:
        """The words of up to 30 s of 16 kHz sound, −1…1."""
        decoding = self.decode(sound, beam=beam, window_s=trimmed_window(len(sound) / RATE))
        chosen: Decoding | None = decoding
        if is_doubtful(decoding):
            chosen = better(decoding, self.decode(sound, beam=beam, window_s=FULL_S))
        return self._heard(chosen)

    def glance(self, sound: NDArray[np.float32]) -> str:
        """The words so far, by the cheapest decoding; empty where that went wrong."""
        decoding = self.decode(sound, beam=1, window_s=trimmed_window(len(sound) / RATE))
        return self._heard(None if is_loop(decoding) else decoding).text

    def decode(self, sound: NDArray[np.float32], *, beam: int, window_s: float) -> Decoding:
        """One decoding in a window of so many seconds, without any guard."""
        seconds = len(sound) / RATE
        # Silence is padded as sound, not as zeros among the features: as in training.
        padded = np.zeros(round(window_s * RATE), dtype=np.float32)
        padded[: len(sound)] = sound[: len(padded)]
        features = self._features(padded, padding=0)
        encoded = self._whisper.encode(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(features[np.newaxis]))
        )
        room = min(224, TOKENS_A_SECOND + math.ceil(seconds * TOKENS_A_SECOND))
        result: Any = self._whisper.generate(
            encoded,
            [self._prompt],
            beam_size=beam,
            max_length=min(448, len(self._prompt) + room),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        ids = result.sequences_ids[0]
        return Decoding(
            text=tidy(self._tokenizer.decode(ids)),
            seconds=seconds,
            # CTranslate2 divides by the tokens without the end mark, which was scored too.
            mean_logprob=result.scores[0] * len(ids) / (len(ids) + 1),
            no_speech=result.no_speech_prob,
            unfinished=len(ids) >= room,
        )

    def _heard(self, decoding: Decoding | None) -> Heard:
        if decoding is None or is_silence(decoding) or not decoding.text:
            return NOTHING
        if decoding.text in self.inventions:
            return NOTHING
        return Heard(decoding.text, min(1.0, math.exp(decoding.mean_logprob)))


class WhisperSession:
    """One utterance: keeps its sound, decodes all of it whenever asked."""

    def __init__(self, engine: WhisperEngine, rate: int) -> None:
        self._engine = engine
        self._rate = rate
        self._taken: list[Samples] = []

    def accept(self, samples: Samples) -> None:
        """Take the next samples."""
        self._taken.append(samples)

    def partial(self) -> str:
        """The words so far."""
        return "".join(self._engine.glance(piece) for piece in self._pieces())

    def finish(self) -> Heard:
        """The words."""
        heard = [self._engine.hear(piece, beam=self._engine.beam) for piece in self._pieces()]
        worded = [one for one in heard if one.text]
        sure = [one.confidence for one in worded if one.confidence is not None]
        return Heard("".join(one.text for one in worded), min(sure, default=None))

    def _pieces(self) -> Iterator[NDArray[np.float32]]:
        """The sound at 16 kHz, cut where it is longer than a window (it hardly ever is)."""
        if not self._taken:
            return
        sound = np.concatenate(self._taken).astype(np.float32) / np.float32(32_768)
        if self._rate != RATE:
            sound = soxr.resample(sound, self._rate, RATE)
        step = int(PIECE_S * RATE)
        for start in range(0, len(sound), step):
            yield sound[start : start + step]


def trimmed_window(seconds: float) -> float:
    """Seconds to encode for an utterance of so many seconds; whole encoder frames of 20 ms."""
    return min(FULL_S, max(LEAST_S, math.ceil((seconds + TAIL_S) * 50) / 50))
