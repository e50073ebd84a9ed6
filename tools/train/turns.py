"""Learning to tell a caller's turn from a first impression that was wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from contracts.call_type import CALL_TYPES, CallType, Intake
from services.call_type.types.turning import SIGNS, Decision, Standing, decide, signs
from services.common.heads import Array
from tools.evaluate.call_type_scores import LATE, Judged
from tools.train.dialogues import LabelledCall
from tools.train.linear import fit
from tools.train.looks import Seen

ALWAYS: Array = np.array([0.0] * len(SIGNS) + [30.0], dtype=np.float32)
"""Weights by which every change is a turn."""
FIRMNESS = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A call with the probabilities after each thing the caller said."""

    call: LabelledCall
    seen: Sequence[Seen]
    shares: Array

    def decisions(self, weights: Array) -> Iterator[tuple[Seen, Standing, Decision]]:
        """How the call is judged with these weights: what stood before, and what was decided."""
        standing = Standing()
        for seen, shares in zip(self.seen, self.shares, strict=True):
            decision = decide(standing, shares, shares, seen.turn, seen.telling, weights)
            yield seen, standing, decision
            standing = decision.standing

    def judged(self, weights: Array, intake: Intake | None) -> Judged:
        """As `banxi eval call-type` judges it."""
        call = self.call
        shown: dict[int, CallType | None] = {}
        turns: list[tuple[int, CallType]] = []
        confidence = 0.0
        for seen, _, decision in self.decisions(weights):
            now = shown[seen.at] = decision.standing.shown
            if now and decision.turned:
                turns.append((seen.at, now))
            if now and decision.standing.now is not None:
                confidence = float(decision.standing.now[CALL_TYPES.index(now)])
        callers = tuple(at for at, turn in enumerate(call.turns) if turn.role == "caller")
        return Judged(
            id=call.id,
            cat=call.cat,
            label=call.label,
            accept=frozenset({call.label, *call.accept}),
            start=call.start,
            turns=tuple((switch.turn, switch.label) for switch in call.switch),
            intake=frozenset({call.intake, *call.intake_accept}),
            caller_turns=callers,
            said=list(shown.values())[-1] if shown else None,
            confidence=confidence,
            first=shown.get(callers[0]),
            said_turns=tuple(turns),
            said_intake=intake,
        )


def courses(calls: Sequence[LabelledCall], seen: Sequence[Seen], shares: Array) -> list[Course]:
    """The calls of which something was seen; one row of `shares` a look."""
    rows: Mapping[int, list[int]] = {number: [] for number in range(len(calls))}
    for row, one in enumerate(seen):
        rows[one.call].append(row)
    return [
        Course(calls[number], [seen[row] for row in its], shares[its])
        for number, its in rows.items()
        if its
    ]


def learn_turning(found: Sequence[Course]) -> Array:
    """Weights of `SIGNS` and the bias: whether a change of the leading type is a turn."""
    numbers: list[Array] = []
    right: list[bool] = []
    for course in found:
        for seen, before, decision in course.decisions(ALWAYS):
            if decision.turned and decision.standing.shown:
                now = decision.standing
                leader = CALL_TYPES.index(decision.standing.shown)
                held = Standing(before.shown, now.turn, before.since, now.now, now.before)
                numbers.append(signs(held, leader, seen.telling))
                right.append(_is_turn(course.call, seen.at, decision.standing.shown))
    weights = np.zeros(len(SIGNS) + 1, dtype=np.float32)
    if len(set(right)) < 2:
        # Nobody turns, or everybody: there is nothing to tell apart.
        weights[-1] = 30.0 if True in right else -30.0
        return weights
    known = np.array(right, dtype=np.intp)
    ones = np.ones(len(right), dtype=np.float32)
    learned, bias = fit(np.array(numbers), known, ones, FIRMNESS, 500)
    return np.append(learned[:, 1] - learned[:, 0], bias[1] - bias[0]).astype(np.float32)


def _is_turn(call: LabelledCall, at: int, label: CallType) -> bool:
    """Whether the caller turns to a type there, or has a moment before."""
    callers = [n for n, turn in enumerate(call.turns) if turn.role == "caller"]
    for number, switch in enumerate(call.switch):
        window = [n for n in callers if n >= switch.turn][: LATE + 1]
        last = number == len(call.switch) - 1
        labels = {call.label, *call.accept} if last else {switch.label}
        if at in window and label in labels:
            return True
    return False
