"""The cards of a call."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from contracts.base import Producer
from contracts.call import CallEnded, CallStarted
from contracts.card import CardShown, CardWithdrawn
from contracts.transcript import TranscriptFinal
from services.knowledge.deciding.decide import Ruling
from services.knowledge.entries.entry import Entry
from services.knowledge.finding.asking import Found
from services.knowledge.on_calls.call import PRODUCER, Call, Said
from services.knowledge.on_calls.cards import card_id, cards, holds, outdated, withdrawal
from tests.unit.knowledge.bags import CARD, DAY, EARLY, WAGES

pytestmark = pytest.mark.unit

SAID = (Said("我那张卡", 900, 2000, "e1"), Said("丢了怎么办", 3000, 5000, "e2"))


def found(entry: Entry, *others: Entry, utterances: int = 2) -> Found:
    def ruling(one: Entry) -> Ruling:
        told = one.answerable
        return Ruling(
            "answer" if told else "transfer",
            one.source(),
            one.answer if told else None,
            confidence=0.87654,
            score=0.61234,
            matched=0,
            ends=one.valid_to,
        )

    return Found(ruling(entry), tuple(ruling(other) for other in others), utterances)


def shown(*events: object) -> CardShown:
    (card,) = (event for event in events if isinstance(event, CardShown))
    return card


def test_an_answer_card_says_what_why_and_on_whose_authority() -> None:
    (card,) = cards("c1", "main", found(CARD, WAGES), SAID, None, DAY)
    assert isinstance(card, CardShown)
    assert (card.slot, card.kind, card.card_id) == ("answer", "answer", "kb-card-1")
    assert (card.title, card.body) == (CARD.question, CARD.answer)
    assert "我那张卡，丢了怎么办" in card.why
    assert (card.at_ms, card.derived_from) == (5000, ("e1", "e2"))
    assert [e.words for e in card.evidence] == ["我那张卡", "丢了怎么办"]
    assert card.source == CARD.source()
    assert card.source is not None
    assert card.source.authorised_by is None  # not recorded, and not invented
    assert [a.entry_id for a in card.alternatives] == ["wage-1"]
    assert card.confidence == 0.877


def test_a_transfer_card_asks_for_consent_and_holds_no_answer() -> None:
    (card,) = cards("c1", "main", found(EARLY), SAID, None, DAY)
    assert isinstance(card, CardShown)
    assert card.kind == "transfer"
    assert "养老保险处" in card.body
    assert "可以吗" in card.body
    assert card.source is not None
    assert (card.source.liaison, card.source.phone) == ("沈同志", "0599-555-1102")
    assert EARLY.answer not in card.model_dump_json()


def test_a_number_of_the_directory_is_no_change_of_the_entry() -> None:
    bare = replace(EARLY, phone=None, liaison=None)
    source = bare.source().model_copy(update={"phone": "1102", "liaison": "沈同志（转接用 7102）"})
    card = shown(*cards("c1", "main", found(bare), SAID, None, DAY, source=source))
    assert card.source == source and "联络员" in card.body
    assert "7102" not in card.body and card.aloud == ()
    assert outdated(card, bare, DAY) is None
    assert holds(found(bare).ruling, bare, DAY)
    assert cards("c1", "main", found(bare), SAID, card, DAY, source=source) == ()
    (new,) = cards("c1", "main", found(bare), SAID, card, DAY)
    assert isinstance(new, CardShown) and new.source == bare.source()


def test_a_card_marks_what_was_asked_and_sets_apart_what_is_read_aloud() -> None:
    entry = replace(
        CARD,
        answer="请带身份证和照片到大厅，三个工作日办结。咨询电话0599-555-1101。",
        valid_to=date(2026, 6, 20),
    )
    said = (Said("社保卡丢了要带什么材料", 0, 2000, "e1"),)
    card = shown(*cards("c1", "main", found(entry, utterances=1), said, None, DAY))
    assert [entry.answer[s.start : s.end] for s in card.asked] == ["请带身份证和照片到大厅"]
    assert [(a.kind, a.text) for a in card.aloud] == [
        ("papers", "身份证和照片"),
        ("phone", "0599-555-1101"),
    ]
    assert "6 月 20 日到期" in card.note
    # Asked on, the card stays and another part of it is marked, unless the agent refused it.
    more = (*said, Said("那多久能办好", 3000, 4000, "e2"))
    again = cards("c1", "main", found(entry), more, card, DAY)
    assert [entry.answer[s.start : s.end] for s in shown(*again).asked] == ["三个工作日办结"]
    assert cards("c1", "main", found(entry), more, card, DAY, marked_anew=False) == ()


def test_an_agreed_wording_comes_before_an_answer() -> None:
    wording = replace(CARD, id="wording-7", sort="announced", department="统一口径")
    ruling = replace(found(wording).ruling, kind="announced")
    card = shown(*cards("c1", "main", Found(ruling, (), 1), SAID[-1:], None, DAY))
    assert (card.kind, card.slot, card.card_id) == ("announced", "answer", "kb-wording-7")
    assert (card.body, card.priority > 50) == (wording.answer, True)


def test_events_of_cards_never_share_a_moment() -> None:
    first = shown(*cards("c1", "main", found(CARD), SAID, None, DAY))
    gone, second = cards("c1", "main", found(WAGES), SAID, first, DAY, not_before=first.at_ms + 1)
    assert first.at_ms < gone.at_ms <= second.at_ms


def test_a_ruling_holds_while_its_entry_says_the_same() -> None:
    ruling = found(CARD).ruling
    assert holds(ruling, CARD, DAY)
    for other in (
        None,
        replace(CARD, authorised=False),
        replace(CARD, answer="改过的答复。"),
        replace(CARD, valid_to=date(2026, 5, 31)),
    ):
        assert not holds(ruling, other, DAY)
    assert holds(found(EARLY).ruling, replace(EARLY, answer="内部口径改了"), DAY)


def test_the_same_card_is_not_shown_again_unless_another_stood_between() -> None:
    first = shown(*cards("c1", "main", found(CARD), SAID, None, DAY))
    assert cards("c1", "main", found(CARD), SAID, first, DAY) == ()
    gone, second = cards("c1", "main", found(WAGES), SAID, first, DAY)
    assert isinstance(gone, CardWithdrawn)
    assert gone.card_id == "kb-card-1"
    third = shown(*cards("c1", "main", found(CARD), SAID, shown(second), DAY))
    assert third.card_id == "kb-card-1"


def test_a_card_whose_entry_has_changed_is_shown_again_in_its_place() -> None:
    first = shown(*cards("c1", "main", found(EARLY), SAID, None, DAY))
    now = replace(EARLY, authorised=True, answer="现在可以答复了。")
    (second,) = cards("c1", "main", found(now), SAID, first, DAY)
    assert isinstance(second, CardShown)
    assert (second.card_id, second.kind) == (first.card_id, "answer")


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        (CARD, replace(CARD, authorised=False), "取消授权"),
        (CARD, replace(CARD, confidential=True), "取消授权"),
        (CARD, replace(CARD, answer="改过的答复。"), "刚有改动"),
        (CARD, replace(CARD, phone="0599-555-0000"), "刚有改动"),
        (EARLY, replace(EARLY, authorised=True, answer="现在可以答复了。"), "刚有改动"),
        (CARD, replace(CARD, valid_to=date(2026, 5, 31)), "有效期"),
        (CARD, None, "已经没有"),
    ],
)
def test_a_card_that_no_longer_holds_is_withdrawn(was: Entry, now: Entry | None, why: str) -> None:
    card = shown(*cards("c1", "main", found(was), SAID, None, DAY))
    later = Said("嗯", 8000, 9000, "e3")
    reason = outdated(card, now, DAY)
    assert reason is not None and why in reason
    gone = withdrawal(card, (later,), reason, 9000)
    assert (gone.card_id, gone.at_ms) == (card.card_id, 9000)
    assert gone.derived_from == (card.event_id, "e3")
    assert Call().after(card).after(gone).card is None


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (CARD, replace(CARD, similar=("社保卡找不着",))),
        (EARLY, replace(EARLY, answer="内部口径改了，卡片上本来就没有。")),
        (EARLY, replace(EARLY, phone=None)),  # put right in its place: the directory may know it
    ],
)
def test_a_change_that_makes_no_card_wrong_withdraws_none(was: Entry, now: Entry) -> None:
    card = shown(*cards("c1", "main", found(was), SAID, None, DAY))
    assert outdated(card, was, DAY) is None
    assert outdated(card, now, DAY) is None


def test_card_ids_fit_into_message_headers() -> None:
    assert card_id("card-001") == "kb-card-001"
    assert card_id("社保-001").isascii()
    assert card_id("社保-001") != card_id("社保-002")


def test_a_call_is_a_fold_over_its_events() -> None:
    def final(text: str, start: int, end: int, role: str = "caller") -> TranscriptFinal:
        return TranscriptFinal(
            call_id="c1",
            site="main",
            at_ms=start,
            end_ms=end,
            role=role,
            text=text,
            heard=text,
            by=Producer(name="asr", version="1"),
        )

    card = shown(*cards("c1", "main", found(CARD), SAID, None, DAY))
    events = [
        CallStarted(
            call_id="c1", site="main", at_ms=0, agent_id="a", caller_number="1", region="云岭县"
        ),
        final("一", 0, 1000),
        final("坐席的话", 1000, 2000, "agent"),
        final("", 2000, 2100),
        final("二", 3000, 4000),
        card,
        card.model_copy(update={"by": Producer(name="conduct", version="1"), "card_id": "x"}),
        final("三", 100_000, 101_000),
        final("四", 102_000, 103_000),
    ]
    call = Call()
    for event in events:
        call = call.after(event)
    assert call.region == "云岭县"
    assert call.card == card
    assert [s.text for s in call.said] == ["一", "二", "三", "四"]
    now = call.said[-1]
    assert call.before(now) == ("三",)  # 二 is too long ago to be one question with it
    assert call.after(CallEnded(call_id="c1", site="main", at_ms=5, ended_by="caller")).over
    assert PRODUCER.name == "knowledge"
