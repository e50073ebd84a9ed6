"""The agent's own ended calls: how long they are kept, what of them, and what the list says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.desk import shift_page
from services.desk.board import SUMMARY_S, Board
from services.desk.call_view import CallView
from services.desk.charges import has_open_appeal
from services.desk.pages import Pages
from services.desk.shift import MAX_OF_AGENT, SHIFT_S
from services.desk.tally import Tally
from tests.connected.desk.story import Story
from tests.connected.desk.tales import pension
from tests.unit.desk.making import NOON, after, folded, stamped

pytestmark = pytest.mark.unit


def seconds(count: float) -> datetime:
    return NOON + timedelta(seconds=count)


def told(board: Board, story: Story, later: float = 0) -> None:
    """The story's events, `later` seconds after noon; its start is told only once."""
    known = board.get(story.call_id) is not None
    for event in stamped(story)[known:]:
        board.take(
            event.model_copy(update={"wall_time": event.wall_time + timedelta(seconds=later)})
        )


def listed(board: Board, at: float) -> list[str]:
    return [view.call_id for view in board.ended_of("015", seconds(at))]


def on_wall(board: Board, at: float) -> list[str]:
    board.forget(seconds(at))
    return [view.call_id for view in board.on_wall(seconds(at))]


@pytest.fixture
def board() -> Board:
    """The first call is over, the next one live."""
    board = Board()
    told(board, pension("main").ends(40_000))
    told(board, Story("main", "c2"), 60)
    board.forget(seconds(5 * 3600 - 60))  # no page needs it any longer
    return board


def the_call(board: Board) -> CallView:
    view = board.get("main-c1")
    assert view
    return view


def test_while_the_next_call_is_live_the_last_keeps_its_score_but_no_words(board: Board) -> None:
    assert len(board) == 0, "on no page"
    assert listed(board, 5 * 3600) == ["main-c1"]
    view = the_call(board)
    assert (view.lines, view.speech, view.cards) == ((), (), ())
    [item] = shift_page.details(view)["score"]["deductions"]
    assert (item["words"], item["state"]) == ("这我怎么知道", "stands")
    told(board, Story("main").says("caller", 41_000, 42_000, "晚到的字幕"), 5 * 3600)
    assert the_call(board).lines == ()


def test_an_open_appeal_is_on_the_wall_until_decided_however_long(board: Board) -> None:
    told(board, Story("main").appealed(0, "请听录音"), 5 * 3600)
    days = 4 * 24 * 3600
    assert on_wall(board, days) == listed(board, days) == ["main-c1"]
    assert has_open_appeal(the_call(board))
    told(board, Story("main").decided(0, accepted=False), days)
    assert on_wall(board, days + 1) == []
    # The agent sees the decision for a shift.
    assert listed(board, days + SHIFT_S - 60) == ["main-c1"]
    board.forget(seconds(days + SHIFT_S + 60))
    assert listed(board, days + SHIFT_S + 60) == []
    assert board.get("main-c1") is None


def test_calls_of_the_shift_are_bounded_in_time_and_number() -> None:
    board = Board()
    for number in range(MAX_OF_AGENT + 3):
        told(board, Story("main", f"n{number:02}").ends(10_000), number * 60)
    board.forget(seconds(3 * 3600))
    newest = [f"main-n{number:02}" for number in range(MAX_OF_AGENT + 2, 2, -1)]
    assert listed(board, 3 * 3600) == newest
    board.forget(seconds(SHIFT_S + MAX_OF_AGENT * 60 + 300))
    assert (listed(board, 0), board.agents()) == ([], set())


def test_a_call_held_by_its_appeal_is_no_summary_for_ever() -> None:
    board = Board()
    told(board, pension("main").ends(40_000).appealed(45_000))
    assert len(board.of_agent("015", seconds(SUMMARY_S))) == 1
    changed = board.forget(seconds(5 * 3600))
    assert [view.call_id for view in changed] == ["main-c1"]
    assert board.of_agent("015", seconds(5 * 3600)) == []
    assert the_call(board).lines == ()


def test_what_is_read_again_never_replaces_what_is_known(board: Board) -> None:
    board.adopt(CallView("main-c1", agent_id="015", ended_at=NOON))
    assert the_call(board).score == 95
    story = pension("main", "old").ends(40_000).appealed(45_000)
    board.adopt(folded(stamped(story), CallView(story.call_id)))
    assert on_wall(board, 3 * 24 * 3600) == ["main-old"]


def test_a_row_says_what_became_of_the_appeal() -> None:
    story = pension("main").ends(40_000)

    def row(*names: str) -> Any:
        shown = shift_page.row(after(story))
        return tuple(shown[name] for name in names)

    assert row("call", "type", "number", "score") == ("c1", "投诉", "199****0102", 95)
    states = ("deductions", "open", "accepted", "refused")
    assert row(*states) == (1, 0, 0, 0)
    story.appealed(45_000)
    assert row(*states) == (1, 1, 0, 0)
    story.decided(50_000, accepted=True)
    assert row(*states) == (1, 0, 1, 0)
    story.scored(51_000, 100, 5, "申诉通过")
    assert row("score", *states) == (100, 0, 0, 1, 0)


def test_the_agents_page_is_told_of_ended_calls_as_they_change() -> None:
    zone = NOON.tzinfo
    assert zone
    pages = Pages(Board(), Tally(zone))
    for event in stamped(pension("main").ends(40_000)):
        pages.take(event, seconds(41))
    pages.open(seconds(41))
    messages: list[str] = []
    pages.agent("015").attach(messages.append, "", 0)
    [started] = stamped(Story("main", "c2"))
    pages.take(started.model_copy(update={"wall_time": seconds(60)}), seconds(60))
    pages.tick(seconds(90))
    [appeal] = stamped(Story("main").appealed(0))[1:]
    pages.take(appeal.model_copy(update={"wall_time": seconds(95)}), seconds(95))
    assert '"figures":{"ended":[{"call":"main-c1"' in messages[-1]
    assert '"open":1' in messages[-1]
    assert sum('"set"' in text for text in messages) == 1, "the live call alone is shown in full"
