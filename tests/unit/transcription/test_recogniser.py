"""The recogniser at work on a scripted engine: threads are real, the model is not."""

from __future__ import annotations

import asyncio
import logging

import pytest

from contracts.base import Role
from contracts.call import CallStarted
from contracts.speech import SpeechEnded
from services.transcription.buffer import Channel, Memory, Sound
from services.transcription.ears import Ears
from services.transcription.engine import Engine
from services.transcription.handler import TranscriptionHandler
from services.transcription.lexicon import Lexicon
from services.transcription.recogniser import HOLD_BACK_MS, Recogniser
from tests.unit.transcription.fake_engine import RATE, ScriptedEngine, sound_of
from tests.until import until

pytestmark = pytest.mark.unit

WORDS = {1: "一", 2: "二", 3: "三", 4: "四", 9: "!"}
LOG = logging.getLogger("banxi.test")
CALLER = Channel("c1", "caller")


class Site:
    """A recogniser with its memory, and the partials it told."""

    def __init__(self, engine: Engine) -> None:
        self.memory = Memory()
        self.recogniser = Recogniser(lambda: engine, self.memory, workers=1, partials=True, log=LOG)
        self.partials: list[tuple[Channel, int, int, str]] = []
        self.recogniser.on_partial = self._on_partial
        self.delays: list[float] = []
        self.recogniser.on_final = self.delays.append

    async def _on_partial(self, channel: Channel, at_ms: int, until_ms: int, text: str) -> None:
        self.partials.append((channel, at_ms, until_ms, text))

    def hear(self, channel: Channel, start_ms: int, ms: int, value: int) -> None:
        for at in range(start_ms, start_ms + ms, 100):
            self.memory.add(channel, at, RATE, sound_of(value, 100), heard_at=0.0)
            self.recogniser.heard(channel, at + 100)

    def sound(self, channel: Channel, start_ms: int, end_ms: int) -> Sound:
        sound = self.memory.span(channel, start_ms, end_ms)
        assert sound is not None
        return sound


async def test_a_waiting_final_goes_before_partials_that_were_due_earlier() -> None:
    engine = ScriptedEngine(WORDS)
    site = Site(engine)
    other, third = Channel("c2", "caller"), Channel("c3", "agent")
    async with site.recogniser.running():
        site.hear(other, 0, 1_000, 2)
        site.hear(third, 0, 1_000, 3)
        engine.gate.clear()
        first = asyncio.create_task(site.recogniser.final(other, site.sound(other, 0, 500), 500))
        await until(engine.waiting.is_set)
        site.recogniser.opened(CALLER, 0, 0)
        site.hear(CALLER, 0, 3_000, 1)
        second = asyncio.create_task(site.recogniser.final(third, site.sound(third, 0, 500), 500))
        await until(lambda: site.recogniser.finals_waiting == 1)
        engine.gate.set()
        assert [(await first).text, (await second).text] == ["二", "三"]
        await until(lambda: site.partials)

    assert engine.log == [("final", "二"), ("final", "三"), ("partial", "一")]
    assert site.partials == [(CALLER, 0, 3_000 - HOLD_BACK_MS, "一")]
    assert len(site.delays) == 2 and min(site.delays) > 0


async def test_a_final_goes_on_from_its_partials_and_no_partial_follows_it() -> None:
    engine = ScriptedEngine(WORDS)
    site = Site(engine)
    async with site.recogniser.running():
        site.recogniser.opened(CALLER, 200, 0)
        site.hear(CALLER, 0, 2_000, 1)
        site.hear(CALLER, 2_000, 1_000, 2)
        await until(lambda: site.partials)
        site.hear(CALLER, 3_000, 1_000, 3)
        site.recogniser.closed(CALLER)
        heard = await site.recogniser.final(CALLER, site.sound(CALLER, 0, 3_500), 3_200)
        site.hear(CALLER, 4_000, 4_000, 4)

    assert (heard.text, heard.confidence) == ("一二三", 0.5)
    assert engine.opened == 1
    assert [partial[1] for partial in site.partials] == [200]


async def test_a_session_fed_beyond_its_utterance_is_not_believed() -> None:
    engine = ScriptedEngine(WORDS)
    site = Site(engine)
    async with site.recogniser.running():
        site.recogniser.opened(CALLER, 0, 0)
        site.hear(CALLER, 0, 1_500, 1)
        site.hear(CALLER, 1_500, 2_000, 2)
        await until(lambda: site.partials)
        site.recogniser.closed(CALLER)
        heard = await site.recogniser.final(CALLER, site.sound(CALLER, 0, 1_500), 1_400)

    assert site.partials[0][3] == "一二"
    assert heard.text == "一"


async def test_after_a_partial_the_model_stumbled_over_the_final_begins_afresh() -> None:
    engine = ScriptedEngine(WORDS)
    site = Site(engine)
    async with site.recogniser.running():
        engine.partials_fail = True
        site.recogniser.opened(CALLER, 0, 0)
        site.hear(CALLER, 0, 3_000, 1)
        await until(lambda: ("partial", "failed") in engine.log)
        site.recogniser.closed(CALLER)
        heard = await site.recogniser.final(CALLER, site.sound(CALLER, 0, 3_000), 2_900)

    assert heard.text == "一"
    assert engine.opened == 2
    assert site.partials == []


async def test_one_utterance_the_model_stumbles_over_stops_nothing() -> None:
    site = Site(ScriptedEngine(WORDS))
    async with site.recogniser.running():
        site.hear(CALLER, 0, 500, 9)
        with pytest.raises(RuntimeError):
            await site.recogniser.final(CALLER, site.sound(CALLER, 0, 500), 500)
        site.hear(CALLER, 500, 500, 2)
        heard = await site.recogniser.final(CALLER, site.sound(CALLER, 500, 1_000), 900)

    assert heard.text == "二"


@pytest.mark.parametrize(("pace", "answers"), [("live", True), ("script", False)])
async def test_scripted_calls_bring_their_own_words(pace: str, answers: bool) -> None:
    site = Site(ScriptedEngine(WORDS))
    ears = Ears(site.memory, site.recogniser.heard, LOG)
    handler = TranscriptionHandler(ears, site.recogniser, Lexicon(()), LOG)
    role: Role = "caller"
    started = CallStarted.model_validate(
        {"call_id": "c1", "site": "s", "at_ms": 0, "agent_id": "1", "caller_number": "1"}
        | {"pace": pace}
    )
    ended = SpeechEnded(call_id="c1", site="s", at_ms=0, role=role, end_ms=900)

    state = (await handler.handle(handler.open("c1", "s"), started)).state
    outcome = await handler.handle(state, ended)

    assert (outcome.later is not None) is answers
    if outcome.later is not None:
        asyncio.ensure_future(outcome.later).cancel()
