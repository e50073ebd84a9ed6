"""What an agent's final leads to once its vector is there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from contracts.base import Event
from contracts.card import CardShown
from contracts.warning import WarningRaised
from services.common.calls import CallSettled, Happening
from services.common.vectors import Vector
from services.conduct.call import Call
from services.conduct.handler import ConductHandler
from tests.unit.conduct.heads import DEAF, JOINT, KNOWN, head, rules_with
from tests.unit.conduct.stories import CLOSING, OPENING, final, progress

pytestmark = pytest.mark.unit

SAID, FINE = "这我怎么知道", "今天天气很好"
CALL_AGAIN = "dont-call-again"


class ScriptedEmbedder:
    """Takes every text for an offence, or for none; or is down."""

    model = "scripted 1"

    def __init__(self, vector: Vector | None) -> None:
        self.vector = vector
        self.asked: list[tuple[str, ...]] = []

    async def vectors(self, texts: Sequence[str]) -> list[Vector] | None:
        self.asked.append(tuple(texts))
        return None if self.vector is None else [self.vector for _ in texts]


OFFENCE = np.array([1.0, 0.0])
RULES = rules_with(head())


async def told(
    handler: ConductHandler, story: Sequence[Happening], *, again: bool = False
) -> tuple[Call, list[Event]]:
    """A call's end and everything said in it; `again`: our own answers come back as events."""
    call, said = handler.open("c", "s"), []
    waiting = list(story)
    while waiting:
        outcome = await handler.handle(call, waiting.pop(0))
        call = outcome.state
        new = [*outcome.events, *(await outcome.later if outcome.later else ())]
        said += new
        waiting[:0] = new if again else []
    return call, said


def phrases(said: Sequence[Event]) -> list[tuple[str, int]]:
    return [
        (e.by.name, e.at_ms)
        for e in said
        if isinstance(e, WarningRaised) and e.kind == "forbidden_phrase"
    ]


async def test_slow_work_in_turn_for_what_the_agent_said_and_nothing_else() -> None:
    embedder = ScriptedEmbedder(OFFENCE)
    handler = ConductHandler(RULES, embedder)
    call = handler.open("c", "s")
    for happening in (
        final("caller", 500, 1_500, SAID),
        progress(2_000),
        final("agent", 3_000, 4_000, " "),
        CallSettled("c", 9_000),
    ):
        outcome = await handler.handle(call, happening)
        assert outcome.later is None
        call = outcome.state
    outcome = await handler.handle(handler.open("c", "s"), final("agent", 5_000, 7_000, SAID))
    assert outcome.in_turn
    assert phrases(outcome.events) == []
    assert embedder.asked == []
    assert outcome.later is not None
    said = await outcome.later
    assert [e.event for e in said] == ["warning.raised", "card.shown"]
    assert phrases(said) == [(KNOWN, 5_000)]
    assert embedder.asked == [(SAID,)]


async def test_the_vector_decides_and_without_one_the_words() -> None:
    story = [final("agent", 1_000, 3_000, FINE), final("agent", 5_000, 7_000, SAID)]
    _, said = await told(ConductHandler(RULES, ScriptedEmbedder(OFFENCE)), story)
    assert phrases(said) == [(KNOWN, 1_000), (KNOWN, 5_000)]
    for none in (ScriptedEmbedder(None), None):
        _, said = await told(ConductHandler(RULES, none), story)
        assert phrases(said) == [(KNOWN, 5_000)]
    deaf = rules_with(head(joint=JOINT, joint_words=DEAF))
    _, said = await told(ConductHandler(deaf, ScriptedEmbedder(None)), story)
    assert phrases(said) == []


async def test_a_final_that_comes_again_says_nothing_new() -> None:
    handler = ConductHandler(RULES, ScriptedEmbedder(OFFENCE))
    one = final("agent", 1_000, 3_000, SAID)
    call, said = await told(handler, [one], again=True)
    assert len(phrases(said)) == 1
    outcome = await handler.handle(call, one)
    assert (outcome.state, outcome.events, outcome.later) == (call, [], None)


@pytest.mark.parametrize("between", [[], [final("caller", 3_200, 4_000, FINE)]])
async def test_a_phrase_split_over_two_finals(between: list[Event]) -> None:
    story = [
        final("agent", 1_000, 3_000, "您先别再"),
        *between,
        final("agent", 5_000, 6_000, "打电话了"),
    ]
    _, said = await told(ConductHandler(RULES, ScriptedEmbedder(None)), story, again=True)
    (warning,) = (e for e in said if isinstance(e, WarningRaised) and e.phrase)
    assert warning.by.name == CALL_AGAIN
    assert warning.evidence[0].words == "别再，打电话了"
    assert (warning.at_ms, warning.end_ms) == (2_000, 6_000)
    assert warning.warning_id == f"{CALL_AGAIN}-5000"
    (card,) = (e for e in said if isinstance(e, CardShown) and e.slot == "wrong")
    assert card.derived_from[-1] == warning.event_id


async def test_fold_says_the_same_by_words_alone() -> None:
    story: list[Happening] = [
        final("agent", 500, 3_000, OPENING),
        final("caller", 3_500, 6_000, SAID),
        final("agent", 7_000, 9_000, f"{SAID}，您别再"),
        final("agent", 9_500, 11_000, "打电话了，您真慢"),
        progress(25_000),
        final("agent", 26_000, 28_000, CLOSING),
        CallSettled("c", 30_000),
    ]
    handler = ConductHandler(RULES, ScriptedEmbedder(None))
    call, said = handler.open("c", "s"), []
    for happening in story:
        call, events = handler.fold(call, happening)
        said += events
    assert [name for name, _ in phrases(said)] == [KNOWN, CALL_AGAIN]
    assert (call, said) == await told(handler, story)


async def test_the_same_twice_word_for_word() -> None:
    story = [final("agent", 1_000, 3_000, f"{SAID}，别再啰嗦"), final("agent", 4_000, 6_000, FINE)]
    handler = ConductHandler(RULES, ScriptedEmbedder(OFFENCE))
    first, second = [await told(handler, story, again=True) for _ in range(2)]
    assert first == second
    ids = [event.event_id for event in first[1]]
    assert len(ids) == len(set(ids)) > 4
