"""The life of an entry: whatever is tried by whomever, an answer counts by two people's will."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.knowledge.entries import authority
from services.knowledge.entries.authority import Done, Life, Reason, Refused, folded
from services.knowledge.entries.entry import Entry
from services.knowledge.entries.refusals import SAID

pytestmark = pytest.mark.unit

DAY = date(2026, 6, 1)
NEXT = date(2026, 7, 1)
ENTRY = Entry("e", "社保卡丢了怎么补办", "带身份证。", "社保中心", "临江市", authorised=False)


def drafted(life: Life, by: str = "甲", entry: Entry = ENTRY) -> Life:
    done = authority.draft(life, entry, seen=life.newest, by=by)
    assert isinstance(done, Done)
    return done.life


def decided(life: Life, by: str = "乙", from_day: date | None = None, today: date = DAY) -> Life:
    done = authority.decide(life, "answer", seen=life.newest, by=by, today=today, from_day=from_day)
    assert isinstance(done, Done)
    return done.life


def refused(done: Done | Refused | None) -> Reason:
    assert isinstance(done, Refused)
    return done.reason


def test_a_draft_counts_for_nothing_until_another_person_decides() -> None:
    waiting = drafted(Life())
    assert waiting.entries == ()
    assert waiting.standing(DAY) == "draft"
    decide = authority.decide
    assert refused(decide(waiting, "answer", seen=1, by=" 甲 ", today=DAY)) == "own_draft"
    assert refused(decide(waiting, "transfer", seen=1, by="甲", today=DAY)) == "own_draft"
    assert refused(decide(waiting, "refused", seen=1, by="甲", today=DAY)) == "own_draft"
    (entry,) = decided(waiting).entries
    assert (entry.authorised, entry.authorised_by, entry.authorised_at) == (True, "乙", DAY)


@pytest.mark.parametrize(
    "name",
    [
        "Li.Ming",
        "li.ming",
        " LI.MING\u200b",
        "Ｌｉ．Ｍｉｎｇ",
        "li. ming",
        "li.\u3164ming\ufe0f\u2800",
    ],
)
def test_who_writes_his_name_differently_is_the_same_person(name: str) -> None:
    waiting = drafted(Life(), by="li.ming")
    done = authority.decide(waiting, "answer", seen=1, by=name, today=DAY)
    assert refused(done) == "own_draft"


def test_nobody_decides_on_what_he_has_not_seen() -> None:
    life = drafted(drafted(Life(), by="甲"), by="丙")
    assert refused(authority.decide(life, "answer", seen=1, by="乙", today=DAY)) == "stale"
    assert refused(authority.draft(life, ENTRY, seen=1, by="乙")) == "stale"
    assert refused(authority.discard(life, seen=2, by="甲")) == "not_own"
    assert refused(authority.decide(decided(life), "answer", seen=2, by="丁", today=DAY)) == (
        "no_draft"
    )


def test_what_is_scheduled_follows_on_its_day_and_not_before() -> None:
    life = decided(drafted(decided(drafted(Life()))), from_day=NEXT)
    before, after = life.entries
    assert before.superseded == after.takes_effect == NEXT
    last = NEXT - timedelta(days=1)
    assert (before.valid_on(last), after.valid_on(last)) == (True, False)
    assert (before.valid_on(NEXT), after.valid_on(NEXT)) == (False, True)
    # A correction meanwhile counts until then.
    corrected = decided(drafted(life))
    assert [entry.revision for entry in corrected.entries] == [3, 2]
    # And on the day, what was scheduled is the current one.
    assert [entry.revision for entry in corrected.on(NEXT).entries] == [2]


def test_decisions_that_could_never_count_are_refused() -> None:
    def decide(entry: Entry, from_day: date | None = None) -> Done | Refused:
        waiting = drafted(Life(), entry=entry)
        return authority.decide(waiting, "answer", seen=1, by="乙", today=DAY, from_day=from_day)

    assert refused(decide(replace(ENTRY, answer=""))) == "no_answer"
    assert refused(decide(replace(ENTRY, confidential=True))) == "confidential"
    assert refused(decide(ENTRY, DAY - timedelta(days=1))) == "past"
    assert refused(decide(replace(ENTRY, valid_to=DAY), NEXT)) == "never_valid"
    ends_first = replace(ENTRY, valid_from=NEXT, valid_to=DAY)
    assert refused(authority.draft(Life(), ends_first, seen=0, by="甲")) == "backwards"


def test_one_person_takes_back_all_that_counts_or_will() -> None:
    life = drafted(decided(drafted(decided(drafted(Life()))), from_day=NEXT))
    for becomes, standing in (("transfer", "transfer"), ("absent", "withdrawn")):
        done = authority.withdraw(life, becomes, by="甲", today=DAY)  # type: ignore[arg-type]
        assert isinstance(done, Done)
        assert done.life.draft is None
        assert done.life.standing(DAY) == done.life.standing(NEXT) == standing
        assert not any(entry.authorised for entry in done.life.entries)
        # The draft of before cannot bring it back, nor can who saw it before.
        assert refused(authority.decide(done.life, "answer", seen=3, by="乙", today=DAY)) == (
            "no_draft"
        )
        again = authority.withdraw(done.life, becomes, by="甲", today=DAY)  # type: ignore[arg-type]
        assert refused(again) == "already"
        assert decided(drafted(done.life)).standing(DAY) == "answer"
    assert refused(authority.withdraw(drafted(Life()), "absent", by="甲", today=DAY)) == (
        "nothing_decided"
    )


def test_an_import_names_another_person_for_every_answer() -> None:
    def take_in(entry: Entry, by: str = "甲") -> Done | Refused | None:
        return authority.take_in(Life(), entry, by=by, today=DAY)

    answer = replace(ENTRY, authorised=True)
    assert refused(take_in(answer)) == "unnamed"
    assert refused(take_in(replace(answer, authorised_by="甲 "))) == "own_import"
    assert refused(take_in(replace(answer, authorised_by="乙", confidential=True))) == (
        "confidential"
    )
    assert refused(take_in(replace(ENTRY, id="office-7-phone"))) == "reserved"
    done = take_in(replace(answer, authorised_by="乙"))
    assert isinstance(done, Done)
    # What counts already is no change, whoever brings it.
    same = replace(answer, authorised_by="乙")
    assert authority.take_in(done.life, same, by="乙", today=DAY) is None
    # A file replaces what counts, not what was scheduled; a draft over the old text is put away.
    life = drafted(decided(drafted(done.life), by="丙", from_day=NEXT))
    newer = authority.take_in(life, replace(same, answer="新的。"), by="丁", today=DAY)
    assert isinstance(newer, Done)
    assert newer.life.draft is None
    assert [entry.answer for entry in newer.life.entries] == ["新的。", ENTRY.answer]


def test_every_refusal_is_said_in_words() -> None:
    assert set(SAID) == set(get_args(Reason))


Act = Callable[[Life, date], Done | Refused | None]
PEOPLE = st.sampled_from(["甲", "乙", " 甲", "Li", "li ", "ＬＩ"])
DAYS = st.integers(-2, 12).map(lambda n: DAY + timedelta(days=n))
SOME_DAY = st.none() | DAYS
CONTENT = st.builds(
    lambda first, last, confidential, answer: replace(
        ENTRY, valid_from=first, valid_to=last, confidential=confidential, answer=answer
    ),
    SOME_DAY,
    SOME_DAY,
    st.booleans(),
    st.sampled_from(["", "带身份证。", "线上办。"]),
)
# Mostly what was seen is the newest: who looks again acts.
BEHIND = st.sampled_from([0, 0, 0, 0, 1])
DECISION: st.SearchStrategy[Literal["answer", "transfer", "refused"]] = st.sampled_from(
    ["answer", "answer", "transfer", "refused"]
)
BECOMES: st.SearchStrategy[Literal["transfer", "absent"]] = st.sampled_from(["transfer", "absent"])
ACTS: st.SearchStrategy[Act] = st.one_of(
    st.builds(
        lambda e, by, n: lambda life, _: authority.draft(life, e, seen=life.newest - n, by=by),
        CONTENT,
        PEOPLE,
        BEHIND,
    ),
    st.builds(
        lambda d, by, n, day: (
            lambda life, today: authority.decide(
                life, d, seen=life.newest - n, by=by, today=today, from_day=day
            )
        ),
        DECISION,
        PEOPLE,
        BEHIND,
        SOME_DAY,
    ),
    st.builds(
        lambda by, n: lambda life, _: authority.discard(life, seen=life.newest - n, by=by),
        PEOPLE,
        BEHIND,
    ),
    st.builds(
        lambda b, by: lambda life, today: authority.withdraw(life, b, by=by, today=today),
        BECOMES,
        PEOPLE,
    ),
    st.builds(
        lambda e, by, who: (
            lambda life, today: authority.take_in(
                life, replace(e, authorised=who is not None, authorised_by=who), by=by, today=today
            )
        ),
        CONTENT,
        PEOPLE,
        st.none() | PEOPLE,
    ),
)
STORY = st.lists(st.tuples(ACTS, st.integers(0, 3)), max_size=14)


@settings(max_examples=400, deadline=None)
@given(STORY)
def test_no_story_gives_an_answer_on_one_persons_word(story: list[tuple[Act, int]]) -> None:
    life, today = Life(), DAY
    taken_back = 0
    for act, later in story:
        today += timedelta(days=later)
        done = act(life, today)
        if not isinstance(done, Done):
            continue
        life = done.life
        if done.act == "withdrawn":
            taken_back = done.concerns.revision
        assert life.newest >= done.concerns.revision
        assert life.draft is None or life.draft.revision == life.newest
        for writing in life.open:
            entry = writing.entry
            assert not entry.authorised or writing.state == "answer"
            assert not (entry.authorised and entry.confidential)
            if writing.state == "answer":
                assert folded(writing.drafted_by) != folded(writing.decided_by or "")
                assert entry.authorised_by == writing.decided_by
        for n in range(-3, 16):
            day = today + timedelta(days=n)
            counting = [entry for entry in life.entries if entry.valid_on(day)]
            assert len(counting) <= 1
            # What was taken back does not return; what was written later may count.
            assert all(e.revision > taken_back for e in counting if e.answerable)
            assert (life.standing(today) == "answer") <= any(
                entry.answerable and entry.valid_on(today) for entry in life.entries
            )
