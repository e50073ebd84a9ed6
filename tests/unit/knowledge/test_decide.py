"""What may be told: no combination of entries, regions and dates lets a wrong answer out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.knowledge.deciding.decide import Case, Judge, Ruling
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.ranking import Evidence
from tests.unit.knowledge.bags import (
    CARD,
    CARD_CITY,
    CARD_COUNTY,
    DAY,
    EARLY,
    TREE,
    WAGES,
    evidence_of,
)

pytestmark = pytest.mark.unit

QUESTIONS = ("社保卡丢了怎么补办", "拖欠工资怎么投诉", "公租房怎么申请", "几号开始供暖")


def evidence(*scores: float) -> Evidence:
    return evidence_of(scores)


def decide(entries: tuple[Entry, ...], scores: tuple[float, ...], region: str) -> list[Ruling]:
    return Judge(entries, TREE).rulings(evidence(*scores), Case(region, DAY))


days = st.one_of(st.none(), st.integers(-400, 400).map(lambda offset: DAY + timedelta(days=offset)))


@st.composite
def bases(draw: st.DrawFn) -> tuple[Entry, ...]:
    count = draw(st.integers(1, 12))
    return tuple(
        Entry(
            id=f"e{i}",
            question=draw(st.sampled_from(QUESTIONS)),
            answer=f"秘密答复之{i}号",
            department="某处",
            region=draw(st.sampled_from(["青川省", "临江市", "云岭县", "安平市"])),
            authorised=draw(st.booleans()),
            valid_from=draw(days),
            valid_to=draw(days),
            similar=tuple(draw(st.lists(st.sampled_from(["共同的说法", f"说法{i}"]), max_size=2))),
        )
        for i in range(count)
    )


@given(
    entries=bases(),
    scores=st.lists(st.floats(-0.2, 1.6), min_size=12, max_size=12),
    region=st.sampled_from([*TREE.parents, "别处"]),
    day=st.integers(-300, 300).map(lambda offset: DAY + timedelta(days=offset)),
)
def test_nothing_leaks(
    entries: tuple[Entry, ...], scores: list[float], region: str, day: date
) -> None:
    chain = TREE.chain(region)
    by_id = {entry.id: entry for entry in entries}
    found = Judge(entries, TREE).rulings(evidence(*scores[: len(entries)]), Case(region, day))
    for ruling in found:
        entry = by_id[ruling.source.entry_id]
        assert entry.valid_on(day)
        assert entry.region in chain
        assert (ruling.kind == "answer") == entry.authorised
        assert ruling.answer == (entry.answer if entry.authorised else None)
        others = [e.answer for e in entries if e.id != entry.id or not e.authorised]
        assert not any(answer in repr(ruling) for answer in others)
        nearer = chain[: chain.index(entry.region)]
        same = [e for e in entries if e.question == entry.question and e.valid_on(day)]
        assert not [e for e in same if e.region in nearer]
        if ruling.kind == "answer":
            assert all(e.authorised for e in same if e.region == entry.region)


@given(entries=bases(), scores=st.lists(st.floats(-0.2, 1.6), min_size=12, max_size=12))
def test_expired_and_future_entries_are_as_if_absent(
    entries: tuple[Entry, ...], scores: list[float]
) -> None:
    present = [(e, s) for e, s in zip(entries, scores, strict=False) if e.valid_on(DAY)]
    with_all = decide(entries, tuple(scores[: len(entries)]), "云岭县")
    without = decide(tuple(e for e, _ in present), tuple(s for _, s in present), "云岭县")
    assert [(r.kind, r.source, r.answer) for r in with_all] == [
        (r.kind, r.source, r.answer) for r in without
    ]
    # They only can make it less sure that something else was meant.
    assert all(a.confidence <= b.confidence for a, b in zip(with_all, without, strict=True))


def test_a_question_that_means_what_is_expired_is_not_answered_with_something_else() -> None:
    expired = replace(EARLY, id="old", valid_to=date(2025, 12, 31))
    (sure,) = decide((WAGES,), (0.6,), "临江市")
    (unsure,) = decide((WAGES, expired), (0.6, 0.9), "临江市")
    assert sure.confidence > 0.9
    assert unsure.confidence < 0.5


def test_an_expired_version_does_not_stand_in_the_way_of_the_present_one() -> None:
    expired = replace(WAGES, id="old", valid_to=date(2025, 12, 31))
    (ruling,) = decide((WAGES, expired), (0.6, 0.9), "临江市")
    assert (ruling.source.entry_id, ruling.confidence > 0.9) == ("wage-1", True)


@pytest.mark.parametrize(
    ("region", "entry", "kind"),
    [
        ("青川省", "card-1", "answer"),
        ("临江市", "card-2", "answer"),
        ("云岭县", "card-3", "transfer"),
        ("安平市", "card-1", "answer"),
    ],
)
def test_the_nearest_region_decides(region: str, entry: str, kind: str) -> None:
    # However the scores are: what was matched is not what decides.
    found = decide((CARD, CARD_CITY, CARD_COUNTY), (0.9, 0.3, 0.1), region)
    assert [(r.source.entry_id, r.kind) for r in found] == [(entry, kind)]


def test_a_differently_worded_entry_of_a_nearer_region_decides() -> None:
    county = replace(CARD_COUNTY, question="云岭县社保卡丢了怎么补办理", similar=())
    other = replace(CARD_COUNTY, id="x", question="公租房怎么申请", similar=())
    found = decide((CARD, county, other), (0.9, 0.2, 0.1), "云岭县")
    assert (found[0].source.entry_id, found[0].kind) == ("card-3", "transfer")


def test_a_shared_wording_makes_one_matter() -> None:
    county = replace(CARD_COUNTY, question="补领社会保障卡", similar=("社保卡不见了",))
    assert decide((CARD, county), (0.9, 0.1), "云岭县")[0].kind == "transfer"


def test_two_questions_of_one_region_are_two_matters() -> None:
    amount = replace(WAGES, id="wage-2", question="拖欠工资怎么投诉快", authorised=False)
    found = decide((WAGES, amount), (0.9, 0.8), "临江市")
    assert [r.kind for r in found] == ["answer", "transfer"]


def test_of_two_entries_with_one_question_in_one_region_the_cautious_one_decides() -> None:
    draft = replace(WAGES, id="wage-2", authorised=False)
    assert [r.kind for r in decide((WAGES, draft), (0.9, 0.1), "临江市")] == ["transfer"]


def test_of_two_authorised_ones_the_newer_decides() -> None:
    newer = replace(WAGES, id="wage-0", answer="新的答复", valid_from=date(2026, 1, 1))
    assert decide((WAGES, newer), (0.9, 0.1), "临江市")[0].answer == "新的答复"


def test_entries_below_and_beside_the_caller_do_not_apply() -> None:
    assert decide((CARD_COUNTY, WAGES), (0.9, 0.9), "青川省") == []
    assert decide((WAGES,), (0.9,), "安平市") == []


def test_a_transfer_names_who_answers_and_holds_no_answer() -> None:
    (ruling,) = decide((EARLY,), (0.9,), "临江市")
    assert (ruling.source.department, ruling.source.liaison) == ("养老保险处", "沈同志")
    assert EARLY.answer not in repr(ruling)


def test_confidence_falls_with_a_rival_with_talk_and_with_other_questions() -> None:
    plain = evidence_of((0.8,))
    sure = plain.confidence(0, 0.8, (0.2,))
    assert sure > 0.9
    assert plain.confidence(0, 0.8, (0.2, 0.75)) < sure
    assert evidence_of((0.8,), talk=0.7).confidence(0, 0.8, (0.2,)) < sure
    assert evidence_of((0.8,), other=0.7).confidence(0, 0.8, (0.2,)) < sure
    assert plain.confidence(0, 0.2, (0.15,)) < 0.5
