"""The call-type service on a real bus, with a scripted embedding service beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from contracts import subjects
from contracts.base import Event, Producer
from contracts.call import CallStarted
from contracts.call_type import CallTypeAssessed
from contracts.card import CardShown, CardWithdrawn
from contracts.requests import Embed, Embedding
from contracts.transcript import TranscriptFinal
from services.call_type.app import create_app
from services.call_type.settings import CallTypeSettings, Settings
from services.common.bus import Bus
from services.common.service import CannotStart, Service, until_stopped
from tests.until import described, kept_of

pytestmark = pytest.mark.connected

ASKING_WORDS = ("想问", "请问", "什么", "多少", "怎么", "材料", "手续", "咨询", "了解", "办理")
ANGRY_WORDS = ("气死", "烦", "破", "什么玩意", "态度", "推来", "骂", "受够", "折腾", "凭什么")
E = TypeVar("E", bound=Event)


class ScriptedEmbedding:
    """An embedding service whose vectors count words. Can be stopped, and change its model."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._subscription: Subscription | None = None
        self.model = "scripted 1"
        self.texts = 0

    async def start(self) -> None:
        subject = subjects.command(self._bus.site, "embedding", "embed")
        self._subscription = await self._bus.client.subscribe(subject, cb=self._answer)
        await self._bus.heard()

    async def stop(self) -> None:
        if self._subscription is not None:
            await self._subscription.unsubscribe()
            await self._bus.heard()
            self._subscription = None

    async def _answer(self, message: Msg) -> None:
        asked = Embed.model_validate_json(message.data)
        self.texts += len(asked.texts)
        vectors = tuple(
            (
                1.0,
                float(sum(word in text for word in ASKING_WORDS)),
                float(sum(word in text for word in ANGRY_WORDS)),
                len(text) % 7 / 10,
            )
            for text in asked.texts
        )
        reply = Embedding(model=self.model, dimension=4, vectors=vectors)
        await message.respond(reply.model_dump_json().encode())


@pytest.fixture
async def embedding(bus: Bus) -> AsyncIterator[ScriptedEmbedding]:
    service = ScriptedEmbedding(bus)
    yield service
    await service.stop()


@pytest.fixture
def settings(nats_url: str, site: str, tmp_path: Path) -> Settings:
    return Settings(
        nats_url=nats_url,
        site=site,
        data_dir=tmp_path,
        call_type=CallTypeSettings(firm=0.3, patience_s=1.0),
    )


class Caller:
    """Says things on the bus as the recogniser would."""

    def __init__(self, bus: Bus, call_id: str) -> None:
        self._bus = bus
        self._call_id = call_id
        self._at_ms = 0

    async def starts(self) -> None:
        await self._bus.publish(
            CallStarted(
                call_id=self._call_id,
                site=self._bus.site,
                at_ms=0,
                agent_id="8001",
                caller_number="13900000000",
            )
        )

    async def says(self, text: str) -> None:
        self._at_ms += 2000
        await self._bus.publish(
            TranscriptFinal(
                call_id=self._call_id,
                site=self._bus.site,
                at_ms=self._at_ms,
                role="caller",
                end_ms=self._at_ms + 1500,
                text=text,
                heard=text,
                by=Producer(name="scripted", version="1"),
            )
        )

    async def heard_back(self, kind: type[E], enough: Callable[[list[E]], bool]) -> list[E]:
        """The service's events of that kind, once they are enough."""
        return await kept_of(self._bus, self._call_id, kind, enough)


def shows(label: str) -> Callable[[list[CallTypeAssessed]], bool]:
    return lambda found: bool(found) and found[-1].type == label


ASKING = "你好，我想问一下，请问办理手续要什么材料"
ANGRY = "真是气死我了，什么破态度，推来推去的，我受够了"


async def test_a_call_is_assessed_and_its_card_follows_the_turn(
    settings: Settings, bus: Bus, embedding: ScriptedEmbedding
) -> None:
    await embedding.start()
    caller = Caller(bus, "c1")
    async with create_app(settings).running():
        await caller.starts()
        await caller.says(ASKING)
        first = (await caller.heard_back(CallTypeAssessed, shows("咨询")))[0]
        assert first.at_ms == 2000
        assert first.evidence
        assert all(evidence.words in ASKING for evidence in first.evidence)
        for _ in range(2):
            await caller.says(ANGRY)
        turned = await caller.heard_back(CallTypeAssessed, shows("发泄"))
        assert next(event for event in turned if event.previous).previous == "咨询"
        cards = await caller.heard_back(CardShown, lambda found: len(found) == 2)
        gone = await caller.heard_back(CardWithdrawn, lambda found: len(found) == 1)
        assert [card.card_id for card in cards] == ["advice-1", "advice-3"]
        assert gone[0].card_id == "advice-1"
        about = await described(bus, "call_type")
    assert about.ready
    assert about.figures["utterances"] == 3
    assert about.figures["words_only"] == 0


async def test_it_waits_for_the_embedding_service_and_then_catches_up(
    settings: Settings, bus: Bus, embedding: ScriptedEmbedding
) -> None:
    caller = Caller(bus, "c2")
    await caller.starts()
    await caller.says(ASKING)
    service = create_app(settings)

    async def live(service: Service) -> None:
        async with service.running():
            await caller.heard_back(CallTypeAssessed, shows("咨询"))

    living = asyncio.create_task(live(service))
    assert not (await described(bus, "call_type")).ready
    await embedding.start()
    await living


async def test_it_can_be_stopped_while_it_waits(settings: Settings, bus: Bus) -> None:
    service = create_app(settings)
    asyncio.get_running_loop().call_later(0.3, service.stopping.set)
    async with asyncio.timeout(10):
        assert await until_stopped(service) == ""
    assert service.consumers == [], "it has heard nothing it could not assess"


async def test_without_the_embedding_service_a_call_goes_on_by_words(
    settings: Settings, bus: Bus, embedding: ScriptedEmbedding
) -> None:
    await embedding.start()
    caller = Caller(bus, "c3")
    async with create_app(settings).running():
        await embedding.stop()
        await caller.starts()
        await caller.says("我要投诉他，给我个说法")
        assessed = await caller.heard_back(CallTypeAssessed, shows("投诉"))
        assert assessed[0].by.version.endswith("words only")
        assert (await described(bus, "call_type")).figures["words_only"] == 1


async def test_vectors_of_another_model_are_not_mixed_in(
    settings: Settings, bus: Bus, embedding: ScriptedEmbedding
) -> None:
    await embedding.start()
    caller = Caller(bus, "c4")
    async with create_app(settings).running():
        embedding.model = "another 2"
        await caller.starts()
        await caller.says("我要投诉他，给我个说法")
        assessed = await caller.heard_back(CallTypeAssessed, shows("投诉"))
        assert assessed[0].by.version.endswith("words only")


def kept(folder: Path) -> list[Path]:
    return list(folder.glob("cache/call_type-*.npy"))


async def test_examples_are_embedded_once_for_each_model(
    settings: Settings, bus: Bus, embedding: ScriptedEmbedding, tmp_path: Path
) -> None:
    await embedding.start()
    async with create_app(settings).running():
        everything = embedding.texts
        assert everything > 250
    async with create_app(settings).running():
        assert embedding.texts == everything + 1, "one, to learn which model it is"
    (file,) = kept(tmp_path)
    file.write_bytes(file.read_bytes()[:500])
    embedding.texts = 0
    async with create_app(settings).running():
        assert embedding.texts == everything, "a file cut short is made anew"
    embedding.model = "another 2"
    async with create_app(settings).running():
        assert embedding.texts == 2 * everything
    assert len(kept(tmp_path)) == 1


async def test_a_restart_in_the_middle_of_a_call_does_not_contradict_it(
    settings: Settings, bus: Bus, embedding: ScriptedEmbedding
) -> None:
    await embedding.start()
    caller = Caller(bus, "c5")
    async with create_app(settings).running():
        await caller.starts()
        await caller.says(ASKING)
        before = await caller.heard_back(CallTypeAssessed, shows("咨询"))
        await caller.heard_back(CardShown, lambda found: len(found) == 1)
    async with create_app(settings).running():
        for _ in range(2):
            await caller.says(ANGRY)
        after = await caller.heard_back(CallTypeAssessed, shows("发泄"))
    assert after[: len(before)] == before
    assert after[len(before)].previous == "咨询"


async def test_a_mistake_in_a_table_stops_the_start_with_a_sentence(
    settings: Settings, bus: Bus, tmp_path: Path
) -> None:
    empty = settings.model_copy(update={"call_type": CallTypeSettings(tables=tmp_path / "none")})
    with pytest.raises(CannotStart, match=r"prototypes\.yaml: cannot be read"):
        async with create_app(empty).running():
            pytest.fail("it must not become ready")
