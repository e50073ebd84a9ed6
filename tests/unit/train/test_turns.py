"""Learning what a turn is, from courses of which everything is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from contracts.call_type import CALL_TYPES, CallType
from services.call_type.types.look import MANNER, Look
from services.call_type.types.turning import FULL, SIGNS
from services.common.heads import Array
from tools.train.dialogues import LabelledCall
from tools.train.looks import Seen
from tools.train.turns import Course, courses, learn_turning

pytestmark = pytest.mark.unit

NOTHING = Look({}, {}, np.zeros(len(MANNER), dtype=np.float32))
Step = tuple[CallType, float]
"""Who leads after a turn of the caller's, and with what probability."""


def row(label: CallType, share: float) -> Array:
    shares = np.full(len(CALL_TYPES), (1 - share) / (len(CALL_TYPES) - 1), dtype=np.float32)
    shares[CALL_TYPES.index(label)] = share
    return shares


def course(steps: Sequence[Step], switch: tuple[int, CallType] | None = None) -> Course:
    """A call in which the caller alone speaks, as read by the heads; `switch`: where it really
    turned."""
    start: CallType = steps[0][0] if switch else "咨询"
    call = LabelledCall.model_validate(
        {
            "id": "c",
            "turns": [{"role": "caller", "text": f"第{n}句话"} for n in range(len(steps))],
            "start": start,
            "label": switch[1] if switch else start,
            "switch": [{"turn": switch[0], "label": switch[1]}] if switch else [],
            "intake": "业务咨询",
        }
    )
    last = len(steps) - 1
    seen = [Seen(0, n, n + 1, FULL, 0, n == last, NOTHING) for n in range(len(steps))]
    (made,) = courses([call], seen, np.array([row(*step) for step in steps]))
    return made


CALM: list[Step] = [("咨询", 0.9)] * 3
TURNS = [
    course([*CALM, (label, 0.9), (label, 0.9)], (3, label))
    for label in CALL_TYPES[1:]
    for _ in range(3)
]
WAVERS = [
    course([("咨询", 0.9), ("咨询", 0.55), (label, 0.45), ("咨询", 0.9)])
    for label in CALL_TYPES[1:]
    for _ in range(3)
]


def test_a_sure_change_is_told_from_a_doubtful_one() -> None:
    """And judged as `banxi eval call-type` does: every turn found, where it was."""
    weights = learn_turning(TURNS + WAVERS)
    assert weights.shape == (len(SIGNS) + 1,)
    assert np.array_equal(weights, learn_turning(TURNS + WAVERS)), "the same every time"
    for one in TURNS:
        judged = one.judged(weights, "业务咨询")
        assert judged.said_turns == judged.turns
        assert judged.said == one.call.label
        assert judged.first == "咨询"
        assert judged.confidence == pytest.approx(0.9)
    for one in WAVERS:
        judged = one.judged(weights, "业务咨询")
        assert (judged.said_turns, judged.said) == ((), "咨询")


def test_where_nobody_turns_or_everybody_there_is_nothing_to_tell_apart() -> None:
    never, always = learn_turning(WAVERS), learn_turning(TURNS)
    assert all(not one.judged(never, None).said_turns for one in TURNS)
    assert all(one.judged(always, None).said_turns for one in TURNS)
    assert learn_turning([])[-1] < 0


def test_calls_of_which_nothing_is_heard_have_no_course() -> None:
    call = TURNS[0].call
    assert courses([call], [], np.zeros((0, 10), dtype=np.float32)) == []
