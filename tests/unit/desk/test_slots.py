"""At most one card a place, and which."""

from __future__ import annotations

import pytest

from contracts.base import Producer
from contracts.call import CallProgressed
from contracts.card import CardShown, CardWithdrawn, Source, Span
from contracts.feedback import FeedbackGiven
from contracts.requests import Description
from contracts.warning import HoldEnded, WarningConfirmed, WarningWithdrawn
from services.desk import agent_page, wall_page
from services.desk.call_view import CallView, ShownCard, StandingWarning
from services.desk.knowledge_state import sentence
from services.desk.slots import AFTER_MS, ALARM_MS, YIELD_MS, placed
from tests.connected.desk.story import Story
from tests.connected.desk.tales import pension
from tests.unit.desk.making import after, begun

pytestmark = pytest.mark.unit


def shown(view: CallView) -> dict[str, str | None]:
    ids: dict[str, str | None] = {}
    for slot, item in placed(view).items():
        if isinstance(item, ShownCard):
            ids[slot] = item.event.card_id
        else:
            ids[slot] = item.event.warning_id if isinstance(item, StandingWarning) else None
    return ids


def tick(story: Story, at: int) -> Story:
    return story.add(at, CallProgressed(**story.who, at_ms=at, audio_ms=at))


def test_each_place_has_its_own_card() -> None:
    assert shown(after(pension("main"))) == {"wrong": "w1", "answer": "k1", "moment": "m1"}


def test_a_newer_card_of_the_same_priority_takes_the_place() -> None:
    story = begun()
    story.answer(1_000, "", 0, 0, card_id="first").answer(2_000, "", 0, 0, card_id="second")
    assert shown(after(story))["answer"] == "second"


def test_a_higher_priority_keeps_its_place_for_a_while_but_not_for_ever() -> None:
    story = begun().answer(1_000, "", 0, 0, card_id="strong", priority=80)
    story.answer(2_000, "", 0, 0, card_id="weak", priority=40)
    assert shown(after(story))["answer"] == "strong"
    late = begun().answer(1_000, "", 0, 0, card_id="strong", priority=80)
    late.answer(1_500 + YIELD_MS, "", 0, 0, card_id="weak", priority=40)
    assert shown(after(late))["answer"] == "weak"


def test_a_card_leaves_at_its_audio_time_and_not_before() -> None:
    story = begun().advice(1_000, expires_ms=9_000)
    assert shown(after(tick(story, 8_900)))["moment"] == "m1"
    assert shown(after(tick(story, 9_100)))["moment"] is None


def test_a_withdrawn_card_leaves_and_may_come_again_under_its_id() -> None:
    story = begun().advice(1_000)
    gone = CardWithdrawn(
        **story.who, at_ms=2_000, by=Producer(name="t", version="1"), card_id="m1", reason="过去了"
    )
    story.add(2_000, gone)
    assert shown(after(story))["moment"] is None
    story.advice(3_000)
    assert shown(after(story))["moment"] == "m1"
    # The old withdrawal, delivered once more, is about the old card.
    story.add(4_000, gone)
    assert shown(after(story))["moment"] == "m1"


@pytest.mark.parametrize(
    ("verdict", "stays"), [("dismissed", False), ("wrong", False), ("useful", True)]
)
def test_what_the_agent_says_of_a_card(verdict: str, stays: bool) -> None:
    story = begun().answer(1_000, "", 0, 0)
    story.add(
        3_000,
        FeedbackGiven.model_validate(
            story.who
            | {
                "at_ms": 1_000,
                "agent_id": "015",
                "target": "card",
                "target_id": "k1",
                "verdict": verdict,
            }
        ),
    )
    assert shown(after(story))["answer"] == ("k1" if stays else None)


def test_a_card_made_from_a_warning_stands_in_its_stead() -> None:
    story = begun().forbidden(2_000, 500, 1_500, "这我怎么知道")
    warning = story.events[-1][1]
    story.add(
        2_100,
        CardShown(
            **story.who,
            at_ms=2_000,
            by=Producer(name="conduct", version="1"),
            derived_from=(warning.event_id,),
            card_id="better",
            slot="wrong",
            kind="better_wording",
            title="换个说法",
            body="我马上为您查。",
            why="",
            priority=10,
        ),
    )
    assert shown(after(story))["wrong"] == "better"


def test_a_provisional_warning_is_confirmed_or_goes_without_a_trace() -> None:
    by = Producer(name="interruption", version="1")
    story = begun().warned(1_000)
    assert not after(story).warnings[0].counts
    story.add(2_000, WarningConfirmed(**story.who, at_ms=1_000, by=by, warning_id="i1"))
    assert after(story).warnings[0].counts
    story.add(
        3_000, WarningWithdrawn(**story.who, at_ms=1_000, by=by, warning_id="i1", reason="应答")
    )
    assert shown(after(story))["wrong"] is None
    assert not after(story).warnings[0].counts


def test_warnings_leave_by_themselves() -> None:
    story = begun().forbidden(2_000, 500, 1_500, "急什么")
    assert shown(after(tick(story, 2_000 + ALARM_MS - 100)))["wrong"] == "w1"
    assert shown(after(tick(story, 2_000 + ALARM_MS)))["wrong"] is None
    # One about waiting leaves once the wait is over.
    wait = begun().holds(1_000).warned(31_000, kind="hold_over_30s", provisional=False)
    assert shown(after(tick(wait, 33_000)))["wrong"] == "i1"
    wait.add(34_000, HoldEnded(**wait.who, at_ms=1_000, end_ms=34_000))
    assert shown(after(tick(wait, 39_000)))["wrong"] is None


def test_a_caller_who_asks_for_somebody_is_answered_by_a_voice() -> None:
    story = begun().warned(5_000, kind="caller_unattended", provisional=False)
    assert shown(after(tick(story, 30_000)))["wrong"] == "i1"
    story.says("agent", 30_500, 32_000, "在的，让您久等了。")
    assert shown(after(tick(story, 30_500 + AFTER_MS)))["wrong"] is None


def test_wording_for_a_moment_covers_the_advice_until_the_moment_has_passed() -> None:
    story = begun().advice(1_000, priority=90).wording(5_000, priority=10)
    assert shown(after(story))["moment"] == "s1", "whatever their priorities"
    assert shown(after(story.withdrawn(9_000)))["moment"] == "m1"
    # One moment's wording takes the place of another's for good.
    two = begun().advice(1_000).wording(5_000).wording(6_000, card_id="s2")
    assert shown(after(two))["moment"] == "s2"
    assert shown(after(two.withdrawn(9_000, "s2")))["moment"] == "m1"


def test_advice_comes_back_only_if_it_still_stands() -> None:
    story = begun().advice(1_000).wording(5_000).withdrawn(6_000, "m1").withdrawn(9_000)
    assert shown(after(story))["moment"] is None
    put_away = {"agent_id": "015", "target": "card", "target_id": "m1", "verdict": "dismissed"}
    story = begun().advice(1_000).wording(5_000)
    story.add(6_000, FeedbackGiven.model_validate(story.who | {"at_ms": 1_000} | put_away))
    assert shown(after(story.withdrawn(9_000)))["moment"] is None
    # Put away, it can be looked at again.
    advice = agent_page.sections(after(story), quiet=False)["advice"]
    assert (advice["id"], advice["stands"]) == ("m1", False)


def test_new_advice_waits_beneath_the_wording_and_replaces_the_old_advice() -> None:
    story = begun().advice(1_000, priority=40).wording(5_000)
    story.advice(7_000, card_id="m2", priority=40)
    assert shown(after(story))["moment"] == "s1"
    assert agent_page.sections(after(story), quiet=False)["advice"]["id"] == "m2"
    story.withdrawn(9_000)
    assert shown(after(story))["moment"] == "m2"
    assert shown(after(story.withdrawn(10_000, "m2")))["moment"] is None, "m1 is gone for good"
    # Wording that nobody withdraws gives way in the end.
    late = begun().wording(1_000).advice(1_100 + YIELD_MS, priority=40)
    assert shown(after(late))["moment"] == "m1"


def test_no_advice_is_offered_again_once_it_no_longer_holds() -> None:
    story = begun().advice(1_000)
    assert agent_page.sections(after(story), quiet=False)["advice"]["stands"]
    gone = agent_page.sections(after(story.withdrawn(2_000, "m1")), quiet=False)
    assert gone["advice"] is None


def test_an_ended_call_shows_no_cards() -> None:
    assert set(shown(after(pension("main").ends(40_000))).values()) == {None}


PHRASE = Producer(name="how-would-i-know", version="3")


def supposed(**changes: object) -> Story:
    """A forbidden phrase heard in an open utterance, with its card."""
    story = begun().forbidden(2_000, 500, 1_500, "这我怎么知道")
    _, warning = story.events.pop()
    story.add(2_000, warning.model_copy(update={"provisional": True} | changes))
    return story.better(2_050, 500, 1_500, "这我怎么知道")


def settled(story: Story, at: int, *, holds: bool) -> Story:
    who = {**story.who, "at_ms": 500, "by": PHRASE, "warning_id": "w1"}
    return story.add(
        at,
        WarningConfirmed.model_validate(who)
        if holds
        else WarningWithdrawn.model_validate(who | {"reason": "请问句"}),
    )


def the_card(story: Story) -> dict[str, object] | None:
    """What the page shows in the place of what was said wrong; nothing of it stands elsewhere."""
    page = agent_page.sections(after(story), quiet=False)
    assert page["cards"]["moment"] is page["cards"]["answer"] is None
    card: dict[str, object] | None = page["cards"]["wrong"]
    return card


def test_a_phrase_supposed_is_quiet_then_firm_and_always_one_and_the_same_card() -> None:
    card = the_card(supposed())
    assert card and (card["id"], card["pending"], card["quiet"], card["tone"]) == (
        ("w1", True, True, "about_to")
    )
    assert agent_page.sections(after(supposed()), quiet=False)["warnings"] == []
    firm = the_card(settled(supposed(), 3_000, holds=True))
    assert firm and (firm["id"], firm["pending"], firm["quiet"], firm["tone"]) == (
        ("w1", False, False, "must_not")
    )
    assert (card["body"], card["at"]) == (firm["body"], firm["at"])
    assert the_card(settled(supposed(), 3_000, holds=False)) is None


def test_what_is_supposed_marks_no_words_and_counts_nowhere() -> None:
    story = supposed().says("agent", 500, 1_500, "这我怎么知道呀", delay=1_000)
    view = after(story)
    assert not view.lines[0].marks
    assert wall_page.sections(view, quiet=False)["risk"]["level"] == "calm"
    view = after(settled(story, 3_000, holds=True))
    assert [mark.kind for mark in view.lines[0].marks] == ["forbidden"]
    assert wall_page.sections(view, quiet=False)["risk"]["level"] == "red"


def raised_again(story: Story, at: int, *, provisional: bool) -> Story:
    warning = story.events[1][1]
    return story.add(
        at, warning.model_copy(update={"at_ms": 600, "end_ms": 1_400, "provisional": provisional})
    )


def test_raised_again_it_is_still_one_warning() -> None:
    for provisional in (True, False):
        story = raised_again(supposed(), 2_500, provisional=provisional)
        view = after(story)
        assert [w.event.at_ms for w in view.warnings] == [600], "what is known better"
        assert view.warnings[0].provisional is provisional
        card = the_card(story)
        assert card and card["pending"] is provisional
        # The first one, delivered once more, takes nothing back.
        assert after(story.add(2_600, story.events[1][1])).warnings == view.warnings


def test_what_was_withdrawn_comes_again_only_when_it_is_firm() -> None:
    gone = settled(supposed(), 2_500, holds=False)
    assert the_card(raised_again(gone, 2_600, provisional=True)) is None
    assert the_card(settled(gone, 2_700, holds=True)) is not None
    firm = raised_again(settled(supposed(), 2_500, holds=False), 2_600, provisional=False)
    card = the_card(firm)
    assert card and card["tone"] == "must_not"
    assert len(after(firm).warnings) == 1


def test_put_away_once_it_is_away_with_its_card() -> None:
    story = supposed()
    dismissed = {"agent_id": "015", "target": "warning", "target_id": "w1", "verdict": "dismissed"}
    story.add(2_500, FeedbackGiven.model_validate(story.who | {"at_ms": 500} | dismissed))
    assert the_card(settled(story, 3_000, holds=True)) is None


def test_a_supposed_phrase_replaces_no_card_that_is_certain() -> None:
    story = begun().forbidden(1_000, 100, 400, "急什么", "w0").better(1_050, 100, 400, "急什么")
    story.events[-1] = (1_050, story.events[-1][1].model_copy(update={"card_id": "other"}))
    later = supposed()
    story.events += later.events[1:]
    assert shown(after(story))["wrong"] == "other"


def test_a_note_is_shown_to_nobody_and_a_hint_is_quiet() -> None:
    story = begun().warned(1_000, kind="interrupted", level="note", provisional=False)
    page = agent_page.sections(after(story), quiet=False)
    assert page["cards"]["wrong"] is None and page["warnings"] == []
    wall = wall_page.sections(after(story), quiet=False)
    assert (wall["risk"]["level"], "x" in wall["strip"]) == ("calm", False)
    story.warned(2_000, kind="pace", level="remind", provisional=False, warning_id="p1")
    hint = the_card(story)
    assert hint and (hint["id"], hint["quiet"], hint["pending"]) == ("p1", True, False)
    assert wall_page.sections(after(story), quiet=False)["risk"]["level"] == "calm"


def test_a_missing_phrase_is_told_by_its_tick() -> None:
    story = begun().phrase(1_000, "name", "询问称呼", said=False)
    missing = {"kind": "missing_phrase", "provisional": False, "phrase": "name"}
    story.warned(5_000, level="note", warning_id="n1", **missing)
    assert [tick.state for tick in after(story).ticks] == ["due"]
    story.warned(6_000, level="remind", warning_id="n2", **missing)
    assert [tick.state for tick in after(story).ticks] == ["missed"]
    assert the_card(story) is None
    # Late is better than never; and its moment may come again.
    story.phrase(7_000, "name", "询问称呼", said=True)
    assert [tick.state for tick in after(story).ticks] == ["said"]
    story.phrase(8_000, "name", "询问称呼", said=False)
    assert [tick.state for tick in after(story).ticks] == ["due"]


def test_a_card_marked_anew_is_still_the_same_card() -> None:
    story = begun().answer(1_000, "", 0, 0)
    said = {"at_ms": 1_000, "agent_id": "015", "target": "card", "target_id": "k1"}
    story.add(2_000, FeedbackGiven.model_validate(story.who | said | {"verdict": "useful"}))
    story.answer(3_000, "", 0, 0, asked=(Span(start=0, end=5),))
    page = agent_page.sections(after(story), quiet=False)
    card = page["cards"]["answer"]
    assert (card["asked"], card["verdict"]) == ([[0, 5]], "useful")
    assert page["used"] == ["养老保险关系转移要多久"]
    # One that says something else is a new one.
    story.answer(4_000, "", 0, 0, body="改过的答复。")
    assert agent_page.sections(after(story), quiet=False)["cards"]["answer"]["verdict"] is None


def test_an_outdated_answer_leaves_the_page() -> None:
    story = begun().answer(1_000, "", 0, 0)
    said = {"at_ms": 1_000, "agent_id": "015", "target": "card", "target_id": "k1"}
    story.add(2_000, FeedbackGiven.model_validate(story.who | said | {"verdict": "outdated"}))
    assert shown(after(story))["answer"] is None


def test_a_transfer_card_names_whom_and_how() -> None:
    source = Source(
        entry_id="e", question="问", department="某处", region="临江市", authorised=False
    )
    story = begun().answer(1_000, "", 0, 0, kind="transfer", source=source)
    card = agent_page.sections(after(story), quiet=False)["cards"]["answer"]
    assert ("电话", "未记录") in card["source"]
    assert (card["label"], card["aloud"]) == ("请转接", [])
    known = source.model_copy(update={"phone": "0599-555-1102", "liaison": "沈同志"})
    story = begun().answer(1_000, "", 0, 0, kind="transfer", source=known)
    card = agent_page.sections(after(story), quiet=False)["cards"]["answer"]
    assert card["aloud"] == [["电话", "0599-555-1102"]]
    assert ("联络员", "沈同志") in card["source"]


def test_an_agreed_wording_names_who_published_it() -> None:
    source = Source(
        entry_id="wording-1",
        question="停水",
        department="统一口径",
        region="临江市",
        authorised=True,
        authorised_by="b01",
    )
    story = begun().answer(1_000, "", 0, 0, kind="announced", source=source)
    card = agent_page.sections(after(story), quiet=False)["cards"]["answer"]
    assert (card["label"], card["tone"]) == ("统一口径", "answer")
    assert ("发布", "b01") in card["source"]


def test_the_page_says_how_the_knowledge_base_is() -> None:
    well = Description(
        service="knowledge", version="1", pid=1, ready=True, detail="", uptime_s=1, rss_mb=1
    )
    assert sentence(well) == ""
    assert "没有回应" in sentence(None)
    assert "按字面" in sentence(well.model_copy(update={"figures": {"by_words_alone": 1.0}}))
    assert "准备" in sentence(well.model_copy(update={"ready": False}))
    assert "准备" in sentence(well.model_copy(update={"figures": {"lacking": 1.0}}))
