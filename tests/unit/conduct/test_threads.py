"""Looking for phrases takes long: it must not hold up the other calls."""

from __future__ import annotations

import threading

import pytest

from services.common.calls import CallSettled, Happening
from services.common.vectors import Vector
from services.conduct.books import load_rules
from services.conduct.handler import ConductHandler
from services.conduct.phrases.book import Hit
from services.conduct.phrases.detector import Detector
from tests.unit.conduct.stories import CLOSING, OPENING, agent, caller, fold
from tools.recordings import Hangup
from tools.scripted_calls import Script, timeline

pytestmark = pytest.mark.unit

BAD = "这我怎么知道"


async def test_only_the_agents_words_are_judged_and_beside_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beside: list[str] = []
    hits = Detector.hits

    def watched(
        self: Detector, text: str, previous: str = "", vector: Vector | None = None
    ) -> list[Hit]:
        if threading.current_thread() is not threading.main_thread():
            beside.append(text)
        return hits(self, text, previous, vector)

    lines = (
        agent(0.5, 4, OPENING),
        caller(4.5, 8),
        agent(9, 12, BAD),
        agent(25, 27, CLOSING),
    )
    script = Script(script=lines, hangup=Hangup(by="caller", at=28))
    story: list[Happening] = [
        *(step.event for step in timeline(script, "c", "s")),
        CallSettled("c", 28_000),
    ]
    expected = fold(story)
    monkeypatch.setattr(Detector, "hits", watched)
    handler = ConductHandler(load_rules())
    call, said = handler.open("c", "s"), []
    for happening in story:
        outcome = await handler.handle(call, happening)
        call = outcome.state
        said += [*outcome.events, *(await outcome.later if outcome.later else ())]
    assert beside == [OPENING, BAD, CLOSING]
    assert said == expected
