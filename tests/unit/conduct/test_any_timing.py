"""Whatever comes in whatever order: nothing raises, nothing is told before it can be known."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.base import Event
from contracts.call import CallEnded, CallProgressed, CallStarted
from contracts.card import CardShown, CardWithdrawn
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.warning import WarningConfirmed, WarningRaised, WarningWithdrawn
from services.common.calls import CallSettled, Happening
from services.conduct.channel import BOUNDARY_MS
from tests.unit.conduct.stories import CLOSING, OPENING, final, fold, handler
from tools.scripted_calls import Line, Script, timeline

pytestmark = pytest.mark.unit

HERE: dict[str, Any] = {"call_id": "c", "site": "s"}
BEHAVIOUR = {
    "silence", "hold_over_30s", "hold_unannounced", "hold_without_thanks", "caller_unattended",
    "silent_caller", "interruption", "talking_over", "interrupted", "agent_hung_up_first", "pace",
    "verbal_tic", "no_acknowledgement", "asks_to_repeat",
}  # fmt: skip
TEXTS = st.sampled_from(
    [
        "", "嗯", "喂，还在吗", OPENING, CLOSING, "请您稍等", "让您久等了", "没听清，请您再说一遍",
        "你个王八蛋", "您再骂人我将结束通话", "我这就为您转接", "那个那个那个那个那个那个",
        "您等一下，我找一下", "这个要到窗口去办理的" * 9,
    ]
)  # fmt: skip
MS = st.integers(0, 120_000)
ROLES = st.sampled_from(["agent", "caller"])

HAPPENINGS: st.SearchStrategy[Happening] = st.one_of(
    st.builds(lambda at: CallProgressed(**HERE, at_ms=at, audio_ms=at), MS),
    st.builds(
        lambda at, role, cut: SpeechStarted(**HERE, at_ms=at, role=role, continues=cut),
        MS, ROLES, st.booleans(),
    ),
    st.builds(
        lambda at, end, role: SpeechEnded(**HERE, at_ms=at, end_ms=end, role=role), MS, MS, ROLES
    ),
    st.builds(final, ROLES, MS, MS, TEXTS),
    st.builds(
        lambda at, by: CallEnded(**HERE, at_ms=at, ended_by=by),
        st.integers(60_000, 120_000), st.sampled_from(["agent", "caller", "transfer"]),
    ),
)  # fmt: skip

BACKWARDS: list[Happening] = [
    final("agent", 1, 2, "请您稍等"),
    SpeechStarted(**HERE, at_ms=2, role="agent"),
    SpeechStarted(**HERE, at_ms=0, role="agent"),
]


@settings(max_examples=80, deadline=None)
@example([final("agent", 1, 1, "请您稍等"), final("agent", 0, 2, "嗯")], False)
@example(BACKWARDS, False)
@given(st.lists(HAPPENINGS, max_size=50), st.booleans())
def test_times_that_run_backwards_and_any_order(happenings: list[Happening], sort: bool) -> None:
    if sort:
        happenings = sorted(happenings, key=_latest)
    told = [*happenings, CallSettled("c", 120_000)]
    said = _judged(told)
    assert said == fold(told)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(ROLES, st.integers(200, 20_000), st.integers(0, 12_000), TEXTS),
        min_size=1, max_size=14,
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_calls_that_could_be_with_words_that_come_late_or_never(turns: Any, chance: Any) -> None:
    """Voices may overlap; finals come late, in another order, or not at all."""
    at = {"agent": 500, "caller": 800}
    lines = []
    for role, lasts, pause, text in turns:
        start = at[role] + pause
        at[role] = start + lasts + 100
        lines.append(Line(role=role, start=start / 1000, end=(start + lasts) / 1000, text=text))
    events = [step.event for step in timeline(Script(script=tuple(lines)), "c", "s")]
    words = [e for e in events if e.event == "transcript.final" and chance.random() < 0.4]
    rest: list[Happening] = [e for e in events if e not in words]
    for one in words:
        if chance.random() < 0.7:
            known = rest.index(next(e for e in rest if _latest(e) >= _latest(one)))
            rest.insert(chance.randint(known, len(rest)), one)
    _judged([*rest, CallSettled("c", 0)])


def _judged(happenings: list[Happening]) -> list[Event]:
    """What is said of a call; checked after each event."""
    call, said, now = handler().open("c", "s"), [], 0
    raised: dict[str, WarningRaised] = {}
    for happening in happenings:
        now = max(now, _latest(happening))
        call, events = handler().fold(call, happening)
        said += events
        for event in events:
            if isinstance(event, WarningRaised):
                raised[event.warning_id] = event
                if event.kind in BEHAVIOUR:
                    # An agent who prompts a moment early has noticed the silence too.
                    early = BOUNDARY_MS if event.kind == "silent_caller" else 0
                    assert event.due_ms <= now + early, event.kind
                    assert event.at_ms <= event.end_ms
            elif isinstance(event, WarningConfirmed | WarningWithdrawn):
                assert event.warning_id in raised
    ids = Counter(event.event_id for event in said)
    assert [id_ for id_, count in ids.items() if count > 1] == []
    shown = [e.card_id for e in said if isinstance(e, CardShown)]
    assert {e.card_id for e in said if isinstance(e, CardWithdrawn)} <= set(shown)
    return said


def _latest(happening: Happening) -> int:
    return max(happening.at_ms, getattr(happening, "end_ms", 0), getattr(happening, "audio_ms", 0))


def test_nothing_is_said_of_a_call_that_has_only_begun() -> None:
    started = CallStarted(**HERE, at_ms=0, agent_id="7", caller_number="")
    assert not [e for e in _judged([started]) if isinstance(e, WarningRaised)]
