"""Vosk: any model directory, decoded while it is heard."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import vosk

from contracts.requests import Model
from services.common.failure import CannotStart
from services.transcription.buffer import Samples
from services.transcription.engine import NOTHING, Heard
from services.transcription.words import tidy

BLOCK_MS = 200
"""Sound is fed in blocks of this length whatever it comes in, so that results can be repeated."""
FEATURE_CONFIGS = ("conf/mfcc.conf", "mfcc.conf")
"""Where models have it: today's layout, and that of the first small models."""


class VoskEngine:
    """A Vosk model. Raises CannotStart where `directory` holds none.

    `scratch`: a directory that can be written, used while loading.
    """

    partial_every_ms = 400

    def __init__(self, directory: Path, *, scratch: Path) -> None:
        vosk.SetLogLevel(-1)
        try:
            if not any((directory / name).is_file() for name in FEATURE_CONFIGS):
                raise FileNotFoundError(0, f"there is no {FEATURE_CONFIGS[0]} in it")
            with _without_dither(directory.resolve(), scratch) as repeatable:
                self._vosk = vosk.Model(model_path=str(repeatable))
        # Vosk raises a plain Exception for a model it cannot load.
        except Exception as error:
            why = error.strerror if isinstance(error, OSError) else "Vosk cannot read it"
            raise CannotStart(
                f"cannot load a Vosk model from {directory} ({why}): set BANXI_ASR__VOSK_MODEL to "
                "the directory that holds am/, conf/ and graph/ of an unpacked model"
            ) from None
        self.model = Model(name=directory.resolve().name, version=f"vosk.{version('vosk')}")

    def open(self, rate: int) -> VoskSession:
        """Begin an utterance."""
        recognizer = vosk.KaldiRecognizer(self._vosk, rate)
        recognizer.SetWords(True)
        return VoskSession(recognizer, rate)


class VoskSession:
    """One utterance. Vosk may end "utterances" of its own inside it: they are joined."""

    def __init__(self, recognizer: Any, rate: int) -> None:
        self._recognizer = recognizer
        self._block = rate * BLOCK_MS // 1000 * 2
        self._rest = b""
        self._pieces: list[str] = []
        self._sure: list[float] = []

    def accept(self, samples: Samples) -> None:
        """Take and decode the next samples."""
        self._rest += samples.astype("<i2").tobytes()
        while len(self._rest) >= self._block:
            block, self._rest = self._rest[: self._block], self._rest[self._block :]
            if self._recognizer.AcceptWaveform(block):
                self._keep(self._recognizer.Result())

    def partial(self) -> str:
        """The words so far."""
        open_words = json.loads(self._recognizer.PartialResult()).get("partial", "")
        return tidy(" ".join([*self._pieces, open_words]))

    def finish(self) -> Heard:
        """The words."""
        if self._rest and self._recognizer.AcceptWaveform(self._rest):
            self._keep(self._recognizer.Result())
        self._keep(self._recognizer.FinalResult())
        text = tidy(" ".join(self._pieces))
        if not text:
            return NOTHING
        sure = math.fsum(self._sure) / len(self._sure) if self._sure else None
        return Heard(text, sure if sure is None else min(1.0, sure))

    def _keep(self, result: str) -> None:
        held = json.loads(result)
        if held.get("text"):
            self._pieces.append(held["text"])
            self._sure += [word["conf"] for word in held.get("result", [])]


@contextmanager
def _without_dither(directory: Path, scratch: Path) -> Iterator[Path]:
    """The model with dither off, as a tree of links: by default Kaldi adds random noise to the
    sound, and the same call decoded twice reads differently."""
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".vosk-", dir=scratch) as temporary:
        tree = Path(temporary)
        for path in sorted(directory.rglob("*")):
            link = tree / path.relative_to(directory)
            if path.is_dir():
                link.mkdir()
            elif str(path.relative_to(directory)) in FEATURE_CONFIGS:
                lines = path.read_text("utf-8").splitlines()
                kept = [line for line in lines if not line.strip().startswith("--dither")]
                link.write_text("\n".join([*kept, "--dither=0", ""]), "utf-8")
            else:
                link.symlink_to(path)
        yield tree
