"""Which type is shown, and when it is said that the caller has turned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.call_type import CALL_TYPES, CallType
from services.call_type.types.turning import (
    BY_WORDS,
    CORRECTED_LEAD,
    FIRST_SURE,
    FIRST_TELLING,
    FULL,
    SIGNS,
    TURN_SURE,
    Decision,
    Standing,
    decide,
    signs,
)
from services.common.heads import Array
from tests.unit.call_type.scripted import model

pytestmark = pytest.mark.unit

TURNING = model().turning
"""A turn where the new type leads by a factor of 20 in odds."""


def shares(**parts: float) -> Array:
    """Probabilities of some types; the rest is shared by the others."""
    row = np.full(len(CALL_TYPES), (1 - sum(parts.values())) / (len(CALL_TYPES) - len(parts)))
    for label, part in parts.items():
        row[CALL_TYPES.index(label)] = part
    return row.astype(np.float32)


def course(*rows: Array, turns: Sequence[int] = ()) -> list[Decision]:
    """What is decided with each row, by default one a turn."""
    standing, found = Standing(), []
    for row, turn in zip(rows, turns or range(1, len(rows) + 1), strict=True):
        found.append(decide(standing, row, row, turn, FULL, TURNING))
        standing = found[-1].standing
    return found


def shown(found: Sequence[Decision]) -> list[CallType | None]:
    return [decision.standing.shown for decision in found]


def test_the_first_type_is_shown_when_it_is_sure() -> None:
    found = course(shares(咨询=0.45), shares(咨询=0.6))
    assert shown(found) == [None, "咨询"]
    assert found[-1].standing.since == 2
    assert all(decision.turned == 0 for decision in found), "the first is no turn"


def test_a_single_word_shows_no_type() -> None:
    word = shares(咨询=0.9)
    assert decide(Standing(), word, word, 1, FIRST_TELLING - 1, TURNING).standing.shown is None
    assert decide(Standing(), word, word, 1, FIRST_TELLING, TURNING).standing.shown == "咨询"


def test_after_three_turns_the_likeliest_is_shown() -> None:
    likely, flat = shares(求助=0.35), shares(求助=0.25)
    assert shown(course(likely, likely, likely)) == [None, None, "求助"]
    assert shown(course(likely, likely, likely, turns=(1, 1, 2))) == [None] * 3, "not three finals"
    assert shown(course(flat, flat, flat, flat)) == [None] * 4


def test_a_leader_that_wavers_is_not_shown() -> None:
    lead = CORRECTED_LEAD - 0.05
    rows = [shares(求助=0.7), shares(求助=0.35, 哭诉=0.35 + lead), shares(求助=0.6)]
    found = course(*rows)
    assert shown(found) == ["求助"] * 3
    assert all(decision.turned == 0 for decision in found)


def test_a_turn_is_said_once() -> None:
    found = course(shares(咨询=0.8), shares(发泄=0.9, 咨询=0.02), shares(发泄=0.95))
    assert shown(found) == ["咨询", "发泄", "发泄"]
    before, turned, after = (decision.turned for decision in found)
    assert (before, after) == (0, 0)
    assert turned >= TURN_SURE
    assert found[1].standing.since == 2


def test_a_wrong_impression_is_corrected_without_a_turn() -> None:
    found = course(shares(咨询=0.6), shares(叙述=0.6, 咨询=0.25))
    assert shown(found) == ["咨询", "叙述"]
    assert found[-1].turned == 0


def test_the_way_of_talking_shows_and_turns_nothing() -> None:
    """What only the tone makes lead stays out, from the first utterance to the last."""
    tone = shares(对抗=0.9)
    words = shares(对抗=BY_WORDS - 0.02, 咨询=0.25)
    first = decide(Standing(), tone, words, 3, FULL, TURNING)
    assert first.standing.shown is None
    calm = decide(Standing(), shares(咨询=0.8), shares(咨询=0.8), 1, FULL, TURNING)
    loud = decide(calm.standing, tone, words, 2, FULL, TURNING)
    assert (loud.standing.shown, loud.turned) == ("咨询", 0)
    both = decide(calm.standing, tone, tone, 2, FULL, TURNING)
    assert (both.standing.shown, both.turned > 0) == ("对抗", True)


def test_what_a_turn_is_told_by() -> None:
    """Numbers of the new type and the shown one, now and with the turn before; several finals of
    one turn are one."""
    rows = [shares(咨询=0.8), shares(咨询=0.7), shares(咨询=0.6, 发泄=0.3)]
    standing = course(*rows, turns=(1, 2, 2))[-1].standing
    assert (standing.turn, standing.since, standing.before is rows[0]) == (2, 1, True)
    leader = CALL_TYPES.index("发泄")
    told = dict(zip(SIGNS, signs(standing, leader, 30), strict=True))
    odds = {share: np.log(share / (1 - share)) for share in (0.6, 0.3, 0.8)}
    assert told["leader"] == pytest.approx(odds[0.3], abs=1e-3)
    assert told["shown"] == pytest.approx(odds[0.6], abs=1e-3)
    assert told["lead"] == pytest.approx(odds[0.3] - odds[0.6], abs=1e-3)
    assert told["shown_before"] == pytest.approx(odds[0.8], abs=1e-3)
    assert (told["second_turn"], told["just_shown"], told["held"]) == (1, 1, 0)


@given(
    rows=st.lists(
        st.tuples(
            st.lists(st.floats(0, 1), min_size=10, max_size=10).filter(lambda row: sum(row) > 0),
            st.integers(0, 2),
            st.integers(0, 600),
        ),
        max_size=30,
    ),
    weights=st.lists(st.floats(-50, 50), min_size=len(SIGNS) + 1, max_size=len(SIGNS) + 1),
)
@settings(max_examples=60, deadline=None)
def test_any_course_is_followed(
    rows: list[tuple[list[float], int, int]], weights: list[float]
) -> None:
    """Whatever is read of a call: a type or none is shown, and a turn changes it."""
    standing, turn = Standing(), 1
    for parts, later, length in rows:
        turn += later
        row = (np.array(parts) / sum(parts)).astype(np.float32)
        decision = decide(standing, row, row, turn, length, np.array(weights, dtype=np.float32))
        now, before = decision.standing, standing.shown
        assert now.shown in (None, *CALL_TYPES)
        assert now.shown is not None or before is None, "what is known is not forgotten"
        if decision.turned:
            assert TURN_SURE <= decision.turned <= 1
            assert before is not None
            assert now.shown not in (before, None)
        if before is None and now.shown:
            assert row[CALL_TYPES.index(now.shown)] >= min(FIRST_SURE, BY_WORDS)
        standing = now


def test_a_few_characters_do_not_undo_what_a_call_has_shown() -> None:
    """What is misheard of a goodbye is little; the same said at length is believed."""
    plain, other = shares(投诉=0.9), shares(咨询=0.9)
    standing = decide(Standing(), plain, plain, 1, FULL, TURNING).standing
    short = decide(standing, other, other, 2, 2, TURNING)
    assert (short.standing.shown, short.turned) == ("投诉", 0)
    assert short.standing.now is not None
    assert short.standing.now[CALL_TYPES.index("投诉")] > 0.7
    assert decide(standing, other, other, 2, FULL, TURNING).standing.shown == "咨询"
