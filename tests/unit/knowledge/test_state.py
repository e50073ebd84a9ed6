"""States: any sequence of changes says what a state made at once would say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.knowledge.deciding.decide import Case
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.background import Vectors, read_background
from services.knowledge.finding.points import points, points_of
from services.knowledge.finding.state import State
from tests.unit.knowledge.bags import CARD, DAY, ENTRIES, TREE, WAGES, vector

pytestmark = pytest.mark.unit

BACKGROUND = read_background()
QUESTIONS = ("社保卡丢了怎么补办", "拖欠工资怎么投诉", "井下干活能不能提前退休", "老板不发工钱")
ASKED = ("我那个射宝卡丢了怎么补办", "拖欠工资怎么投诉呀", "井下干了多年")


def raw(text: str) -> Vectors:
    return np.asarray(vector(text), dtype=np.float32)


LINES = {point.id: raw(point.text) for point in points((), BACKGROUND)}

entries = st.builds(
    lambda number, question, region, authorised, similar: Entry(
        id=f"e{number}",
        question=question,
        answer=f"答复之{number}号，{question}",
        department="某处",
        region=region,
        authorised=authorised,
        similar=similar,
    ),
    st.integers(0, 8),
    st.sampled_from(QUESTIONS),
    st.sampled_from(list(TREE.parents)),
    st.booleans(),
    st.lists(st.sampled_from(QUESTIONS), max_size=2, unique=True).map(tuple),
)


def with_vectors(state: State) -> State:
    """The state, knowing the vectors of every second entry."""
    known = {
        point.id: raw(point.text)
        for entry in state.entries
        if int(entry.id[1:]) % 2
        for point in points_of(entry)
    }
    return state.learned(known)


def said(state: State) -> list[object]:
    """What it answers to some questions, with and without vectors."""
    told: list[object] = []
    for text in ASKED:
        mended = state.mend(text)
        query = raw(mended)
        nearest = {
            point.id: float(raw(point.text) @ query)
            for entry in state.entries
            if int(entry.id[1:]) % 2
            for point in points_of(entry)
        }
        for evidence in (state.evidence(mended), state.evidence(mended, query, nearest)):
            rulings = state.judge.rulings(evidence, Case("云岭县", DAY))
            told.append(mended)
            told += [
                (r.kind, r.source.entry_id, r.answer, round(r.score, 6), round(r.confidence, 6))
                for r in rulings
            ]
            told.append((round(evidence.talk, 6), round(evidence.other, 6)))
    return told


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sets(st.integers(0, 8)), st.lists(entries, max_size=5)), max_size=5))
def test_any_sequence_of_changes_answers_as_a_state_made_at_once(
    changes: list[tuple[set[int], list[Entry]]],
) -> None:
    state = State(TREE, BACKGROUND).learned(LINES)
    there: dict[str, Entry] = {}
    for gone, coming in changes:
        new = {entry.id: entry for entry in coming}
        ids = {f"e{number}" for number in gone} | new.keys()
        state = with_vectors(state.changed(ids, new.values()))
        there = {id_: e for id_, e in there.items() if id_ not in ids} | new
    fresh = State(TREE, BACKGROUND).changed(there, there.values())
    fresh = with_vectors(fresh.learned(LINES))
    assert {e.id: e for e in state.entries} == there
    assert state.point_ids() == fresh.point_ids()
    assert said(state) == said(fresh)


def test_meaning_counts_from_the_background_on_and_what_has_no_vector_goes_by_its_words() -> None:
    words = State(TREE, BACKGROUND).changed([e.id for e in ENTRIES], ENTRIES)
    assert not words.by_meaning
    first, *rest = LINES
    assert not words.learned({id_: LINES[id_] for id_ in rest}).by_meaning
    state = words.learned(LINES)
    assert state.by_meaning
    text, query = "老板拖欠了三个月", raw(BACKGROUND.talk[0])
    near = {first: 1.0}
    evidence = state.evidence(text, query, near)
    assert evidence.talk == pytest.approx(1.0)
    assert np.isfinite(evidence.scores).all()
    assert words.evidence(text, query, near).talk < 0.9
    known = points_of(WAGES)[0]
    near[known.id] = 0.9
    knowing = state.learned({known.id: raw(known.text)})
    more = knowing.evidence(text, query, near).scores - evidence.scores
    assert (more != 0).tolist() == [entry is WAGES for entry in ENTRIES]
    assert not knowing.without_vectors().by_meaning


def test_who_asks_an_older_state_is_answered_by_it() -> None:
    old = State(TREE, BACKGROUND).changed([e.id for e in ENTRIES], ENTRIES)
    before = said_of(old)
    new = old.changed([CARD.id], [replace(CARD, answer="新的。")])
    newest = new.changed([e.id for e in ENTRIES], [])
    assert said_of(old) == before
    assert before[0] == ("answer", CARD.answer)
    assert said_of(new)[0] == ("answer", "新的。")
    assert said_of(newest) == []
    assert (old.writings(CARD.id), newest.writings(CARD.id)) == ([CARD], [])
    assert old.point_ids() != newest.point_ids()


def said_of(state: State) -> list[tuple[str, str | None]]:
    evidence = state.evidence(CARD.question)
    return [(r.kind, r.answer) for r in state.judge.rulings(evidence, Case("青川省", DAY))]


def test_an_entry_with_a_successor_is_two_writings_of_which_one_counts() -> None:
    from datetime import timedelta

    now = replace(CARD, revision=1, superseded=DAY + timedelta(days=1))
    later = replace(CARD, revision=2, answer="下月起的。", takes_effect=DAY + timedelta(days=1))
    state = State(TREE, BACKGROUND).changed([CARD.id], [now, later])
    assert state.writings(CARD.id) == [now, later]
    evidence = state.evidence(CARD.question)
    today, tomorrow = (
        state.judge.rulings(evidence, Case("青川省", DAY + timedelta(days=n)))[0].answer
        for n in (0, 1)
    )
    assert (today, tomorrow) == (CARD.answer, "下月起的。")
