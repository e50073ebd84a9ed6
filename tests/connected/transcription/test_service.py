"""The service on a real server with a scripted recogniser: frames and speech in, words out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from contracts import subjects
from contracts.audio import Frame
from contracts.base import Role
from contracts.call import CallEnded, CallStarted
from contracts.requests import Describe, Description
from contracts.speech import SpeechEnded, SpeechStarted
from contracts.transcript import TranscriptFinal, TranscriptPartial
from services.common import streams
from services.common.bus import Bus
from services.common.failure import CannotStart
from services.common.kept import read_call
from services.common.service import Service
from services.transcription.app import create_app
from services.transcription.ears import MIND_S
from services.transcription.settings import AsrSettings, Settings
from tests.unit.transcription.fake_engine import RATE, ScriptedEngine, sound_of
from tests.until import until

pytestmark = pytest.mark.connected

WORDS = {1: "我的", 2: "射宝卡", 3: "丢了"}
T = TypeVar("T")


class Site:
    """One call's way of speaking on the bus, as media would, and what comes back."""

    def __init__(self, bus: Bus, nats_url: str, data_dir: Path) -> None:
        self.bus = bus
        self.call = f"{bus.site}-c"
        """Unique over all sites, since the server's memory of ids is."""
        self.engine = ScriptedEngine(WORDS)
        self.settings = Settings(nats_url=nats_url, site=bus.site, data_dir=data_dir)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Service]:
        async with create_app(self.settings, lambda: self.engine).running() as service:
            yield service

    async def start(self) -> None:
        await self.bus.publish(
            CallStarted(
                call_id=self.call,
                site=self.bus.site,
                at_ms=0,
                agent_id="8",
                caller_number="1390000",
            )
        )

    async def sound(self, role: Role, start_ms: int, ms: int, value: int) -> None:
        for at in range(start_ms, start_ms + ms, 100):
            frame = Frame(self.bus.site, self.call, role, at, RATE, sound_of(value, 100))
            await self.bus.publish_frame(frame)

    async def began(self, role: Role, at_ms: int) -> None:
        await self.bus.publish(
            SpeechStarted(call_id=self.call, site=self.bus.site, at_ms=at_ms, role=role)
        )

    async def ended(self, role: Role, at_ms: int, end_ms: int) -> None:
        await self.bus.publish(
            SpeechEnded(
                call_id=self.call, site=self.bus.site, at_ms=at_ms, role=role, end_ms=end_ms
            )
        )

    async def hang_up(self, at_ms: int) -> None:
        await self.bus.publish(
            CallEnded(call_id=self.call, site=self.bus.site, at_ms=at_ms, ended_by="caller")
        )

    async def finals(self) -> list[TranscriptFinal]:
        events = await read_call(self.bus, self.bus.site, self.call)
        return [event for event in events if isinstance(event, TranscriptFinal)]

    async def finals_of(self, count: int) -> list[TranscriptFinal]:
        return await until(self.finals, lambda found: len(found) >= count)

    async def unacknowledged(self) -> int:
        """Events the service has taken and not acknowledged."""
        found = 0
        for partition in range(subjects.PARTITIONS):
            durable = f"transcription-{self.bus.site}-{partition}"
            info = await self.bus.js.consumer_info(streams.CALLS, durable)
            found += (info.num_ack_pending or 0) + (info.num_pending or 0)
        return found


@pytest.fixture
def desk(bus: Bus, nats_url: str, tmp_path: Path) -> Site:
    return Site(bus, nats_url, tmp_path)


async def test_every_utterance_becomes_one_final_acknowledged_after_it(desk: Site) -> None:
    async with desk.serving():
        desk.engine.gate.clear()
        await desk.start()
        await desk.sound("caller", 0, 1_000, 0)
        await desk.began("caller", 1_000)
        for at, value in ((1_000, 1), (1_500, 2), (2_000, 3)):
            await desk.sound("caller", at, 500, value)
        await desk.sound("caller", 2_500, 1_000, 0)
        await desk.sound("agent", 0, 3_500, 3)
        await desk.ended("caller", 1_000, 2_500)
        await asyncio.to_thread(desk.engine.waiting.wait, 10)

        async def just_one() -> bool:
            return await desk.unacknowledged() == 1

        assert await until(just_one)
        assert await desk.finals() == []

        desk.engine.gate.set()
        (final,) = await desk.finals_of(1)

        async def none() -> bool:
            return await desk.unacknowledged() == 0

        assert await until(none)
        assert len(await desk.finals()) == 1

    assert (final.at_ms, final.end_ms, final.role) == (1_000, 2_500, "caller")
    assert (final.heard, final.text) == ("我的射宝卡丢了", "我的社保卡丢了")
    assert [(c.heard, c.made, c.start) for c in final.corrections] == [("射宝卡", "社保卡", 2)]
    assert (final.by.name, final.confidence) == ("scripted", 0.5)


async def test_sound_is_taken_around_the_utterance_but_not_from_the_one_before(desk: Site) -> None:
    async with desk.serving():
        await desk.start()
        await desk.sound("caller", 0, 1_000, 1)
        await desk.sound("caller", 1_000, 150, 0)
        await desk.sound("caller", 1_200, 1_000, 3)
        await desk.sound("caller", 2_200, 1_000, 0)
        await desk.began("caller", 0)
        await desk.ended("caller", 0, 1_000)
        await desk.began("caller", 1_100)
        await desk.ended("caller", 1_100, 2_000)
        finals = await desk.finals_of(2)

    assert [final.text for final in finals] == ["我的", "丢了"]


async def test_partials_come_while_one_speaks_and_before_the_final(desk: Site) -> None:
    order: list[str] = []
    partials: list[TranscriptPartial] = []
    client = desk.bus.client

    async def on_live(message: Msg) -> None:
        partial = TranscriptPartial.model_validate_json(message.data)
        partials.append(partial)
        order.append(f"partial {partial.text}")

    live = await client.subscribe(
        f"banxi.v1.{desk.bus.site}.live.{desk.call}.transcript.partial", cb=on_live
    )
    async with desk.serving():
        await desk.start()
        await desk.began("caller", 300)
        await desk.sound("caller", 0, 300, 0)
        await desk.sound("caller", 300, 2_700, 1)

        async def one() -> bool:
            return len(partials) == 1

        assert await until(one)
        await desk.sound("caller", 3_000, 2_000, 2)

        async def two() -> bool:
            return len(partials) == 2

        assert await until(two)
        await desk.sound("caller", 5_000, 500, 3)
        await desk.sound("caller", 5_500, 500, 0)
        await desk.ended("caller", 300, 5_500)
        (final,) = await desk.finals_of(1)
        order.append(f"final {final.text}")
        await desk.sound("caller", 6_000, 3_000, 0)
        described = await desk.bus.request_of("transcription", Describe(), Description)
    await live.unsubscribe()

    assert order == ["partial 我的", "partial 我的社保卡", "final 我的社保卡丢了"]
    assert {partial.at_ms for partial in partials} == {300}
    assert 2_000 <= partials[0].end_ms <= 3_000 < partials[1].end_ms <= 5_000
    assert described.figures["partials"] == 2
    assert described.figures["queue_depth{finals}"] == 0
    assert described.figures["utterances{caller}"] == 1
    assert 0 < described.figures["final_delay_seconds_p50"] < 60
    assert described.models[0].name == "scripted"


async def test_bad_frames_are_kept_aside_and_disturb_nobody(desk: Site) -> None:
    async with desk.serving():
        await desk.start()
        await desk.sound("caller", 0, 500, 1)
        bad = subjects.audio(desk.bus.site, desk.call, "caller")
        ids = {"Banxi-Start-Ms": "500", "Banxi-Rate": "8000"}
        await desk.bus.js.publish(bad, b"odd", headers=ids)
        await desk.bus.js.publish(bad, b"\0\0", headers=ids | {"Banxi-Rate": "44100"})
        await desk.bus.js.publish(bad, b"\0\1")
        foreign = bad.replace("caller", "nobody")
        await desk.bus.js.publish(foreign, b"\0\0", headers=ids)
        await desk.sound("caller", 500, 1_000, 3)
        await desk.ended("caller", 0, 1_000)
        (final,) = await desk.finals_of(1)

        async def letters() -> list[str] | None:
            found = await dead_letters(desk.bus)
            return found if len(found) == 4 else None

        reasons = await until(letters)

    assert final.text == "我的丢了"
    assert sorted(reasons or ()) == sorted(
        [
            "frame: payload must be whole 16-bit samples",
            "frame: rate must be 8000 or 16000, start not negative",
            "frame needs whole numbers in Banxi-Start-Ms and Banxi-Rate",
            "frame: the subject names no call and role",
        ]
    )


async def dead_letters(bus: Bus) -> list[str]:
    found: list[str] = []
    sequence = 1
    while True:
        try:
            raw = await bus.js.get_msg(
                streams.DEAD,
                seq=sequence,
                subject=subjects.dead(bus.site, "transcription"),
                next=True,
            )
        except NotFoundError:
            return found
        assert raw.seq is not None
        sequence = raw.seq + 1
        found.append(json.loads(f'"{(raw.headers or {})["Banxi-Reason"]}"'))


async def test_after_a_restart_of_the_server_it_listens_to_the_new_audio_stream(
    desk: Site,
) -> None:
    async with desk.serving():
        await desk.start()
        await desk.sound("caller", 0, 1_500, 1)
        await desk.ended("caller", 100, 1_000)
        await desk.finals_of(1)
        # A stream in memory is gone with the server; whoever owns the streams declares it anew.
        await desk.bus.js.delete_stream(streams.AUDIO)
        await streams.declare(desk.bus.js)
        await desk.sound("caller", 1_500, 2_000, 3)
        await asyncio.sleep(MIND_S + 0.5)
        await desk.ended("caller", 2_000, 3_000)
        assert [final.heard for final in await desk.finals_of(2)] == ["我的", "丢了"]


async def test_an_utterance_whose_sound_is_gone_is_not_guessed_at(
    desk: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async with desk.serving():
        await desk.start()
        await desk.ended("caller", 1_000, 3_000)
        await desk.hang_up(4_000)
        (final,) = await desk.finals_of(1)

    assert (final.text, final.heard, final.by.name) == ("", "", "no-sound")
    assert desk.engine.log == []
    logged = [record for record in caplog.records if "sound" in record.message]
    assert [record.__dict__["call"] for record in logged] == [desk.call]


async def test_what_was_said_while_the_service_was_away_is_heard_when_it_is_back(
    desk: Site,
) -> None:
    async with desk.serving():
        pass
    await desk.start()
    await desk.sound("agent", 0, 1_500, 3)
    await desk.began("agent", 100)
    await desk.ended("agent", 100, 1_200)
    async with desk.serving():
        (final,) = await desk.finals_of(1)

    assert final.text == "丢了"


@pytest.mark.parametrize(
    ("asr", "sentence"),
    [
        (AsrSettings(engine="vosk"), "set BANXI_ASR__VOSK_MODEL to a directory"),
        (AsrSettings(lexicon=Path("none.yaml")), "none.yaml: cannot be read"),
    ],
)
async def test_what_it_cannot_start_with_is_said_in_a_sentence(
    desk: Site, asr: AsrSettings, sentence: str
) -> None:
    with pytest.raises(CannotStart, match=sentence):
        async with create_app(desk.settings.model_copy(update={"asr": asr})).running():
            pass


async def test_a_final_that_a_killed_service_owed_is_made_by_its_successor(
    desk: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.common.pulling.ACK_WAIT_S", 1.0)
    async with desk.serving() as killed:
        desk.engine.gate.clear()
        await desk.start()
        await desk.sound("caller", 0, 1_500, 3)
        await desk.ended("caller", 0, 1_200)
        await asyncio.to_thread(desk.engine.waiting.wait, 10)
        for task in [*killed.consumers[0]._later._tasks, *killed.consumers[0]._tasks]:
            task.cancel()
        desk.engine.gate.set()
    async with desk.serving():
        await desk.began("caller", 5_000)  # the call goes on before the overdue event comes again
        (final,) = await desk.finals_of(1)

    assert final.text == "丢了"
