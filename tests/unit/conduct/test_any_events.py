"""Whatever comes, in whatever order: nothing raises, and the same events say the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.base import Event
from contracts.call import CallEnded, CallProgressed, CallStarted
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.warning import HoldEnded, HoldStarted, SilenceEnded, SilenceStarted, WarningRaised
from services.common.calls import CallSettled, Happening
from tests.unit.conduct.stories import CLOSING, OPENING, final, fold, handler

pytestmark = pytest.mark.unit

TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "嗯",
            OPENING,
            CLOSING,
            "请您稍等",
            "这我怎么知道",
            "不是告诉你了吗",
            "怎么还问",
            "😀",
            "ok 12333",
        ]
    ),
    st.text(max_size=40),
)
MS = st.one_of(st.integers(0, 90_000), st.sampled_from([0, 5_000, 30_000, 2**40]))
ROLES = st.sampled_from(["agent", "caller"])
HERE = {"call_id": "c", "site": "s"}


def _settled(at_ms: int) -> Happening:
    return CallSettled("c", at_ms)


HAPPENINGS: st.SearchStrategy[Happening] = st.one_of(
    st.builds(
        lambda at: CallStarted(**HERE, at_ms=at, agent_id="7", caller_number=""), st.just(0)
    ),
    st.builds(lambda at: CallProgressed(**HERE, at_ms=at, audio_ms=at), MS),
    st.builds(
        lambda at, role, cut: SpeechStarted(**HERE, at_ms=at, role=role, continues=cut),
        MS, ROLES, st.booleans(),
    ),
    st.builds(
        lambda at, end, role: SpeechEnded(**HERE, at_ms=at, end_ms=end, role=role), MS, MS, ROLES
    ),
    st.builds(lambda role, at, end, text: final(role, at, end, text), ROLES, MS, MS, TEXTS),
    st.builds(
        lambda at, by: CallEnded(**HERE, at_ms=at, ended_by=by),
        MS, st.sampled_from(["agent", "caller", "transfer", "lost", "unknown"]),
    ),
    st.builds(_settled, MS),
)  # fmt: skip


def _by_time(happening: Happening) -> int:
    return getattr(happening, "end_ms", happening.at_ms)


@settings(max_examples=120, deadline=None)
@given(st.lists(HAPPENINGS, max_size=40), st.booleans())
def test_any_events_in_any_order(happenings: list[Happening], sort: bool) -> None:
    if sort:
        happenings = sorted(happenings, key=_by_time)
    said = fold(happenings)
    assert said == fold(happenings)
    _check(said)


def _check(said: list[Event]) -> None:
    ids = [event.event_id for event in said]
    assert len(ids) == len(set(ids)), "an id is said twice"
    for event in said:
        if isinstance(event, WarningRaised):
            assert event.end_ms >= event.at_ms
            assert event.message
            assert event.instead
    for begun, over in ((SilenceStarted, SilenceEnded), (HoldStarted, HoldEnded)):
        starts = [e.at_ms for e in said if isinstance(e, begun)]
        ends = [e.at_ms for e in said if isinstance(e, over)]
        assert set(ends) <= set(starts)


@pytest.mark.parametrize(
    "text", ["怎么知道" * 1250, "a" * 5000, "😀" * 5000, "不清楚，" * 1250, "龘鿋㐀" * 1000]
)
def test_a_very_long_utterance(text: str) -> None:
    call, _ = handler().fold(handler().open("c", "s"), final("agent", 0, 60_000, text))
    assert len(call.agent.words) == 1
