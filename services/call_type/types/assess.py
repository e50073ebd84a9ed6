"""What kind of call it is, as a pure fold: finals of both sides in, an assessment out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from contracts.call_type import CALL_TYPES, INTAKES, CallType, Intake
from services.call_type.tables import Tables
from services.call_type.types.dialogue import Dialogue, Said
from services.call_type.types.ear import Ear
from services.call_type.types.look import look
from services.call_type.types.model import TypeModel
from services.call_type.types.signals import SignalWords
from services.call_type.types.turning import Standing, decide
from services.common.heads import Array, log_shares

Leanings = Mapping[CallType, float]
"""Log-odds that the way of talking adds to types; those not named gain nothing."""
UNKNOWN: Array = np.full(len(CALL_TYPES), 1 / len(CALL_TYPES), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """What is known of a call."""

    dialogue: Dialogue = field(default_factory=Dialogue)
    standing: Standing = field(default_factory=Standing)
    turned_from: CallType | None = None
    """The type before, where the caller has turned with the last utterance."""
    turn_confidence: float = 0.0
    """How sure that is."""
    intake: Intake | None = None
    """The intake kind; None = not yet known."""
    words_only: bool = False
    """Whether the last utterance of the caller had to be judged without its vector."""

    @property
    def shares(self) -> Array:
        """Probabilities of the ten types."""
        return UNKNOWN if self.standing.now is None else self.standing.now

    @property
    def shown(self) -> CallType | None:
        """The type shown; None = not yet known."""
        return self.standing.shown

    @property
    def turned(self) -> CallType | None:
        """The type turned to, where the caller has turned with the last utterance."""
        return self.shown if self.turned_from else None

    @property
    def confidence(self) -> float:
        """Probability of the type shown; 0 while there is none."""
        return float(self.shares[CALL_TYPES.index(self.shown)]) if self.shown else 0.0

    def best(self, count: int) -> list[tuple[CallType, float]]:
        """The likeliest types, best first."""
        order = np.argsort(-self.shares, kind="stable")[:count]
        return [(CALL_TYPES[i], float(self.shares[i])) for i in order]


class Assessor:
    """Weighs what is said. Holds tables and what was learned; what a call has said is in its
    assessment."""

    def __init__(self, tables: Tables, model: TypeModel) -> None:
        self.model = model
        self.ear = Ear(SignalWords(tables))

    def begin(self, matters: Sequence[str] = ()) -> Assessment:
        """A call of which nothing was heard yet; `matters`: what earlier calls of the number were
        about, newest first."""
        return Assessment(Dialogue(matters=tuple(self.ear.matter(text) for text in matters)))

    def hear(self, now: Assessment, said: Said, leanings: Leanings | None = None) -> Assessment:
        """The assessment after one more final. What the caller says is judged; what the agent says
        is kept in mind."""
        now = replace(now, turned_from=None, turn_confidence=0.0)
        if not said.says_something or now.dialogue.knows(said.event_id, said.at_ms):
            return now
        dialogue = now.dialogue.after(said)
        caller = dialogue.of("caller")
        if said.role == "agent" or not caller:
            return replace(now, dialogue=dialogue)
        seen = look(dialogue)
        reading = self.model.read(seen)
        tone = np.array([(leanings or {}).get(t, 0.0) for t in CALL_TYPES], dtype=np.float32)
        shares = np.exp(log_shares(reading.types + tone))
        decision = decide(
            now.standing,
            shares,
            np.exp(reading.types),
            dialogue.caller_turns,
            caller[-1].telling,
            self.model.turning,
        )
        return Assessment(
            dialogue=dialogue,
            standing=decision.standing,
            turned_from=now.shown if decision.turned else None,
            turn_confidence=decision.turned,
            intake=INTAKES[int(reading.intakes.argmax())],
            words_only=seen.vectors["last"] is None,
        )
