"""The whole chain, from what people do to entries to what is told: whatever they try, in whatever
order, on whatever day, no answer is told that two people have not brought, for today and here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.knowledge.deciding.decide import Case
from services.knowledge.entries import authority
from services.knowledge.entries.authority import Done, Life, Refused
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.background import Background
from services.knowledge.finding.state import State
from tests.unit.knowledge.bags import DAY, TREE

pytestmark = pytest.mark.unit

QUESTIONS = ("社保卡丢了怎么补办", "拖欠工资怎么投诉")
IDS = ("e1", "e2")
PEOPLE = {"甲": "甲", " 甲": "甲", "li": "li", "LI ": "li", "ｌｉ": "li", "丙": "丙"}
"""A name as it is written → the person."""
TALK = Background(
    talk=tuple(f"嗯嗯好的{n}" for n in range(10)),
    matters=tuple(f"别的事情{n}怎么问" for n in range(10)),
)
LONG_AGO, NEVER = date(2000, 1, 1), date(2100, 1, 1)

names = st.sampled_from(sorted(PEOPLE))
# Mostly what brings answers that could be told wrongly: else nothing is ever told, and nothing is
# proven.
days = st.integers(-2, 7).map(lambda n: DAY + timedelta(n))
some_day = st.sampled_from([False] * 4 + [True]).flatmap(lambda yes: days if yes else st.none())
regions = st.sampled_from(["青川省", "临江市", "云岭县", "云岭县", "安平市"])
contents = st.builds(
    lambda question, region, first, last, confidential: Entry(
        id="",
        question=question,
        answer="",
        department="某处",
        region=region,
        authorised=False,
        valid_from=first,
        valid_to=last,
        confidential=confidential,
    ),
    st.sampled_from([*QUESTIONS, QUESTIONS[0], QUESTIONS[0]]),
    regions,
    some_day,
    some_day,
    st.sampled_from([False] * 6 + [True]),
)


@dataclass(frozen=True, slots=True)
class Try:
    """What somebody tries with an entry."""

    act: Literal["bring", "back", "draft", "decide", "discard", "withdraw", "import"]
    id: str
    by: str
    other: str
    content: Entry
    decision: Literal["answer", "transfer", "refused"]
    becomes: Literal["transfer", "absent"]
    from_day: date | None
    again: int
    """Brings an answer of before once more, where it is that far back; 0 = a new one."""
    later: int
    """Days that go by first."""


DECISIONS: tuple[Literal["answer", "transfer", "refused"], ...] = (
    *("answer",) * 4,
    "transfer",
    "refused",
)
ACTS: tuple[Literal["bring", "back", "draft", "decide", "discard", "withdraw", "import"], ...] = (
    "bring",
    "bring",
    "bring",
    "draft",
    "decide",
    "discard",
    "withdraw",
    "import",
    "back",
)
tries = st.builds(
    Try,
    act=st.sampled_from(ACTS),
    id=st.sampled_from(IDS),
    by=names,
    other=names,
    content=contents,
    decision=st.sampled_from(DECISIONS),
    becomes=st.sampled_from(["transfer", "absent"]),
    from_day=some_day | st.just(DAY + timedelta(5)),
    again=st.integers(0, 3),
    later=st.sampled_from([0, 0, 0, 0, 1, 3]),
)


@dataclass(slots=True)
class Text:
    """What is known of one answer text, taken down beside the code that is tried."""

    entry: Entry
    drafted_by: str
    authorised_by: str | None = None
    counts_from: date = NEVER
    withdrawn: bool = False


@dataclass(slots=True)
class World:
    """Entries, the state that is searched, and an own book of who did what."""

    lives: dict[str, Life] = field(default_factory=lambda: {id_: Life() for id_ in IDS})
    state: State = field(default_factory=lambda: State(TREE, TALK))
    texts: dict[str, Text] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    """Id → answer of its draft."""
    counting: dict[str, list[tuple[date, Entry, bool]]] = field(
        default_factory=lambda: {id_: [] for id_ in IDS}
    )
    """Id → what was decided: from which day, what, and whether it may be told."""

    def tried(self, move: Try, today: date) -> None:
        if move.act == "bring":
            self.drafted(move)
            self.decided(replace(move, by=move.other), today)
        elif move.act == "back":
            # What was withdrawn, by its old file; perhaps while a new draft is set for a day.
            self.withdrawn(move, today)
            if move.from_day:
                self.tried(replace(move, act="bring"), today)
            self.imported(replace(move, again=2 if move.from_day else 1), today)
        else:
            getattr(self, _METHODS[move.act])(move, today)

    def drafted(self, move: Try, _: date = DAY) -> None:
        entry, life = self.written(move), self.lives[move.id]
        done = authority.draft(life, entry, seen=life.newest, by=move.by)
        if self.took(move.id, done):
            self.texts[entry.answer] = Text(entry, PEOPLE[move.by])
            self.waiting[move.id] = entry.answer

    def decided(self, move: Try, today: date) -> None:
        life = self.lives[move.id]
        done = authority.decide(
            life,
            move.decision,
            seen=life.newest,
            by=move.by,
            today=today,
            from_day=move.from_day,
        )
        if not self.took(move.id, done):
            return
        answer = self.waiting.pop(move.id)
        if move.decision == "refused":
            return
        text, begins = self.texts[answer], move.from_day or today
        if move.decision == "answer":
            text.authorised_by, text.counts_from = PEOPLE[move.by], begins
        self.counts(move.id, begins, today, text.entry, move.decision == "answer")

    def discarded(self, move: Try, _: date) -> None:
        life = self.lives[move.id]
        if self.took(move.id, authority.discard(life, seen=life.newest, by=move.by)):
            del self.waiting[move.id]

    def withdrawn(self, move: Try, today: date) -> None:
        life = self.lives[move.id]
        done = authority.withdraw(life, move.becomes, by=move.by, today=today)
        if not self.took(move.id, done):
            return
        self.waiting.pop(move.id, None)
        for text in self.texts.values():
            text.withdrawn |= text.entry.id == move.id
        assert isinstance(done, Done)
        kept = [(LONG_AGO, done.concerns.entry, False)] if move.becomes == "transfer" else []
        self.counting[move.id] = kept

    def imported(self, move: Try, today: date) -> None:
        entry = self.written(move)
        file = replace(
            entry, authorised=move.decision == "answer", authorised_by=move.other, authorised_at=DAY
        )
        done = authority.take_in(self.lives[move.id], file, by=move.by, today=today)
        if self.took(move.id, done):
            self.waiting.pop(move.id, None)
            text = self.texts.setdefault(entry.answer, Text(entry, PEOPLE[move.by]))
            # A file never makes good what was taken back, nor undoes what is set for a day.
            if file.authorised:
                text.drafted_by, text.authorised_by = PEOPLE[move.by], PEOPLE[move.other]
                text.counts_from = min(today, text.counts_from)
            self.counts(move.id, today, today, entry, file.authorised)

    def written(self, move: Try) -> Entry:
        """What is to be written: with an answer nobody wrote yet, or a file's one of before."""
        before = [t.entry for t in self.texts.values() if t.entry.id == move.id]
        if move.act in ("import", "back") and 0 < move.again <= len(before):
            return before[-move.again]
        return replace(move.content, id=move.id, answer=f"答复之{len(self.texts):03d}号")

    def counts(self, id_: str, begins: date, today: date, entry: Entry, told: bool) -> None:
        now = [one for one in self.counting[id_] if one[0] <= today]
        later = [one for one in self.counting[id_] if one[0] > today]
        new = (begins, entry, told)
        self.counting[id_] = [*now, new] if begins > today else [new, *later]

    def took(self, id_: str, done: Done | Refused | None) -> bool:
        if not isinstance(done, Done):
            return False
        self.lives[id_] = done.life
        self.state = self.state.changed([id_], done.life.entries)
        return True

    def on(self, day: date) -> list[tuple[Entry, bool]]:
        """What counts and is valid on a day, by the own book."""
        found = []
        for decided in self.counting.values():
            begun = [one for one in decided if one[0] <= day]
            if begun:
                _, entry, told = begun[-1]
                if (entry.valid_from or day) <= day <= (entry.valid_to or day):
                    found.append((entry, told and not entry.confidential))
        return found

    def look(self, text: str, region: str, day: date) -> bool:
        """Hold all that is told against the book; whether an answer is among it."""
        chain = TREE.chain(region)
        rulings = self.state.judge.rulings(self.state.evidence(text), Case(region, day), most=9)
        for ruling in rulings:
            allowed = ruling.answer
            assert (ruling.kind == "answer") == (allowed is not None)
            assert not [a for a in self.texts if a in repr(ruling) and a != allowed]
            if allowed is None:
                continue
            told = self.texts[allowed]
            entry = told.entry
            assert told.authorised_by is not None
            assert told.authorised_by != told.drafted_by
            assert told.counts_from <= day
            assert not told.withdrawn
            assert not entry.confidential
            assert entry.region in chain
            assert (entry.valid_from or day) <= day <= (entry.valid_to or day)
            same = [one for one in self.on(day) if one[0].question == entry.question]
            assert (entry, True) in same
            nearer = chain[: chain.index(entry.region)]
            assert not [one for one, _ in same if one.region in nearer]
            assert all(may for one, may in same if one.region == entry.region)
        return any(ruling.answer is not None for ruling in rulings)


_METHODS = {
    "draft": "drafted",
    "decide": "decided",
    "discard": "discarded",
    "withdraw": "withdrawn",
    "import": "imported",
}


@settings(max_examples=300, deadline=None)
@given(st.lists(tries, min_size=3, max_size=12), regions | st.just("别处"))
def test_nothing_is_told_that_two_people_have_not_brought_for_today_and_here(
    story: list[Try], region: str
) -> None:
    world, today = World(), DAY
    for move in story:
        today += timedelta(days=move.later)
        world.tried(move, today)
        for day in (today, today + timedelta(days=1), today + timedelta(days=5)):
            for asked in QUESTIONS:
                world.look(asked, region, day)


def test_the_proof_sees_answers_too() -> None:
    # A proof over stories in which nothing is ever told would prove nothing.
    content = Entry("", QUESTIONS[0], "", "某处", "临江市", authorised=False)
    bring = Try("bring", "e1", "甲", "丙", content, "answer", "absent", None, 0, 0)
    world = World()
    world.tried(bring, DAY)
    assert world.look(QUESTIONS[0], "云岭县", DAY)
    world.tried(replace(bring, act="withdraw"), DAY)
    assert not world.look(QUESTIONS[0], "云岭县", DAY)
    # Its old file does not bring it back, a new draft does.
    world.tried(replace(bring, act="import", again=1), DAY)
    assert not world.look(QUESTIONS[0], "云岭县", DAY)
    world.tried(bring, DAY)
    assert world.look(QUESTIONS[0], "云岭县", DAY)
