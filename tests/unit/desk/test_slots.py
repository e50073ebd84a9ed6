"""At most one card a place, and which."""

from __future__ import annotations

import pytest

from contracts.base import Producer
from contracts.call import CallProgressed
from contracts.card import CardShown, CardWithdrawn
from contracts.feedback import FeedbackGiven
from contracts.warning import HoldEnded, WarningConfirmed, WarningRaised, WarningWithdrawn
from services.desk.call_view import CallView, ShownCard, StandingWarning
from services.desk.slots import ALARM_MS, YIELD_MS, placed
from tests.connected.desk.story import Story, pension
from tests.unit.desk.making import after, begun

pytestmark = pytest.mark.unit


def shown(view: CallView) -> dict[str, str | None]:
    ids: dict[str, str | None] = {}
    for slot, item in placed(view).items():
        if isinstance(item, ShownCard):
            ids[slot] = item.event.card_id
        else:
            ids[slot] = item.event.warning_id if isinstance(item, StandingWarning) else None
    return ids


def tick(story: Story, at: int) -> Story:
    return story.add(at, CallProgressed(**story.who, at_ms=at, audio_ms=at))


def test_each_place_has_its_own_card() -> None:
    assert shown(after(pension("main"))) == {"wrong": "w1", "answer": "k1", "moment": "m1"}


def test_a_newer_card_of_the_same_priority_takes_the_place() -> None:
    story = begun()
    story.answer(1_000, "", 0, 0, card_id="first").answer(2_000, "", 0, 0, card_id="second")
    assert shown(after(story))["answer"] == "second"


def test_a_higher_priority_keeps_its_place_for_a_while_but_not_for_ever() -> None:
    story = begun().answer(1_000, "", 0, 0, card_id="strong", priority=80)
    story.answer(2_000, "", 0, 0, card_id="weak", priority=40)
    assert shown(after(story))["answer"] == "strong"
    late = begun().answer(1_000, "", 0, 0, card_id="strong", priority=80)
    late.answer(1_500 + YIELD_MS, "", 0, 0, card_id="weak", priority=40)
    assert shown(after(late))["answer"] == "weak"


def test_a_card_leaves_at_its_audio_time_and_not_before() -> None:
    story = begun().advice(1_000, expires_ms=9_000)
    assert shown(after(tick(story, 8_900)))["moment"] == "m1"
    assert shown(after(tick(story, 9_100)))["moment"] is None


def test_a_withdrawn_card_leaves_and_may_come_again_under_its_id() -> None:
    story = begun().advice(1_000)
    gone = CardWithdrawn(
        **story.who, at_ms=2_000, by=Producer(name="t", version="1"), card_id="m1", reason="过去了"
    )
    story.add(2_000, gone)
    assert shown(after(story))["moment"] is None
    story.advice(3_000)
    assert shown(after(story))["moment"] == "m1"
    # The old withdrawal, delivered once more, is about the old card.
    story.add(4_000, gone)
    assert shown(after(story))["moment"] == "m1"


@pytest.mark.parametrize(
    ("verdict", "stays"), [("dismissed", False), ("wrong", False), ("useful", True)]
)
def test_what_the_agent_says_of_a_card(verdict: str, stays: bool) -> None:
    story = begun().answer(1_000, "", 0, 0)
    story.add(
        3_000,
        FeedbackGiven.model_validate(
            story.who
            | {
                "at_ms": 1_000,
                "agent_id": "015",
                "target": "card",
                "target_id": "k1",
                "verdict": verdict,
            }
        ),
    )
    assert shown(after(story))["answer"] == ("k1" if stays else None)


def test_a_card_made_from_a_warning_stands_in_its_stead() -> None:
    story = begun().forbidden(2_000, 500, 1_500, "这我怎么知道")
    warning = story.events[-1][1]
    story.add(
        2_100,
        CardShown(
            **story.who,
            at_ms=2_000,
            by=Producer(name="conduct", version="1"),
            derived_from=(warning.event_id,),
            card_id="better",
            slot="wrong",
            kind="better_wording",
            title="换个说法",
            body="我马上为您查。",
            why="",
            priority=10,
        ),
    )
    assert shown(after(story))["wrong"] == "better"


def warned(story: Story, at: int, **changes: object) -> Story:
    warning = WarningRaised(
        **story.who,
        at_ms=at,
        end_ms=at,
        due_ms=at,
        by=Producer(name="interruption", version="1"),
        warning_id="i1",
        kind="interruption",
        level="alarm",
        provisional=True,
        message="来电人还没有说完。",
    )
    return story.add(at, warning.model_copy(update=changes))


def test_a_provisional_warning_is_confirmed_or_goes_without_a_trace() -> None:
    by = Producer(name="interruption", version="1")
    story = warned(begun(), 1_000)
    assert not after(story).warnings[0].counts
    story.add(2_000, WarningConfirmed(**story.who, at_ms=1_000, by=by, warning_id="i1"))
    assert after(story).warnings[0].counts
    story.add(
        3_000, WarningWithdrawn(**story.who, at_ms=1_000, by=by, warning_id="i1", reason="应答")
    )
    assert shown(after(story))["wrong"] is None
    assert not after(story).warnings[0].counts


def test_warnings_leave_by_themselves() -> None:
    story = begun().forbidden(2_000, 500, 1_500, "急什么")
    assert shown(after(tick(story, 2_000 + ALARM_MS - 100)))["wrong"] == "w1"
    assert shown(after(tick(story, 2_000 + ALARM_MS)))["wrong"] is None
    # One about waiting leaves once the wait is over.
    wait = warned(begun().holds(1_000), 31_000, kind="hold_over_30s", provisional=False)
    assert shown(after(tick(wait, 33_000)))["wrong"] == "i1"
    wait.add(34_000, HoldEnded(**wait.who, at_ms=1_000, end_ms=34_000))
    assert shown(after(tick(wait, 39_000)))["wrong"] is None


def test_an_ended_call_shows_no_cards() -> None:
    assert set(shown(after(pension("main").ends(40_000))).values()) == {None}
