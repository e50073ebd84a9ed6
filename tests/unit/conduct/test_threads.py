"""Looking for phrases takes long: it must not hold up the other calls."""

from __future__ import annotations

import threading

import pytest

from services.common.calls import CallSettled, Happening
from services.conduct.books import load_phrases, load_waiting
from services.conduct.call import Call
from services.conduct.handler import ConductHandler, Step
from tests.unit.conduct.stories import CLOSING, OPENING, agent, caller, fold
from tools.recordings import Hangup
from tools.scripted_calls import Script, timeline

pytestmark = pytest.mark.unit


class Watched(ConductHandler):
    """Notes what is folded beside the loop."""

    def __init__(self) -> None:
        super().__init__(load_phrases(), load_waiting())
        self.beside: list[str] = []

    def fold(self, call: Call, happening: Happening) -> Step:
        if threading.current_thread() is not threading.main_thread():
            name = getattr(happening, "event", "settled")
            self.beside.append(f"{name} {getattr(happening, 'role', '')}")
        return super().fold(call, happening)


async def test_only_the_agents_words_are_judged_beside_the_loop() -> None:
    lines = (
        agent(0.5, 4, OPENING),
        caller(4.5, 8),
        agent(9, 12, "这我怎么知道"),
        agent(25, 27, CLOSING),
    )
    script = Script(script=lines, hangup=Hangup(by="caller", at=28))
    story = [*(step.event for step in timeline(script, "c", "s")), CallSettled("c", 28_000)]
    watched = Watched()
    call, said = watched.open("c", "s"), []
    for happening in story:
        outcome = await watched.handle(call, happening)
        call = outcome.state
        said += outcome.events
    assert watched.beside == ["transcript.final agent"] * 3
    assert said == fold(story)
