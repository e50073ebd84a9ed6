"""A scripted recogniser that really listens: it reads words off the values of the samples."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np

from contracts.requests import Model
from services.transcription.buffer import Samples
from services.transcription.engine import NOTHING, Heard

RATE = 8000


def sound_of(value: int, ms: int) -> bytes:
    """Sound that says the word `value`."""
    return np.full(RATE * ms // 1000, value, dtype="<i2").tobytes()


class ScriptedEngine:
    """Says `words[value]` for every run of samples of that value; 0 is silence.

    `gate`: while it is closed every piece of work waits, as behind a slow model. `log` keeps what
    was done, in order.
    """

    model = Model(name="scripted", version="1")

    def __init__(self, words: Mapping[int, str], *, partial_every_ms: int = 2_000) -> None:
        self.words = dict(words)
        self.partial_every_ms = partial_every_ms
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()
        """Set when work has reached the closed gate."""
        self.log: list[tuple[str, str]] = []
        self.opened = 0
        self.partials_fail = False

    def open(self, rate: int) -> ScriptedSession:
        assert rate == RATE
        self.opened += 1
        return ScriptedSession(self)

    def pass_gate(self) -> None:
        if not self.gate.is_set():
            self.waiting.set()
        assert self.gate.wait(20)


class ScriptedSession:
    def __init__(self, engine: ScriptedEngine) -> None:
        self._engine = engine
        self._heard: list[Samples] = []

    def accept(self, samples: Samples) -> None:
        self._heard.append(samples)

    def partial(self) -> str:
        self._engine.pass_gate()
        if self._engine.partials_fail:
            self._engine.log.append(("partial", "failed"))
            raise RuntimeError("the model stumbled")
        self._engine.log.append(("partial", self._text()))
        return self._text()

    def finish(self) -> Heard:
        self._engine.pass_gate()
        self._engine.log.append(("final", self._text()))
        text = self._text()
        if text == "!":
            raise RuntimeError("the model stumbled")
        return Heard(text, 0.5) if text else NOTHING

    def _text(self) -> str:
        values = np.concatenate([*self._heard, np.zeros(1, dtype=np.int16)])
        starts = np.flatnonzero(np.diff(values, prepend=0))
        return "".join(self._engine.words[int(values[at])] for at in starts if values[at])
