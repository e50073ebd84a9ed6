"""Recognised moments and their cards over a call, in the call's own time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from contracts.base import Event, Producer, Role
from contracts.call import CallEnded, CallProgressed, CallStarted
from contracts.card import CardShown, CardWithdrawn, Source
from contracts.escalation import EscalationTakenOver
from contracts.situation import SituationRecognised
from contracts.transcript import TranscriptFinal
from contracts.warning import HoldStarted, WarningRaised
from services.call_type.situations.book import load_book
from services.call_type.situations.look import Turn
from services.call_type.situations.moments import Moments
from services.call_type.situations.recogniser import Recognised
from services.call_type.situations.story import KEPT, Story
from services.common.calls import CallSettled, Happening

pytestmark = pytest.mark.unit

BY = Producer(name="test", version="1")
CUES = {
    "名字": "asks-agent-name",
    "领导": "wants-a-leader",
    "传真": "wants-a-fax",
    "保证": "wants-a-commitment",
    "听不清": "bad-line",
    "要查很久": "long-look-up",
    "电话接过来": "supervisor-takes-over",
}
ANSWER = "好的，我来跟您说明一下这件事"
ELSEWHERE = "我家门口那条路还没有修好"


class Scripted:
    """Knows a moment by a word in its last turn; a question mark leaves it unsure."""

    version = "scripted"

    def recognise(self, turns: Sequence[Turn]) -> Recognised:
        """By `CUES`."""
        text = turns[-1].text
        for words, situation in CUES.items():
            if words in text:
                return Recognised(situation, 0.2 if "？" in text else 0.9, words)
        return Recognised(None, 0.9)


class Call:
    """A call on its way through the fold."""

    def __init__(self, story: Story | None = None) -> None:
        self.moments = Moments(Scripted(), load_book())
        self.story = story or self.moments.open("c1", "s")
        self.events: list[Event] = []

    def hears(self, *happenings: Happening) -> list[Event]:
        """What is published on these."""
        said: list[Event] = []
        for happening in happenings:
            self.story, events = self.moments.fold(self.story, happening, None)
            said += events
        self.events += said
        return said

    def cards(self, *happenings: Happening) -> list[tuple[str, str]]:
        """("+" shown or "-" withdrawn, situation) of what is published on these."""
        return [
            ("+" if isinstance(event, CardShown) else "-", event.card_id.removeprefix("situation-"))
            for event in self.hears(*happenings)
            if isinstance(event, CardShown | CardWithdrawn)
        ]

    @property
    def told(self) -> list[str]:
        """Every situation that was told of."""
        return [event.situation for event in self.events if isinstance(event, SituationRecognised)]


def final(role: Role, at_s: float, text: str, lasts_s: float = 2) -> TranscriptFinal:
    at, end = int(at_s * 1000), int((at_s + lasts_s) * 1000)
    return TranscriptFinal(
        call_id="c1", site="s", at_ms=at, role=role, end_ms=end, text=text, heard=text, by=BY
    )


def caller(at_s: float, text: str) -> TranscriptFinal:
    return final("caller", at_s, text)


def agent(at_s: float, text: str) -> TranscriptFinal:
    return final("agent", at_s, text)


def started() -> CallStarted:
    return CallStarted(call_id="c1", site="s", at_ms=0, agent_id="A08", caller_number="1")


def progressed(at_s: float) -> CallProgressed:
    at = int(at_s * 1000)
    return CallProgressed(call_id="c1", site="s", at_ms=at, audio_ms=at)


def other_card(card_id: str, at_s: float, source: Source | None = None) -> CardShown:
    return CardShown(
        call_id="c1", site="s", at_ms=int(at_s * 1000), by=BY, card_id=card_id,
        slot="answer" if source else "moment", kind="transfer" if source else "wording",
        title="t", body="b", why="w", source=source,
    )  # fmt: skip


def test_a_moment_is_told_with_its_words_and_its_card() -> None:
    """Slots filled, above the advice for the whole call, with the words that brought it."""
    call = Call()
    asked = caller(10, "你叫什么名字")
    told, card = call.hears(started(), asked)
    assert isinstance(told, SituationRecognised)
    assert isinstance(card, CardShown)
    assert (told.situation, told.name, told.at_ms) == ("asks-agent-name", "询问姓名", 10_000)
    assert told.derived_from == card.derived_from == (asked.event_id,)
    assert told.evidence[0].words == "名字"
    assert (card.slot, card.kind, card.at_ms) == ("moment", "wording", 12_000)
    assert card.priority > 40
    assert "A08" in card.body
    assert card.expires_ms == 12_000 + 20_000
    assert call.hears(asked) == []


def test_the_card_leaves_when_the_agent_has_answered() -> None:
    """嗯 is no answer; what the card offers is told apart from other words."""
    call = Call()
    call.hears(started(), caller(10, "你叫什么名字"))
    assert call.cards(agent(13, "嗯嗯")) == []
    [gone] = call.hears(agent(15, "我的工号是A08，您记下工号就可以找到我"))
    assert isinstance(gone, CardWithdrawn)
    assert "建议的话" in gone.reason
    call.hears(caller(100, "叫你们领导来"))
    [gone] = call.hears(agent(104, ANSWER))
    assert isinstance(gone, CardWithdrawn)
    assert "建议的话" not in gone.reason


def test_the_card_leaves_when_the_caller_goes_on_to_something_else() -> None:
    """Once is an aside, twice is another matter."""
    call = Call()
    call.hears(caller(10, "给我发个传真"))
    assert call.cards(caller(15, ELSEWHERE)) == []
    assert call.cards(caller(20, ELSEWHERE)) == [("-", "wants-a-fax")]


def test_the_card_leaves_when_its_time_is_over_or_the_call() -> None:
    """By any event's clock; nothing is shown after the end."""
    call = Call()
    call.hears(caller(10, "给我发个传真"))
    assert call.cards(progressed(31.9)) == []
    [gone] = call.hears(progressed(40))
    assert gone.at_ms == 32_000
    call.hears(caller(100, "你叫什么名字"))
    over = CallEnded(call_id="c1", site="s", at_ms=105_000, ended_by="caller")
    assert call.cards(over) == [("-", "asks-agent-name")]
    assert call.cards(caller(103, "叫你们领导来"), CallSettled("c1", 105_000)) == []


def test_one_card_at_a_time_the_more_pressing() -> None:
    """The weaker one is only told of."""
    call = Call()
    assert call.cards(caller(10, "给我发个传真")) == [("+", "wants-a-fax")]
    assert call.cards(caller(15, "叫你们领导来")) == [("-", "wants-a-fax"), ("+", "wants-a-leader")]
    assert call.cards(caller(20, "你叫什么名字")) == []
    assert call.told == ["wants-a-fax", "wants-a-leader", "asks-agent-name"]


def test_the_same_card_does_not_come_again_within_a_minute() -> None:
    """Later it does, as another showing of the same card."""
    call = Call()
    call.hears(caller(10, "叫你们领导来"), agent(14, ANSWER))
    assert call.cards(caller(30, "我要跟领导说"), agent(34, ANSWER)) == []
    assert call.cards(caller(71, "叫领导来")) == [("+", "wants-a-leader")]
    shown = [event for event in call.events if isinstance(event, CardShown)]
    assert len({card.card_id for card in shown}) == 1
    assert len({card.event_id for card in shown}) == 2


def test_what_is_unsure_is_told_without_a_card() -> None:
    """Below `shows_from`."""
    call = Call()
    assert call.cards(caller(10, "领导？")) == []
    assert call.told == ["wants-a-leader"]


def test_the_department_is_that_of_the_last_answer() -> None:
    """Else the neutral wording."""
    source = Source(entry_id="1", question="q", department="医保局", region="r", authorised=False)
    call = Call()
    call.hears(other_card("kb-1", 5, source))
    shown = call.hears(caller(10, "你给我保证"))[-1]
    assert isinstance(shown, CardShown)
    assert "医保局" in shown.body


def test_a_silent_caller_is_told_and_the_script_of_the_waits_stands_alone() -> None:
    """No second card beside it."""
    warning = WarningRaised(
        call_id="c1", site="s", at_ms=3_000, by=BY, warning_id="silent_caller-3000",
        kind="silent_caller", level="alarm", end_ms=8_000, due_ms=8_000, message="m",
    )  # fmt: skip
    call = Call()
    [told] = call.hears(warning)
    assert isinstance(told, SituationRecognised)
    assert told.situation == "silent-caller"
    assert told.derived_from == (warning.event_id,)


def test_events_that_are_no_words_bring_their_cards() -> None:
    """A supervisor takes over; a long wait, until conduct has its own words for it; noises."""
    taken = EscalationTakenOver(
        call_id="c1", site="s", at_ms=9_000, escalation_id="e", supervisor="b1"
    )
    assert Call().cards(taken) == [("+", "supervisor-takes-over")]
    hold = HoldStarted(call_id="c1", site="s", at_ms=10_000, limit_ms=40_000, words="请稍等")
    call = Call()
    assert call.cards(hold, progressed(24)) == []
    assert call.cards(progressed(25)) == [("+", "long-look-up")]
    assert call.cards(other_card("hold-10000", 35)) == [("-", "long-look-up")]
    noises = [caller(at, "") for at in (10, 13, 16)]
    assert Call().cards(*noises[:2], noises[1]) == []
    assert Call().cards(*noises) == [("+", "bad-line")]


def test_the_agents_own_breath_does_not_end_the_moment_it_began() -> None:
    """The card offers what to say later; the agent's next turn is that."""
    call = Call()
    assert call.cards(agent(10, "这个要查很久")) == [("+", "long-look-up")]
    assert call.cards(agent(12.5, "请您不要挂机，我去系统里翻一下")) == []
    assert call.cards(agent(25, "让您久等了，还要一会儿")) == [("-", "long-look-up")]


def test_words_that_come_after_their_answer_bring_no_card() -> None:
    """Finals of two channels may be known in another order than they were said."""
    call = Call()
    assert call.cards(agent(13, ANSWER), caller(10, "你叫什么名字")) == []
    assert call.told == ["asks-agent-name"]


def test_words_cut_at_a_breath_are_one_turn() -> None:
    """A moment spread over two finals is known, and told once."""
    call = Call()
    call.hears(caller(10, "你这个名"), caller(12.5, "字叫什么名字"))
    call.hears(caller(14.8, "名字"))
    assert call.told == ["asks-agent-name"]


def test_after_a_restart_what_was_published_stands() -> None:
    """The echo of our own events changes nothing; a card that was really shown lies there, though
    it would not be shown now; one withdrawn is gone."""
    asked, answered = caller(10, "你叫什么名字"), agent(14, ANSWER)
    live = Call()
    first = live.hears(started(), asked)
    before = live.story
    live.hears(*first)
    assert live.story == before

    unsure = caller(10, "名字？")
    again = Call()
    assert again.cards(started(), unsure) == []
    again.hears(*first)
    assert again.cards(answered) == [("-", "asks-agent-name")]

    late = Call()
    second = live.hears(answered)
    late.hears(started(), asked, answered)
    # The echoes come when all of it has been heard already.
    assert late.hears(*first, *second, progressed(60)) == []


def test_finals_in_any_order_twice_and_many() -> None:
    """No crash, no card for what is long past, bounded memory."""
    finals = [
        final("caller" if n % 2 else "agent", n * 4, f"第{n}句话没有什么") for n in range(300)
    ]
    call = Call()
    call.hears(*finals[150:], *reversed(finals[:150]), *finals)
    assert call.events == []
    assert len(call.story.said) == KEPT
    assert call.cards(caller(1170, "叫你们领导来")) == []
    assert call.told == ["wants-a-leader"]


def test_nobody_takes_over_a_call_in_which_the_caller_has_not_spoken() -> None:
    prompt = "您好，电话接过来了，请您讲话"
    silent, spoken = Call(), Call()
    assert silent.hears(started(), agent(5, prompt)) == []
    spoken.hears(started(), caller(5, ELSEWHERE))
    assert spoken.cards(agent(12, prompt)) == [("+", "supervisor-takes-over")]
