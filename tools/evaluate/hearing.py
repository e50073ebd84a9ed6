"""Calls of a labelled file heard turn by turn, as the service hears them: what it says of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from contracts.call_type import CallType, Intake
from services.call_type.tables import load_tables
from services.call_type.types.assess import Assessment, Assessor
from services.call_type.types.model import load_model
from services.common.failure import CannotStart
from services.embedding.encoder import Encoder
from tools.evaluate.baseline import Prototypes
from tools.evaluate.lines import Call, Turn

BATCH = 32
TURN_MS, SPOKEN_MS = 10_000, 5_000
"""From one turn to the next, and how much of it is spoken: labelled turns are whole turns."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is said of a call."""

    id: str
    label: CallType | None
    confidence: float
    labels_after: tuple[CallType | None, ...] = ()
    """After each caller turn."""
    switch: tuple[tuple[int, CallType], ...] = ()
    """(turn, label) where the caller has turned."""
    intake: Intake | None = None

    def line(self) -> dict[str, object]:
        """As it stands in the predictions file."""
        return {
            "id": self.id,
            "label": self.label,
            "confidence": round(self.confidence, 4),
            "labels_after": list(self.labels_after),
            "switch": [{"turn": turn, "label": label} for turn, label in self.switch],
            "intake": self.intake,
        }


class Vectors:
    """Vectors of texts, each made once."""

    def __init__(self, encoder: Encoder) -> None:
        self.model = encoder.id
        self._encoder = encoder
        self._known: dict[str, npt.NDArray[np.float32]] = {}

    def learn(self, texts: Iterable[str]) -> None:
        """Make those of texts that are to come, many at a time."""
        # Of like length together: a batch costs as much as its longest text.
        new = sorted(set(texts) - self._known.keys(), key=lambda text: (len(text), text))
        for at in range(0, len(new), BATCH):
            batch = new[at : at + BATCH]
            self._known |= zip(batch, self._encoder.embed(batch, "query"), strict=True)

    def of(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One row a text."""
        self.learn(texts)
        return np.array([self._known[text] for text in texts])


def load_assessor(model: Path | None = None, tables: Path | None = None) -> Assessor:
    """The assessor as the service has it, or with another file of what was learned, or another
    folder of tables. Raises CannotStart."""
    return Assessor(load_tables(tables), load_model(model))


class Judge:
    """The service's own assessor. Looks at turns and history, never at labels."""

    def __init__(self, assessor: Assessor, vectors: Vectors | None) -> None:
        """Without vectors it hears words alone, as where the embedding service is away. Raises
        CannotStart where the assessor reads vectors of another model."""
        wanted = assessor.model.about.embedding
        if vectors is not None and vectors.model != wanted:
            raise CannotStart(f"what was learned reads vectors of {wanted}, not of {vectors.model}")
        self._assessor = assessor
        self._vectors = vectors

    def hear(self, call: Call) -> Prediction:
        """Hear a call to its end."""
        now = self._assessor.begin(call.history)
        after: list[CallType | None] = []
        switch: list[tuple[int, CallType]] = []
        for number, turn in enumerate(call.turns):
            if turn.text.strip():
                now = self.update(now, number, turn)
                if turn.role == "caller" and now.turned:
                    switch.append((number, now.turned))
            if turn.role == "caller":
                after.append(now.shown)
        return Prediction(
            call.id, now.shown, now.confidence, tuple(after), tuple(switch), now.intake
        )

    def update(self, now: Assessment, number: int, turn: Turn) -> Assessment:
        """One more turn heard."""
        vector = None if self._vectors is None else self._vectors.of([turn.text])[0]
        span = (number * TURN_MS, number * TURN_MS + SPOKEN_MS)
        said = self._assessor.ear.hear(str(number), turn.role, span, turn.text, vector)
        return self._assessor.hear(now, said)


def nearest(prototypes: Prototypes, vectors: Vectors, call: Call) -> Prediction:
    """The baseline: the prototype nearest to all the caller said, and to the first thing said."""
    texts = [turn.text for turn in call.turns if turn.role == "caller" and turn.text.strip()]
    if not texts:
        return Prediction(call.id, None, 0.0)
    first, every = (prototypes.nearest(v) for v in vectors.of([texts[0], "，".join(texts)]))
    return Prediction(call.id, every, 1.0, (first,))
