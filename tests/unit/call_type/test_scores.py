"""The figures of `banxi eval call-type`, on calls small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools.evaluate.call_type_scores import (
    Judged,
    calibration_error,
    figures,
    macro_f1,
    matched_turns,
)

pytestmark = pytest.mark.unit

RIGHT = Judged(
    id="a",
    cat="",
    label="发泄",
    accept=frozenset({"发泄", "投诉"}),
    start="咨询",
    turns=((3, "发泄"),),
    intake=frozenset({"业务咨询"}),
    caller_turns=(1, 3, 5, 7),
    said="发泄",
    confidence=0.8,
    first="咨询",
    said_turns=((3, "发泄"),),
    said_intake="业务咨询",
)


@pytest.mark.parametrize(
    ("said", "matched"),
    [
        (((3, "发泄"),), 1),
        (((5, "发泄"),), 1),  # one caller turn late
        (((7, "发泄"),), 0),
        (((1, "发泄"),), 0),
        (((3, "投诉"),), 1),  # accepted at the end, and this is the last turn
        (((3, "对抗"), (5, "发泄")), 1),
    ],
)
def test_a_turn_counts_when_it_is_noticed_in_time(
    said: tuple[tuple[int, str], ...], matched: int
) -> None:
    assert len(matched_turns(replace(RIGHT, said_turns=said))) == matched  # type: ignore[arg-type]


def test_figures_of_two_calls() -> None:
    wrong = replace(
        RIGHT,
        said="投诉",
        first=None,
        said_turns=((1, "对抗"), (3, "投诉")),
        said_intake="举报",
    )
    found = figures([RIGHT, wrong])
    assert found["accuracy"] == 0.5
    assert found["accuracy_accept"] == 1.0
    assert found["macro_f1_accept"] == 1.0
    assert found["first_utterance_accuracy_accept"] == 0.5
    assert found["turns_found"] == 1.0
    assert found["false_turns_per_10_calls"] == 5.0
    assert found["intake_accuracy"] == 0.5
    assert found["ece"] == pytest.approx(0.2)


def test_what_is_accepted_at_the_end_counts_at_first_only_in_a_call_that_does_not_change() -> None:
    assert not replace(RIGHT, first="投诉").right_at_first
    assert replace(RIGHT, first="投诉", start="发泄", turns=()).right_at_first


def test_macro_f1_counts_labels_alike() -> None:
    pairs = [("a", "a")] * 8 + [("b", "a"), ("b", None)]
    assert macro_f1(pairs) == pytest.approx((2 * (8 / 9) / (8 / 9 + 1)) / 2)
    assert macro_f1([]) is None


def test_calibration_is_right_when_confidence_is_what_happens() -> None:
    assert calibration_error([(0.75, True)] * 3 + [(0.75, False)]) == pytest.approx(0)
    assert calibration_error([(1.0, False)] * 4) == pytest.approx(1)
