"""What kind of call it is becoming: its turns, what else it may be, and what is not known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.base import Event
from contracts.call_type import TypeConfidence
from services.desk import shift_page, type_page, wall_page
from services.desk.call_view import CallView
from services.desk.risk import assess
from services.desk.shift import brief
from services.desk.trail import trail
from tests.connected.desk.story import Story
from tests.connected.desk.tales import complains, turning
from tests.unit.desk.making import after, begun, folded, stamped

pytestmark = pytest.mark.unit

TWICE = stamped(complains(turning("main")))


def types(view: CallView) -> list[str]:
    return [step.type for step in trail(view)]


def test_before_anything_is_known_the_pages_say_so() -> None:
    told = type_page.call_type(after(begun()))
    assert (told["type"], told["intake"], told["trail"], told["words"]) == (None, None, [], [])
    unsure = begun().typed(1_000, None, 0.0, intake="业务咨询", evidence=())
    told = type_page.call_type(after(unsure))
    assert (told["type"], told["intake"], told["also"]) == (None, "业务咨询", None)


def test_the_trail_names_each_turn_its_time_and_its_words() -> None:
    told = type_page.call_type(folded(TWICE))
    assert [(s["type"], s["at"], s["words"]) for s in told["trail"]] == [
        ("求助", 0, ""),
        ("发泄", 12_000, "到底有没有人管事"),
        ("投诉", 26_000, "我现在就要投诉经办窗口"),
    ]
    assert (told["type"], told["confidence"], told["intake"]) == ("投诉", 78, "投诉")
    assert told["also"] == {"type": "发泄", "confidence": 17}
    assert told["words"] == ["我现在就要投诉"]
    assert told["turned"] == round(TWICE[0].wall_time.timestamp() * 1000) + 32_000


def test_an_assessment_that_corrects_an_earlier_one_is_no_turn() -> None:
    story = begun().typed(1_000, "咨询", 0.4).typed(5_000, "求助", 0.7, "咨询")
    assert types(after(story)) == []
    assert type_page.call_type(after(story))["type"] == "求助"


def corrected(kind: Any) -> Story:
    """Taken for a turn to 发泄, and seen otherwise at the next utterance."""
    story = begun().typed(1_000, "求助", 0.7)
    story.typed(5_000, "发泄", 0.6, "求助").turned(5_000, "求助", "发泄", "没有人管")
    return story.typed(9_000, kind, 0.8, "发泄")


def test_a_turn_that_was_mistaken_is_told_with_what_it_really_was() -> None:
    view = after(corrected("投诉"))
    assert types(view) == ["求助", "投诉"]
    assert [step.mistaken for step in trail(view)] == [None, "发泄"]
    [turn] = type_page.course(view)
    assert (turn["text"], turn["later"]) == ("求助 → 发泄", "投诉")
    # What comes after it goes on from there.
    assert types(after(corrected("投诉").turned(12_000, "投诉", "对抗"))) == [
        "求助",
        "投诉",
        "对抗",
    ]
    assert types(after(corrected("求助"))) == [], "it never turned"


def test_a_turn_counts_before_its_assessment_is_there_and_after_it_is_uncertain_again() -> None:
    story = begun().typed(1_000, "求助", 0.7).turned(5_000, "求助", "发泄", "没有人管")
    told = type_page.call_type(after(story))
    assert (told["type"], told["confidence"], told["words"]) == ("发泄", 80, ["没有人管"])
    told = type_page.call_type(after(story.typed(9_000, None, 0.0)))
    assert told["type"] is None
    assert [step["type"] for step in told["trail"]] == ["求助", "发泄"]


def test_a_second_type_is_named_only_when_it_is_worth_it() -> None:
    faint = (
        TypeConfidence(type="求助", confidence=0.8),
        TypeConfidence(type="哭诉", confidence=0.1),
    )
    story = begun().typed(1_000, "求助", 0.8, types=faint)
    assert type_page.call_type(after(story))["also"] is None


@given(st.permutations(TWICE), st.lists(st.sampled_from(TWICE), max_size=10))
def test_the_type_is_the_same_in_whatever_order_events_come(
    events: list[Event], again: list[Event]
) -> None:
    view = folded([*events, *again])
    assert type_page.call_type(view) == type_page.call_type(folded(TWICE))
    assert type_page.course(view) == type_page.course(folded(TWICE))


def test_turns_and_moments_stand_in_one_row() -> None:
    course = type_page.course(folded(TWICE))
    assert [(item["kind"], item["at"], item["text"]) for item in course] == [
        ("turn", 12_000, "求助 → 发泄"),
        ("moment", 20_000, "对方要找领导"),
        ("turn", 26_000, "发泄 → 投诉"),
    ]


def test_an_ended_call_of_the_shift_keeps_its_course_but_no_conversation() -> None:
    view = brief(folded(TWICE))
    assert shift_page.row(view)["type"] == "投诉"
    details = shift_page.details(view)
    assert len(details["type"]["trail"]) == len(details["course"]) == 3
    assert details["advice"] is None


def test_the_wall_ranks_a_call_that_turned_for_the_worse_higher_and_says_how() -> None:
    before, now = after(turning("main")), folded(TWICE)
    calm = after(begun().typed(1_000, "咨询", 0.9))
    assert assess(calm).rank < assess(before).rank <= assess(now).rank
    assert assess(now).why == "求助 → 发泄 → 投诉"
    assert wall_page.sections(now, quiet=False)["type"]["trail"]
    assert "19900000177" not in repr(wall_page.sections(now, quiet=False))
