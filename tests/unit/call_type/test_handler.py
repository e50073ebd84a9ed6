"""What is published: assessments when something changed, one advice card at a time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from contracts.base import Event, Producer, Role
from contracts.call import CallStarted
from contracts.call_type import CallTypeAssessed
from contracts.card import CardShown, CardWithdrawn
from contracts.transcript import TranscriptFinal
from services.call_type.dialogue import Vector
from services.call_type.handler import CallState, CallTypeHandler
from tests.unit.call_type.scripted import CUES, PLAIN, assessor, leaning, tables, vector

pytestmark = pytest.mark.unit


class ScriptedEmbedder:
    """The scripted vectors, or none while it is down."""

    model = "scripted 1"

    def __init__(self) -> None:
        self.down = False
        self.asked: list[tuple[str, ...]] = []

    async def vectors(self, texts: Sequence[str]) -> list[Vector] | None:
        self.asked.append(tuple(texts))
        return None if self.down else [vector(text) for text in texts]


@pytest.fixture
def embedder() -> ScriptedEmbedder:
    return ScriptedEmbedder()


@pytest.fixture
def handler(embedder: ScriptedEmbedder) -> CallTypeHandler:
    return CallTypeHandler(assessor(), tables(), embedder, firm=0.5)


def final(at_ms: int, text: str, role: Role = "caller") -> TranscriptFinal:
    return TranscriptFinal(
        call_id="c1",
        site="main",
        at_ms=at_ms,
        role=role,
        end_ms=at_ms + 900,
        text=text,
        heard=text,
        by=Producer(name="scripted", version="1"),
    )


async def play(
    handler: CallTypeHandler, happenings: Sequence[Event], state: CallState | None = None
) -> tuple[CallState, list[Event]]:
    state = state or handler.open("c1", "main")
    said: list[Event] = []
    for happening in happenings:
        outcome = await handler.handle(state, happening)
        state = outcome.state
        said += outcome.events
    return state, said


async def test_an_assessment_says_what_when_and_why(handler: CallTypeHandler) -> None:
    heard = final(1000, leaning("投诉") + "，要个说法")
    _, said = await play(handler, [heard])
    assessed, card = said
    assert isinstance(assessed, CallTypeAssessed)
    assert (assessed.type, assessed.previous, assessed.at_ms) == ("投诉", None, 1000)
    assert assessed.derived_from == (heard.event_id,)
    assert assessed.by == Producer(name="call-type", version="00000000 scripted 1")
    first = assessed.evidence[0]
    assert (first.words, first.role, first.start_ms, first.end_ms) == (
        "要个说法",
        "caller",
        1000,
        1900,
    )
    assert assessed.types[0].type == "投诉"
    assert assessed.types[0].confidence == assessed.confidence
    assert len(assessed.types) == 3
    assert isinstance(card, CardShown)
    assert (card.slot, card.kind, card.card_id) == ("moment", "advice", "advice-8")
    assert (card.title, card.body, card.avoid) == ("投诉：投诉的办法", "请讲", "打断")
    assert "要个说法" in card.why


async def test_only_the_caller_is_assessed_and_only_when_something_is_said(
    handler: CallTypeHandler, embedder: ScriptedEmbedder
) -> None:
    start = CallStarted(
        call_id="c1", site="main", at_ms=0, agent_id="8001", caller_number="1390000"
    )
    happenings = [start, final(1, leaning("投诉"), "agent"), final(2, ""), final(3, "嗯，好的")]
    state, said = await play(handler, happenings)
    assert (said, embedder.asked, state.type) == ([], [], None)


async def test_the_same_again_is_not_said_again(handler: CallTypeHandler) -> None:
    _, said = await play(handler, [final(n * 1000, leaning("哭诉")) for n in range(8)])
    assessments = [event for event in said if isinstance(event, CallTypeAssessed)]
    steps = [event.confidence for event in assessments]
    assert 1 <= len(assessments) <= 4
    assert all(abs(b - a) >= 0.1 for a, b in pairwise(steps))
    assert sum(isinstance(event, CardShown) for event in said) == 1


async def test_a_turn_withdraws_the_card_and_shows_another_once(handler: CallTypeHandler) -> None:
    state, _ = await play(handler, [final(0, leaning("咨询"))])
    _, said = await play(handler, [final(n, leaning("发泄")) for n in (1000, 2000, 3000)], state)
    turn = next(event for event in said if isinstance(event, CallTypeAssessed))
    assert (turn.type, turn.previous) == ("发泄", "咨询")
    cards = [event for event in said if isinstance(event, CardShown | CardWithdrawn)]
    assert [type(card) for card in cards] == [CardWithdrawn, CardShown]
    assert [card.card_id for card in cards] == ["advice-1", "advice-3"]
    assert len({event.event_id for event in said}) == len(said)


async def test_a_type_that_is_not_firm_has_no_card(embedder: ScriptedEmbedder) -> None:
    careful = CallTypeHandler(assessor(), tables(), embedder, firm=1.0)
    _, said = await play(careful, [final(0, leaning("咨询")), final(1000, leaning("发泄"))])
    assert {type(event) for event in said} == {CallTypeAssessed}


async def test_without_vectors_the_words_decide_and_it_says_so(
    handler: CallTypeHandler, embedder: ScriptedEmbedder
) -> None:
    embedder.down = True
    _, said = await play(handler, [final(0, PLAIN + "要个说法")])
    assert isinstance(said[0], CallTypeAssessed)
    assert (said[0].type, said[0].by.version) == ("投诉", "00000000 words only")


async def test_the_last_utterances_are_looked_at_together(
    handler: CallTypeHandler, embedder: ScriptedEmbedder
) -> None:
    await play(handler, [final(n, f"{PLAIN}{n}") for n in range(5)] + [final(9, "字" * 5000)])
    assert embedder.asked[0] == (f"{PLAIN}0",)
    assert embedder.asked[4] == (f"{PLAIN}4", f"{PLAIN}2，{PLAIN}3，{PLAIN}4")
    assert all(len(text) <= 2000 for texts in embedder.asked for text in texts)


async def test_the_same_event_twice_counts_once(handler: CallTypeHandler) -> None:
    state, _ = await play(handler, [final(0, CUES["哭诉"] + PLAIN)])
    again, said = await play(handler, [final(0, CUES["哭诉"] + PLAIN)], state)
    assert again is state
    assert said == []


async def test_a_call_read_again_without_vectors_keeps_what_was_published(
    handler: CallTypeHandler, embedder: ScriptedEmbedder
) -> None:
    story: list[Event] = []
    state = handler.open("c1", "main")
    for heard in (final(0, leaning("咨询")), final(1000, leaning("发泄"))):
        outcome = await handler.handle(state, heard)
        state = outcome.state
        story += [heard, *outcome.events]
    embedder.down = True
    rebuilt, _ = await play(handler, story)
    assert (rebuilt.type, rebuilt.card, rebuilt.dialogue.shown) == ("发泄", "发泄", "发泄")
    assert rebuilt.confidence == state.confidence


async def test_own_events_that_come_late_do_not_turn_a_call_back(handler: CallTypeHandler) -> None:
    state, first = await play(handler, [final(0, leaning("咨询"))])
    state, _ = await play(handler, [final(1000, leaning("发泄"))], state)
    state, _ = await play(handler, first, state)
    assert (state.type, state.card) == ("发泄", "发泄")


async def test_own_events_that_say_nothing_new_change_nothing(handler: CallTypeHandler) -> None:
    state, _ = await play(handler, [final(n, leaning("咨询")) for n in (0, 1000)])
    doubts = [final(n, CUES["发泄"] * 2 + PLAIN[:6]) for n in (2000, 3000)]
    state, said = await play(handler, doubts, state)
    assert state.dialogue.challenger == "发泄"
    assert isinstance(said[-1], CallTypeAssessed)
    echoed, _ = await play(handler, said, state)
    assert echoed == state
