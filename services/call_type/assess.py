"""What kind of call it is, as a pure fold: the caller's utterances in, an assessment out.

Three sorts of evidence are added up for each type, the younger the heavier: so a call can turn.

- likeness of the utterance, and of the last few together, to the examples of the type;
- words that give a type away, with saturation: the fifth 气死我了 says little more than the third;
- the dialogue: asking, asking the same again, bringing up one matter after another.

The sum becomes probabilities. What is *shown* changes less often than those: nothing while little
was said; another type only when it leads twice running, or clearly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from contracts.call_type import CALL_TYPES, INTAKES, CallType, Intake
from services.call_type.dialogue import (
    INTAKE_INDEX,
    TYPE_INDEX,
    Dialogue,
    Found,
    Heard,
    Spoke,
)
from services.call_type.prototypes import Array, Label, Prototypes, softmax
from services.call_type.tables import Tables
from services.call_type.text import Folded, clauses, fold, shared_pairs

RECENT = 8
"""Utterances kept as possible reasons."""
TOGETHER = 3
"""Utterances that are also looked at as one."""
ASKED = 40
"""Questions that a new one is compared with."""
LONGEST = 600
"""Characters of a text that are embedded at most; the model reads little more at a time."""
REASONS = 3
"""Words given as reasons at most."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """The weights of the evidence, chosen on `eval_data/calltype.dev.jsonl`."""

    fade: float = 0.3
    """What is left of older evidence with each utterance."""
    likeness: float = 0.85
    """Weight of likeness to examples."""
    full_length: int = 16
    """Characters from which an utterance counts fully."""
    words: float = 1.5
    """Weight of words that give a type away."""
    words_limit: float = 4.0
    """Where their sum saturates."""
    asking: float = 0.1
    """For 咨询 when the caller asks, for 叙述 when a long utterance asks nothing."""
    again: float = 1.5
    """For 纠缠 when a question comes again, by how alike it is."""
    alike: tuple[float, float] = (0.35, 0.65)
    """Likeness (without the common part) at which two questions begin to be the same, and are."""
    matters: float = 0.5
    """For 综合 with each word that opens a further matter."""
    least: int = 4
    """Characters that must have been said before a type is shown."""
    least_confidence: float = 0.2
    """Probability the first type shown must have; one of ten by chance has 0.1."""
    turn_confidence: float = 0.35
    """Probability a type must have to replace the one shown."""
    lead: float = 0.1
    """Lead in probability with which a type that leads twice running takes over."""
    clear_lead: float = 0.2
    """Lead with which it takes over at once."""
    lasting: float = 0.9
    """As `fade`, for what changes slowly: the intake kind, the number of matters."""
    intake_likeness: float = 0.3
    """As `likeness`, for the intake kind."""
    intake_complaint: float = 3.0
    """For the intake kind 投诉 where the type is surely 投诉."""
    intake_default: float = 1.8
    """Head start of 业务咨询: it is everything that is nothing else."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Words that speak for the type shown."""

    heard: Heard
    words: str
    score: float
    """The word's weight; for a clause the probability its likeness alone gives the type."""


class Assessor:
    """Weighs utterances. Holds tables and prototypes; what a call has said is in its Dialogue."""

    def __init__(
        self,
        tables: Tables,
        types: Prototypes[CallType],
        intakes: Prototypes[Intake],
        tuning: Tuning | None = None,
    ) -> None:
        self._types = types
        self._intakes = intakes
        self._tuning = tuning or Tuning()
        self._type_words = [
            (entry.type, entry.weight, fold(pattern).text)
            for entry in tables.signals.signals
            for pattern in entry.patterns
        ]
        self._intake_words = [
            (entry.intake, entry.weight, fold(pattern).text)
            for entry in tables.intake.signals
            for pattern in entry.patterns
        ]
        self._questions = [fold(word).text for word in tables.signals.questions]
        # Longest first, or 对 would leave the 的 of 对的 behind.
        nods = {fold(word).text for word in tables.signals.acknowledgements} - {""}
        self._nods = re.compile("|".join(map(re.escape, sorted(nods, key=len, reverse=True))))

    def texts(self, dialogue: Dialogue, text: str) -> tuple[str, ...]:
        """What must be embedded to weigh `text`: nothing where it says nothing, itself, or itself
        and the last utterances together with it."""
        if not self._says_something(text):
            return ()
        alone = text[:LONGEST]
        before = [spoke.heard.text for spoke in dialogue.recent[1 - TOGETHER :]]
        return (alone, "，".join([*before, alone])[-LONGEST:]) if before else (alone,)

    def hear(self, dialogue: Dialogue, heard: Heard) -> Dialogue:
        """The dialogue after one more utterance of the caller."""
        if not self._says_something(heard.text):
            return dialogue
        tuning = self._tuning
        folded = fold(heard.text)
        content = len(self._nods.sub("", folded.text))
        weight = min(1.0, content / tuning.full_length)
        # What says little makes little forgotten: a goodbye must not wipe out a complaint.
        fade, lasting = tuning.fade**weight, tuning.lasting**weight
        found = _found(self._type_words, folded)
        intake_found = _found(self._intake_words, folded)
        leanings = intake_leanings = None
        if heard.vectors:
            leanings = np.mean([self._types.leanings(v) for v in heard.vectors], axis=0)
            intake_leanings = np.mean([self._intakes.leanings(v) for v in heard.vectors], axis=0)
        asks = any(word in folded.text for word in self._questions)
        manner = dialogue.manner * fade
        if asks or weight == 1:
            manner[TYPE_INDEX["咨询" if asks else "叙述"]] += tuning.asking
        asked = dialogue.asked
        if asks and heard.alone is not None:
            question = self._types.centred(heard.alone)
            manner[TYPE_INDEX["纠缠"]] += tuning.again * self._sameness(question, asked)
            asked = (*asked, question)[-ASKED:]
        opened = sum(hit.label == "综合" for hit in found)
        return self._decide(
            replace(
                dialogue,
                characters=dialogue.characters + len(folded.text),
                types=dialogue.types.after(fade, _sums(found, CALL_TYPES), leanings, weight),
                intakes=dialogue.intakes.after(
                    lasting, _sums(intake_found, INTAKES), intake_leanings, weight
                ),
                manner=manner,
                matters=dialogue.matters * lasting + opened,
                asked=asked,
                recent=(*dialogue.recent, Spoke(heard, found, leanings))[-RECENT:],
            )
        )

    def reasons(self, dialogue: Dialogue) -> list[Reason]:
        """The words that speak for the type shown: words of the tables by weight, and the clause
        of the most alike utterance that shares most with an example."""
        if dialogue.shown is None:
            return []
        index = TYPE_INDEX[dialogue.shown]
        words = {
            hit.words: Reason(spoke.heard, hit.words, hit.weight)
            for spoke in dialogue.recent
            for hit in spoke.found
            if hit.label == dialogue.shown
        }
        strongest = sorted(words.values(), key=lambda r: (-r.score, -r.heard.at_ms))
        reasons = strongest[: REASONS - 1]
        alike = [
            (float(softmax(spoke.leanings)[index]), spoke.heard)
            for spoke in dialogue.recent
            if spoke.leanings is not None
        ]
        if alike:
            score, heard = max(alike, key=lambda pair: (pair[0], pair[1].at_ms))
            example = self._types.texts[self._types.nearest(heard.vectors[0], dialogue.shown)]
            clause = max(
                clauses(heard.text), key=lambda c: (shared_pairs(c, example), len(c)), default=""
            )
            if clause and not any(r.words in clause or clause in r.words for r in reasons):
                reasons.append(Reason(heard, clause, round(score, 3)))
        return reasons

    def _says_something(self, text: str) -> bool:
        return bool(self._nods.sub("", fold(text).text))

    def _sameness(self, question: Array, asked: Sequence[Array]) -> float:
        """0 = not asked before, 1 = the same question again."""
        begins, same = self._tuning.alike
        likeness = max((float(question @ earlier) for earlier in asked), default=0.0)
        return min(1.0, max(0.0, (likeness - begins) / (same - begins)))

    def _decide(self, dialogue: Dialogue) -> Dialogue:
        tuning = self._tuning
        limit = tuning.words_limit
        scores = dialogue.manner + dialogue.types.scores(tuning.words, limit, tuning.likeness)
        scores[TYPE_INDEX["综合"]] += tuning.matters * dialogue.matters
        probabilities = softmax(scores)
        intakes = dialogue.intakes.scores(tuning.words, limit, tuning.intake_likeness)
        intakes[INTAKE_INDEX["业务咨询"]] += tuning.intake_default
        intakes[INTAKE_INDEX["投诉"]] += tuning.intake_complaint * probabilities[TYPE_INDEX["投诉"]]
        shown, challenger = self._shown(dialogue, probabilities)
        enough = dialogue.characters >= tuning.least
        return replace(
            dialogue,
            probabilities=probabilities,
            shown=shown,
            challenger=challenger,
            intake=INTAKES[int(intakes.argmax())] if enough else None,
        )

    def _shown(
        self, dialogue: Dialogue, probabilities: Array
    ) -> tuple[CallType | None, CallType | None]:
        """The type to show now, and the one that is on its way to replace it."""
        tuning = self._tuning
        leader = CALL_TYPES[int(probabilities.argmax())]
        likely = float(probabilities[TYPE_INDEX[leader]])
        if dialogue.shown is None:
            enough = dialogue.characters >= tuning.least and likely >= tuning.least_confidence
            return (leader if enough else None), None
        lead = likely - float(probabilities[TYPE_INDEX[dialogue.shown]])
        if lead < tuning.lead or likely < tuning.turn_confidence:
            return dialogue.shown, None
        if lead >= tuning.clear_lead or leader == dialogue.challenger:
            return leader, None
        return dialogue.shown, leader


def _found(words: Sequence[tuple[Label, float, str]], folded: Folded) -> tuple[Found[Label], ...]:
    spans = ((label, weight, folded.find(pattern)) for label, weight, pattern in words)
    return tuple(
        Found(label, weight, folded.original[span[0] : span[1]])
        for label, weight, span in spans
        if span is not None
    )


def _sums(found: Sequence[Found[Label]], labels: Sequence[Label]) -> Array:
    sums = np.zeros(len(labels))
    for hit in found:
        sums[labels.index(hit.label)] += hit.weight
    return sums
