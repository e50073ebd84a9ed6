"""What an import would do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.knowledge.entries.authority import Done, Life, take_in, withdraw
from services.knowledge.entries.entry import Entry
from services.knowledge.files.plan import (
    DRAFT,
    OWN_IMPORT,
    WITHDRAWN,
    Plan,
    excerpts,
    near_warnings,
    plan,
)
from services.knowledge.files.rows import Numbered, Rule, Taken, read_rows
from tests.unit.knowledge.bags import CARD_CITY, DAY, EARLY, TREE, WAGES

pytestmark = pytest.mark.unit

CITY = replace(CARD_CITY, authorised_by="李主任")
WAGE = replace(WAGES, authorised_by="李主任")


def life(entry: Entry, by: str = "张三") -> Life:
    done = take_in(Life(), entry, by=by, today=DAY)
    assert isinstance(done, Done)
    return done.life


def taken(*entries: Entry) -> Taken:
    rows = [Numbered(number, entry.row()) for number, entry in enumerate(entries, start=2)]
    return read_rows(rows, Rule(TREE))


def planned(*entries: Entry, by: str = "张三", **lives: Life) -> Plan:
    stand = {id_.replace("_", "-"): one for id_, one in lives.items()}
    return plan(taken(*entries), stand, by=by, today=DAY)


def test_new_changed_and_the_same() -> None:
    newer = replace(CITY, answer="到二楼补卡。", valid_to=date(2027, 1, 1))
    made = planned(newer, WAGE, EARLY, card_2=life(CITY), wage_1=life(WAGE))
    assert (made.added, made.changed, made.unchanged, made.bad) == (1, 1, 1, 0)
    assert [entry.id for entry in made.write] == ["card-2", "early-1"]
    change, addition = made.changes
    assert (change.line, change.act, change.changes) == (
        2,
        "change",
        (("answer", CITY.answer, "到二楼补卡。"), ("valid_to", "", "2027-01-01")),
    )
    assert (addition.line, addition.act, addition.question) == (4, "add", EARLY.question)


def test_who_imports_authorises_nothing_new_but_may_hand_back_what_stands() -> None:
    newer = replace(WAGE, answer="到三楼登记。")
    made = planned(CITY, newer, by=" 李 主任", card_2=life(CITY), wage_1=life(WAGE))
    assert (made.unchanged, made.changed) == (1, 0)
    assert [(p.line, p.field, p.message) for p in made.problems] == [
        (3, "authorised_by", OWN_IMPORT)
    ]


def test_what_was_taken_back_stays_so_and_what_waits_is_told() -> None:
    for becomes in ("absent", "transfer"):
        gone = withdraw(life(CITY), becomes, by="王五", today=DAY)
        assert isinstance(gone, Done)
        made = planned(CITY, card_2=gone.life)
        assert (made.write, made.changed, made.bad) == ([], 0, 1)
        assert [(p.line, p.field, p.message) for p in made.problems] == [(2, "id", WITHDRAWN)]
        # What is told to nobody may be described anew.
        no_answer = planned(replace(EARLY, id="card-2"), card_2=gone.life)
        assert no_answer.bad == (becomes == "absent")
    waits = replace(life(WAGE), draft=life(WAGE).current)
    made = planned(replace(WAGE, answer="新"), wage_1=waits)
    assert [(w.sort, w.why) for w in made.warnings] == [("draft", DRAFT)]


def test_each_pair_of_doubles_is_told_once_and_what_is_replaced_is_no_double() -> None:
    twin = replace(CITY, id="twin", question="社保卡丢失了怎么补办")
    file = taken(CITY, twin)
    made = plan(file, {"card-2": life(replace(CITY, answer="旧"))}, by="张三", today=DAY)
    warnings = near_warnings(made, file, [replace(CITY, answer="旧")], TREE)
    assert [(w.line, w.entry_id, w.other, w.sort) for w in warnings] == [
        (3, "twin", "card-2", "duplicate")
    ]


def test_of_long_texts_the_part_that_differs_is_shown() -> None:
    before, after = excerpts("一" * 200 + "甲" + "尾" * 100, "一" * 200 + "乙" + "尾" * 100)
    assert (len(before), len(after)) == (61, 61)
    assert (before[16], after[16]) == ("甲", "乙")
    assert excerpts("短", "更短") == ("短", "更短")
