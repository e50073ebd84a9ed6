"""The board: who sees which call, what the wall counts, and what is forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.base import Event
from contracts.escalation import EscalationClosed
from contracts.feedback import FeedbackGiven
from services.desk.attempts import PER_ACCOUNT, WINDOW_S, Attempts
from services.desk.board import LOST_S, ON_WALL_S, SUMMARY_S, Board, is_quiet
from services.desk.masking import UNKNOWN, mask_number
from services.desk.risk import assess
from services.desk.strip import CELLS, strip
from services.desk.tally import Tally, midnight
from services.desk.wording import rule_source
from tests.connected.desk.story import Story
from tests.connected.desk.tales import pension
from tests.unit.desk.making import NOON, after, begun, stamped

pytestmark = pytest.mark.unit


def seconds(count: float) -> datetime:
    return NOON + timedelta(seconds=count)


def board_of(*stories: Story) -> Board:
    board = Board()
    for event in sorted((e for s in stories for e in stamped(s)), key=lambda e: e.wall_time):
        board.take(event)
    return board


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("19900000102", "199****0102"),
        ("+86 199 0000 0102", "199****0102"),
        ("07315550102", "073****0102"),
        ("5550102", "****102"),
        ("12333", "****"),
        ("anonymous", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_numbers_are_masked(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@given(st.text(max_size=32) | st.from_regex(r"\A\+?[0-9]{1,20}\Z"))
def test_at_least_four_digits_are_hidden(number: str) -> None:
    digits = sum(c.isascii() and c.isdigit() for c in number)
    assert sum(c.isdigit() for c in mask_number(number)) <= max(0, digits - 4)


def test_an_agent_sees_the_own_calls_and_the_newest_first() -> None:
    later = Story("main", "c2", "015", "19900000103")
    later.events = [(at + 5_000, event) for at, event in later.events]
    board = board_of(Story("main", "c1", "015"), later, Story("main", "c3", "008"))
    assert [view.call_id for view in board.of_agent("015", NOON)] == ["main-c2", "main-c1"]
    assert [view.call_id for view in board.of_agent("008", NOON)] == ["main-c3"]


def test_an_ended_call_stays_as_summary_until_the_next_begins() -> None:
    ended = Story("main", "c1").ends(10_000)
    assert [view.call_id for view in board_of(ended).of_agent("015", seconds(60))] == ["main-c1"]
    following = Story("main", "c2")
    following.events = [(at + 20_000, event) for at, event in following.events]
    own = board_of(ended, following).of_agent("015", seconds(60))
    assert [view.call_id for view in own] == ["main-c2"]


def test_ended_calls_leave_the_wall_unless_something_is_open() -> None:
    calm = Story("main", "calm", "001").ends(10_000)
    open_one = pension("main", "open", "002").ends(40_000)
    board = board_of(calm, open_one)

    def on_wall(now: datetime) -> set[str]:
        return {view.call_id.removeprefix("main-") for view in board.on_wall(now)}

    assert on_wall(seconds(10 + ON_WALL_S - 1)) == {"calm", "open"}
    assert on_wall(seconds(40 + ON_WALL_S + 60)) == {"open"}
    closed = EscalationClosed(
        **open_one.who, at_ms=33_200, escalation_id="e1", supervisor="b01", verdict="real"
    )
    board.take(closed.model_copy(update={"wall_time": seconds(90)}))
    assert on_wall(seconds(200)) == set()


def test_calls_are_forgotten() -> None:
    board = board_of(
        Story("main", "old", "001").ends(5_000),
        Story("main", "silent", "002"),
        Story("main", "never-started-here", "003"),
    )
    board.take(stamped(begun(call_id="headless", agent="004").typed(1_000, "咨询", 0.9))[1])
    assert is_quiet(board.of_agent("002", seconds(60))[0], seconds(60))
    board.forget(seconds(LOST_S + 10))
    assert len(board) == 1, "of the four, only the summary is still of use"
    board.forget(seconds(SUMMARY_S + 10))
    assert len(board) == 0


def test_the_figures() -> None:
    figures = board_of(pension("main"), Story("main", "c2", "008")).figures(seconds(60))
    assert (figures.live, figures.to_handle, figures.delay_p95_ms) == (2, 1, 900)


def test_risk_ranks_the_worst_on_top_and_says_why() -> None:
    calm = assess(after(begun().typed(1_000, "咨询", 0.9)))
    waiting = assess(after(begun().holds(1_000).progresses(2_000, 36_000)))
    angry = assess(after(pension("main")))
    red_line = assess(after(begun().escalated(1_000, "红线：人身安全", "", "", "red_line")))
    assert calm.rank < waiting.rank < angry.rank < red_line.rank
    assert [r.level for r in (calm, waiting, angry, red_line)] == ["calm", "amber", "red", "red"]
    assert (calm.why, waiting.why) == ("平稳", "等待 34 秒")


def test_a_false_report_takes_the_warning_out_of_the_reckoning() -> None:
    story = begun().forbidden(2_000, 500, 1_500, "急什么")
    wrong = FeedbackGiven(
        **story.who, at_ms=500, agent_id="015", target="warning", target_id="w1", verdict="wrong"
    )
    assert assess(after(story)).level == "red"
    assert assess(after(story.add(3_000, wrong))).level == "calm"


def test_the_strip_shows_who_spoke_when() -> None:
    story = begun().says("agent", 0, 3_900, "您好").says("caller", 4_000, 8_000, "喂")
    story.says("agent", 12_000, 14_000, "急什么").forbidden(15_000, 12_000, 14_000, "急什么")
    assert strip(after(story)) == "aacc..x."


@given(st.integers(1, 20_000_000))
def test_the_strip_never_outgrows_its_row(end: int) -> None:
    row = strip(after(begun().says("caller", 0, 1_000, "喂").ends(end)))
    assert 1 <= len(row) <= CELLS


def test_the_tally_counts_today_alone() -> None:
    zone = NOON.astimezone().tzinfo
    assert zone
    tally = Tally(zone)
    story = pension("main")
    yesterday = [
        event.model_copy(update={"wall_time": event.wall_time - timedelta(days=1), "call_id": "y"})
        for event in stamped(story)
    ]
    events: list[Event] = [*yesterday, *stamped(story), *stamped(story)]
    for event in events:
        tally.take(event)
    assert tally.counts(NOON) == (1, 1)
    assert tally.counts(NOON + timedelta(days=1)) == (0, 0)
    assert midnight(NOON, zone) <= NOON


def test_signing_in_has_to_wait_after_failures() -> None:
    attempts = Attempts()
    for second in range(PER_ACCOUNT):
        assert attempts.wait_s("li", "10.0.0.1", second) == 0
        attempts.begin("li", "10.0.0.1", second)
    assert attempts.wait_s("li", "10.0.0.2", PER_ACCOUNT) > 0
    assert attempts.wait_s("wang", "10.0.0.1", PER_ACCOUNT) == 0
    assert attempts.wait_s("li", "10.0.0.1", WINDOW_S + PER_ACCOUNT) == 0
    attempts.succeeded("li", "10.0.0.1")
    assert attempts.wait_s("li", "10.0.0.1", PER_ACCOUNT) == 0


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("A12(一)", "规范 A 第 12 条（一）"),
        ("A9(2)7", "规范 A 第 9 条（2）7"),
        ("E", "规范 E"),
        ("本站规定", "本站规定"),
        ("", ""),
    ],
)
def test_sources_are_named_for_people(source: str, text: str) -> None:
    assert rule_source(source) == text
