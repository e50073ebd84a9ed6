"""Deductions and appeals: what the pages show of them, and how long they are kept."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from contracts.warning import WarningConfirmed, WarningWithdrawn
from services.desk import agent_page, wall_page
from services.desk.board import ON_WALL_S, Board
from services.desk.pages import Pages
from services.desk.tally import Tally
from tests.connected.desk.story import CONDUCT, Story
from tests.unit.desk.making import NOON, after, begun, stamped

pytestmark = pytest.mark.unit


def deducted() -> Story:
    return begun().scored(26_700, 95, -5, "对来电人说“这我怎么知道”", "这我怎么知道")


def deductions(story: Story) -> Any:
    return agent_page.sections(after(story), quiet=False)["score"]["deductions"]


def appeals(story: Story) -> Any:
    return wall_page.sections(after(story), quiet=False)["appeals"]


def test_a_deduction_has_its_evidence() -> None:
    [item] = deductions(deducted())
    assert (item["points"], item["words"], item["at"]) == (5, "这我怎么知道", 22_000)
    assert item["state"] == "stands"


def test_the_life_of_an_appeal() -> None:
    story = deducted()
    assert appeals(story) == []
    story.appealed(30_000, "我在复述来电人的话")
    [waiting] = appeals(story)
    assert (waiting["agent"], waiting["appeal"]) == ("015", "我在复述来电人的话")
    assert (waiting["words"], waiting["at"]) == ("这我怎么知道", 22_000)
    assert deductions(story)[0]["state"] == "appealed"
    story.decided(40_000, accepted=True, remark="确实是复述")
    assert (appeals(story), deductions(story)[0]["state"]) == ([], "accepted")
    story.scored(40_100, 100, 5, "申诉通过")
    [item] = deductions(story)
    assert (item["state"], item["remark"], after(story).score) == ("returned", "确实是复述", 100)


def test_a_refused_appeal_is_over_and_the_first_decision_holds() -> None:
    story = deducted().appealed(30_000).decided(31_000, accepted=False)
    story.decided(32_000, accepted=True, supervisor="b02").appealed(33_000, "再申诉")
    [item] = deductions(story)
    assert (item["state"], item["supervisor"], item["appeal"]) == ("confirmed", "b01", "")


def test_points_given_back_need_no_appeal_and_may_be_taken_again() -> None:
    story = deducted().scored(30_000, 100, 5, "误报")
    assert deductions(story)[0]["state"] == "returned"
    assert appeals(story.appealed(31_000)) == []
    story.scored(32_000, 95, -5, "确认")
    assert len(deductions(story)) == 1
    assert after(story).score == 95


def test_an_open_appeal_keeps_its_call_but_not_its_tile() -> None:
    zone = NOON.tzinfo
    assert zone
    story = deducted().ends(40_000).appealed(45_000)
    pages = Pages(Board(), Tally(zone))
    for event in stamped(story):
        pages.take(event, NOON)
    pages.open(NOON + timedelta(seconds=50))
    told: list[str] = []
    snapshot = json.loads(pages.wall.attach(told.append, "", 0)[-1])["calls"]
    assert snapshot[story.call_id]["set"]["tile"] is True
    pages.tick(NOON + timedelta(seconds=41 + ON_WALL_S))
    assert json.loads(told[0])["set"] == {"tile": False}
    pages.tick(NOON + timedelta(hours=8))
    assert len(pages.board) == 1
    [decision] = stamped(begun().decided(0, accepted=True))[1:]
    pages.take(decision, NOON + timedelta(hours=8))
    assert json.loads(told[1])["set"] == {"appeals": []}
    pages.tick(NOON + timedelta(hours=8, seconds=1))
    assert json.loads(told[2]).get("gone") == story.call_id
    assert len(pages.board) == 0


def test_the_tally_counts_what_is_certain_and_an_alarm() -> None:
    zone = NOON.tzinfo
    assert zone
    story = begun().forbidden(2_000, 500, 1_500, "急什么")
    [warning] = stamped(story)[1:]
    who = {**story.who, "at_ms": 500, "by": CONDUCT, "warning_id": "w1", "wall_time": NOON}

    def counted(*events: Any) -> int:
        tally = Tally(zone)
        for event in events:
            tally.take(event)
        return tally.counts(NOON)[0]

    unsure = warning.model_copy(update={"provisional": True})
    confirmed = WarningConfirmed.model_validate(who)
    withdrawn = WarningWithdrawn.model_validate(who | {"reason": ""})
    assert counted(warning) == 1
    assert counted(warning.model_copy(update={"level": "note"})) == 0
    assert counted(unsure) == counted(unsure, withdrawn, confirmed) == 0
    assert counted(unsure, confirmed) == counted(unsure, warning, confirmed) == 1
    assert counted(unsure, confirmed, withdrawn) == 0
