"""Scoring call types: what the system said beside what is right. Pure: values in, figures out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from contracts.call_type import CallType, Intake
from tools.evaluate.report import Figures, f1, ratio

LATE = 1
"""Caller turns by which a turn of the call may be noticed late and still counts as found."""
_BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """One call with its labels and what was said of it. Turns are (turn, label)."""

    id: str
    cat: str
    label: CallType
    accept: frozenset[CallType]
    """The label and all that count as right at the end."""
    start: CallType
    turns: tuple[tuple[int, CallType], ...]
    intake: frozenset[Intake]
    """All that count as right; empty = not labelled."""
    caller_turns: tuple[int, ...]
    said: CallType | None
    confidence: float
    first: CallType | None
    """After the first caller turn."""
    said_turns: tuple[tuple[int, CallType], ...]
    said_intake: Intake | None

    @property
    def right(self) -> bool:
        """Whether the label at the end is one that counts."""
        return self.said in self.accept

    @property
    def right_at_first(self) -> bool:
        """Whether the label after the first caller turn counts. What else is accepted is accepted
        at the end, so it counts here only where the call does not change."""
        return self.first == self.start or (not self.turns and self.first in self.accept)

    @property
    def intake_right(self) -> bool:
        """Whether the intake kind counts."""
        return self.said_intake in self.intake


def label_figures(calls: Sequence[Judged]) -> Figures:
    """How often the label at the end is right, strictly and generously."""
    strict = [(one.label, one.said) for one in calls]
    generous = [(one.label, one.label if one.right else one.said) for one in calls]
    return {
        "accuracy": ratio(sum(one.said == one.label for one in calls), len(calls)),
        "accuracy_accept": ratio(sum(one.right for one in calls), len(calls)),
        "macro_f1": macro_f1(strict),
        "macro_f1_accept": macro_f1(generous),
    }


def first_figures(calls: Sequence[Judged]) -> Figures:
    """How often the label after the first caller turn is right, generously."""
    pairs = [(one.start, one.start if one.right_at_first else one.first) for one in calls]
    return {
        "first_utterance_accuracy_accept": ratio(
            sum(one.right_at_first for one in calls), len(calls)
        ),
        "first_utterance_macro_f1_accept": macro_f1(pairs),
    }


def figures(calls: Sequence[Judged]) -> Figures:
    """All figures of the command."""
    found = false = 0
    for one in calls:
        hits = matched_turns(one)
        found += len(hits)
        false += len(one.said_turns) - len(hits)
    intakes = [one for one in calls if one.intake]
    return {
        **label_figures(calls),
        **first_figures(calls),
        "turns_found": ratio(found, sum(len(one.turns) for one in calls)),
        "false_turns_per_10_calls": ratio(10 * false, len(calls)),
        "intake_accuracy": ratio(sum(one.intake_right for one in intakes), len(intakes)),
        "ece": calibration_error([(one.confidence, one.right) for one in calls]),
        "ece_strict": calibration_error([(one.confidence, one.said == one.label) for one in calls]),
    }


def matched_turns(call: Judged) -> list[tuple[int, CallType]]:
    """The turns of the call that were noticed: same label, at the turn or at most `LATE` caller
    turns after it. A label that is accepted at the end counts for the last turn."""
    open_turns = list(call.said_turns)
    matched = []
    for number, (turn, label) in enumerate(call.turns):
        labels = {label} if number < len(call.turns) - 1 else call.accept
        window = [at for at in call.caller_turns if at >= turn][: LATE + 1]
        hit = next((s for s in open_turns if s[0] in window and s[1] in labels), None)
        if hit is not None:
            open_turns.remove(hit)
            matched.append(hit)
    return matched


def macro_f1(pairs: Collection[tuple[str, str | None]]) -> float | None:
    """Mean F1 over the labels that occur, from (right, said)."""
    labels = {right for right, _ in pairs} | {said for _, said in pairs if said is not None}
    each = []
    for label in labels:
        both = sum(right == said == label for right, said in pairs)
        precision = ratio(both, sum(said == label for _, said in pairs))
        recall = ratio(both, sum(right == label for right, _ in pairs))
        # A label never said, or never right, has F1 0, not none.
        each.append(f1(precision, recall) or 0.0)
    return ratio(sum(each), len(each))


def calibration_error(pairs: Sequence[tuple[float, bool]]) -> float | None:
    """Expected calibration error over ten equal bins, from (confidence, right)."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for confidence, right in pairs:
        bins[min(_BINS - 1, int(confidence * _BINS))].append((confidence, right))
    return ratio(
        sum(abs(sum(c for c, _ in held) - sum(r for _, r in held)) for held in bins), len(pairs)
    )


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` of them lie (nearest rank); None of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def errors(call: Judged) -> list[dict[str, object]]:
    """What was decided otherwise than labelled."""
    found: list[dict[str, object]] = []
    if not call.right:
        found.append(
            {
                "id": call.id,
                "kind": "label",
                "label": call.label,
                "said": call.said,
                "confidence": round(call.confidence, 3),
            }
        )
    if call.intake and not call.intake_right:
        found.append(
            {
                "id": call.id,
                "kind": "intake",
                "label": sorted(call.intake),
                "said": call.said_intake,
            }
        )
    if missed := len(call.turns) - len(matched_turns(call)):
        found.append({"id": call.id, "kind": "turns", "missed": missed})
    return found
