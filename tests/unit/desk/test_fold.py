"""The fold: what a call looks like after its events, in whatever order they come."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.base import MAX_MS, Event
from contracts.transcript import TranscriptFinal, TranscriptPartial
from contracts.warning import (
    HoldEnded,
    SilenceEnded,
    SilenceStarted,
    WarningConfirmed,
    WarningWithdrawn,
)
from services.desk import agent_page, wall_page
from services.desk.board import Board
from services.desk.call_view import CallView
from services.desk.trail import trail
from tests.connected.desk.story import ASR
from tests.connected.desk.tales import pension
from tests.unit.desk.making import NOON, after, begun, folded, stamped

pytestmark = pytest.mark.unit


def everything() -> list[Event]:
    story = pension("main").holds(36_000).progresses(36_500, 40_000)
    story.add(41_000, HoldEnded(**story.who, at_ms=36_000, end_ms=41_000))
    story.add(45_000, SilenceStarted(**story.who, at_ms=42_000, announced=False))
    story.add(46_000, SilenceEnded(**story.who, at_ms=42_000, end_ms=46_000))
    story.warned(46_500).warned(46_600, at_ms=46_550).warned(47_000, level="note", warning_id="n")
    said = {"by": ASR, "at_ms": 46_500, "warning_id": "i1"}
    story.add(47_000, WarningConfirmed.model_validate(story.who | said))
    story.add(47_100, WarningWithdrawn.model_validate(story.who | said | {"reason": ""}))
    story.warned(47_200, kind="missing_phrase", level="remind", phrase="restate", warning_id="m")
    story.recognised(47_300, "wants-a-leader", "对方要找领导", "找你们领导").wording(47_400)
    story.typed(47_500, "发泄", 0.6).turned(47_500, "投诉", "发泄", "没有人管").withdrawn(47_600)
    story.appealed(48_000, "在复述").decided(49_000, accepted=True)
    return stamped(story.scored(49_100, 100, 5, "申诉通过").ends(50_000))


EVERYTHING = everything()


def pages(view: CallView) -> str:
    sections = [agent_page.sections(view, quiet=False), wall_page.sections(view, quiet=True)]
    return json.dumps([*sections, [agent_page.line(line) for line in view.lines]])


def test_a_whole_call() -> None:
    view = after(pension("main"))
    assert (view.agent_id, view.number) == ("015", "199****0102")
    assert [line.role for line in view.lines[:3]] == ["agent", "caller", "agent"]
    assert [step.type for step in trail(view)] == ["求助", "投诉"]
    assert [(tick.name, tick.state) for tick in view.ticks][-1] == ("复述确认", "due")
    assert view.score == 95
    assert view.delay_ms == 900
    assert view.partials == ()


def test_words_that_mean_something_are_marked() -> None:
    view = after(pension("main"))
    marks = {
        mark.kind: line.text[mark.start : mark.end] for line in view.lines for mark in line.marks
    }
    assert marks == {
        "corrected": "养老保险",
        "asked": "这个转移到底要多久才能办好",
        "forbidden": "这我怎么知道",
        "turned": "我要投诉你们",
    }


def test_the_full_number_is_nowhere() -> None:
    view = after(pension("main"))
    assert "19900000102" not in repr(view) + pages(view)


def test_a_partial_is_replaced_by_its_final_and_never_comes_back() -> None:
    story = begun()
    partial = TranscriptPartial(
        **story.who, at_ms=1_000, end_ms=2_000, role="caller", text="我想问"
    )
    story.add(2_000, partial)
    assert [p.text for p in after(story).partials] == ["我想问"]
    story.says("caller", 1_000, 3_000, "我想问一下。")
    story.add(4_500, partial)  # overtaken on its way
    assert after(story).partials == ()


def test_an_utterance_without_words_is_no_line_and_waits_for_none() -> None:
    story = begun().says("caller", 1_000, 1_400, "")
    view = after(story)
    assert (view.lines, view.awaiting_ms) == ((), None)


def test_an_utterance_without_its_final_is_waited_for() -> None:
    story = begun().says("caller", 1_000, 3_000, "喂", delay=10_000)
    view = folded([event for event in stamped(story) if not isinstance(event, TranscriptFinal)])
    assert view.awaiting_ms == 3_000


def test_the_clock_goes_with_the_wall_and_is_set_by_progress() -> None:
    story = begun().progresses(3_000, 6_000)
    assert after(story).now_ms == 5_500
    # Audio that ran ahead of the wall (a fast replay) takes the clock with it.
    ahead = begun().says("caller", 60_000, 62_000, "快放")
    ahead.events = [(at // 10, event) for at, event in ahead.events]
    assert after(ahead).now_ms >= 62_000


@given(st.permutations(EVERYTHING), st.data())
def test_any_order_and_any_repetition_is_folded(events: list[Event], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(EVERYTHING), max_size=20))
    view = folded([*events, *again])
    assert json.loads(pages(view))


@given(st.lists(st.integers(0, len(EVERYTHING) - 1), max_size=15))
def test_events_seen_twice_change_nothing(repeated: list[int]) -> None:
    twice = [
        event for index, event in enumerate(EVERYTHING) for _ in range(1 + (index in repeated))
    ]
    assert pages(folded(twice)) == pages(folded(EVERYTHING))


@given(
    text=st.text(max_size=40),
    start=st.integers(0, MAX_MS),
    length=st.integers(-MAX_MS, MAX_MS),
    wall=st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30))
    | st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC)),
)
def test_times_and_texts_of_any_kind_are_folded(
    text: str, start: int, length: int, wall: datetime
) -> None:
    final = TranscriptFinal(
        call_id="c1",
        site="main",
        at_ms=start,
        end_ms=min(MAX_MS, max(0, start + length)),
        role="agent",
        text=text,
        heard=text,
        by=ASR,
        wall_time=wall,
    )
    board = Board()
    for event in [*EVERYTHING[:20], final, *EVERYTHING[20:]]:
        view = board.take(event)
    assert json.loads(pages(view))
    board.figures(NOON + timedelta(hours=1))
