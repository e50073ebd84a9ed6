"""No event of a call ever holds an answer that may not be given."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.card import CardShown
from services.knowledge.deciding.decide import Case, Judge
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.asking import Found
from services.knowledge.on_calls.call import Said
from services.knowledge.on_calls.cards import cards, gap, outdated, withdrawal
from tests.unit.knowledge.bags import DAY, TREE, evidence_of

pytestmark = pytest.mark.unit

SAID = (Said("怎么办", 0, 1000, "e1"),)
days = st.none() | st.integers(-40, 40).map(lambda n: DAY + timedelta(n))


@st.composite
def bases(draw: st.DrawFn) -> list[Entry]:
    """Entries of few questions and all regions; each answer is told apart from all others."""
    return [
        Entry(
            id=f"e{number}",
            question=draw(st.sampled_from(["社保卡怎么补办", "工资拖欠找谁", "退休要什么材料"])),
            answer=f"答复甲{number}乙，请先到人民路{number}号，再拨0599-555-11{number:02d}。",
            department="某处",
            region=draw(st.sampled_from(sorted(TREE.parents))),
            authorised=draw(st.booleans()),
            confidential=draw(st.booleans()),
            valid_from=draw(days),
            valid_to=draw(days),
        )
        for number in range(10, 10 + draw(st.integers(1, 7)))
    ]


def may_be_told(entry: Entry, region: str, day: date) -> bool:
    return entry.answerable and entry.valid_on(day) and entry.region in TREE.chain(region)


@given(bases(), st.sampled_from(sorted(TREE.parents)), st.data())
def test_no_event_holds_what_may_not_be_told(
    entries: list[Entry], region: str, data: st.DataObject
) -> None:
    scores = data.draw(
        st.lists(st.floats(0, 1), min_size=len(entries), max_size=len(entries)), "scores"
    )
    evidence = evidence_of(scores)
    rulings = Judge(entries, TREE).rulings(evidence, Case(region, DAY))
    shown: CardShown | None = None
    text = gap("c1", "main", region, SAID[0]).model_dump_json()
    for ruling in rulings:
        found = Found(ruling, tuple(r for r in rulings if r is not ruling)[:2], 1)
        for event in cards("c1", "main", found, SAID, shown, DAY):
            text += event.model_dump_json()
            shown = event if isinstance(event, CardShown) else None
        if shown is not None:
            now = data.draw(st.sampled_from(entries), "what the entry is now")
            reason = outdated(shown, now, DAY) or ""
            text += withdrawal(shown, SAID, reason, 9).model_dump_json()
    for entry in entries:
        if not may_be_told(entry, region, DAY):
            assert entry.answer[:5] not in text
            assert entry.answer[-13:] not in text
