"""Tables and vectors in which everything is known: a text leans to the types whose cue it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from contracts.call_type import CALL_TYPES, INTAKES, CallType
from services.call_type.assess import Assessor, Tuning
from services.call_type.dialogue import Dialogue, Heard, Vector
from services.call_type.prototypes import fit
from services.call_type.tables import (
    AdviceTable,
    IntakeTable,
    PrototypeTable,
    SignalTable,
    Tables,
)

CUES: dict[CallType, str] = dict(zip(CALL_TYPES, "甲乙丙丁戊己庚辛壬癸", strict=True))
"""One character a type."""
SHARPNESS = 10.0
PLAIN = "一二三四五六七八九十"
"""Ten characters that lean nowhere."""


def vector(text: str) -> Vector:
    """A common part as sentence models have it, and one direction a cue. Unit length."""
    row = np.array([2.0, *(text.count(cue) for cue in CUES.values()), text.count("问题")])
    return np.asarray(row / np.linalg.norm(row), dtype=np.float32)


def tables(**signals: Any) -> Tables:
    """Small tables; whole sections of signals.yaml may be given otherwise."""
    return Tables(
        prototypes=PrototypeTable.model_validate(
            {
                "version": 1,
                "types": [
                    {"type": label, "utterances": [f"{cue}{cue}", f"{cue}{cue}{cue}"]}
                    for label, cue in CUES.items()
                ],
            }
        ),
        signals=SignalTable.model_validate(
            {
                "version": 1,
                "signals": [
                    {"type": "投诉", "weight": 2, "patterns": ["说得辛苦", "要个说法"]},
                    {"type": "综合", "weight": 1.2, "patterns": ["再一个"]},
                    {"type": "发泄", "weight": 1.2, "patterns": ["气死"]},
                ],
                "questions": ["吗"],
                "acknowledgements": ["嗯", "好", "好的", "对", "对的"],
            }
            | signals
        ),
        intake=IntakeTable.model_validate(
            {
                "version": 1,
                "signals": [{"intake": "举报", "weight": 2, "patterns": ["举报"]}],
                "prototypes": [
                    {"intake": label, "utterances": [f"{cue}{label}", f"{cue}{label}{cue}"]}
                    for label, cue in zip(INTAKES, "子丑寅卯辰", strict=True)
                ],
            }
        ),
        advice=AdviceTable.model_validate(
            {
                "version": 1,
                "advice": [
                    {"type": label, "title": f"{label}的办法", "say": "请讲", "avoid": "打断"}
                    for label in CALL_TYPES
                ],
            }
        ),
        digest="0" * 8,
    )


def assessor(with_tables: Tables | None = None, tuning: Tuning | None = None) -> Assessor:
    """An assessor over those tables."""
    made = with_tables or tables()
    types, intakes = made.type_examples, made.intake_examples
    by_type = fit(CALL_TYPES, types, np.stack([vector(text) for _, text in types]))
    by_intake = fit(INTAKES, intakes, np.stack([vector(text) for _, text in intakes]))
    # As blurred as real examples are: these do not overlap at all.
    return Assessor(
        made,
        replace(by_type, sharpness=SHARPNESS),
        replace(by_intake, sharpness=SHARPNESS),
        tuning,
    )


def hear(
    assessor: Assessor, texts: Sequence[str], start: Dialogue | None = None, *, words: bool = False
) -> Dialogue:
    """The dialogue after these utterances; `words` = without vectors."""
    dialogue = start or Dialogue()
    for text in texts:
        number = dialogue.characters + 1
        asked = [] if words else [vector(t) for t in assessor.texts(dialogue, text)]
        alone, together = (*asked, None, None)[:2]
        dialogue = assessor.hear(
            dialogue, Heard(f"e{number}", number, number + 1, text, alone, together)
        )
    return dialogue


def leaning(label: CallType, length: int = 12) -> str:
    """An utterance that leans clearly to a type."""
    return CUES[label] * 3 + (PLAIN * 2)[: length - 3]
