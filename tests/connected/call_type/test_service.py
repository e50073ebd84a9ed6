"""The call-type service on a real bus, with a scripted embedding service beside it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from contracts import subjects
from contracts.base import Event, Producer, Role
from contracts.call import CallEnded, CallStarted
from contracts.call_type import CallTypeAssessed, CallTypeTurned
from contracts.card import CardShown, CardWithdrawn
from contracts.requests import AskHistory, Embed, Embedding, History, PastCall
from contracts.transcript import TranscriptFinal
from services.call_type.app import create_app
from services.call_type.books import load
from services.call_type.settings import CallTypeSettings, Settings
from services.common import asking
from services.common.bus import Bus
from services.common.failure import CannotStart
from services.common.kept import read_call
from tests.unit.call_type.scripted import DIMENSION, clear, meant, model, vector
from tests.until import described, kept_of, until

pytestmark = pytest.mark.connected

E = TypeVar("E", bound=Event)
OURS = load().embedding
"""The embedding model that the packaged heads read."""


class Scripted(ABC):
    """A service that answers one request. Can be stopped."""

    def __init__(self, bus: Bus, service: str, verb: str) -> None:
        self._bus = bus
        self._subject = subjects.command(bus.site, service, verb)
        self._subscription: Subscription | None = None
        self.asked = 0

    async def start(self) -> None:
        self._subscription = await self._bus.client.subscribe(self._subject, cb=self._answer)
        await self._bus.heard()

    async def stop(self) -> None:
        if self._subscription is not None:
            await self._subscription.unsubscribe()
            await self._bus.heard()
            self._subscription = None

    async def _answer(self, message: Msg) -> None:
        self.asked += 1
        await message.respond(self.reply(message.data).encode())

    @abstractmethod
    def reply(self, data: bytes) -> str: ...


class ScriptedEmbedding(Scripted):
    """Vectors in which everything is known."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus, "embedding", "embed")
        self.model = OURS

    def reply(self, data: bytes) -> str:
        texts = Embed.model_validate_json(data).texts
        rows = tuple(tuple(map(float, vector(text))) for text in texts)
        return Embedding(model=self.model, dimension=DIMENSION, vectors=rows).model_dump_json()


class ScriptedRecords(Scripted):
    """One earlier call of every number."""

    def __init__(self, bus: Bus, matter: str) -> None:
        super().__init__(bus, "records", "history")
        self._matter = matter

    def reply(self, data: bytes) -> str:
        AskHistory.model_validate_json(data)
        began = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        past = PastCall(call_id="before", started_at=began, matter=self._matter)
        return History(calls=(past,)).model_dump_json()


@pytest.fixture
async def embedding(bus: Bus) -> AsyncIterator[ScriptedEmbedding]:
    service = ScriptedEmbedding(bus)
    yield service
    await service.stop()


@pytest.fixture
def settings(nats_url: str, site: str, tmp_path: Path) -> Settings:
    """With the scripted model, as a site names the file it trained itself."""
    model(OURS).save(tmp_path / "types.npz")
    chosen = CallTypeSettings(types=tmp_path / "types.npz", patience_s=1.0)
    return Settings(nats_url=nats_url, site=site, data_dir=tmp_path, call_type=chosen)


class Call:
    """A call on the bus, as media and the recogniser would tell of it."""

    def __init__(self, bus: Bus, call_id: str) -> None:
        self._bus = bus
        self._call_id = call_id
        self._at_ms = 0

    async def starts(self, number: str = "13900001234") -> None:
        await self._bus.publish(
            CallStarted(
                call_id=self._call_id,
                site=self._bus.site,
                at_ms=0,
                agent_id="8001",
                caller_number=number,
            )
        )

    async def says(self, text: str, role: Role = "caller") -> None:
        self._at_ms += 5000
        await self._bus.publish(
            TranscriptFinal(
                call_id=self._call_id,
                site=self._bus.site,
                at_ms=self._at_ms,
                role=role,
                end_ms=self._at_ms + 1500,
                text=text,
                heard=text,
                by=Producer(name="scripted", version="1"),
            )
        )

    async def ends(self) -> None:
        self._at_ms += 5000
        await self._bus.publish(
            CallEnded(
                call_id=self._call_id, site=self._bus.site, at_ms=self._at_ms, ended_by="caller"
            )
        )

    async def heard_back(self, kind: type[E], enough: Callable[[list[E]], bool]) -> list[E]:
        """The service's events of that kind, once they are enough."""
        return await kept_of(self._bus, self._call_id, kind, enough)

    async def all(self) -> list[Event]:
        """Everything that is kept of it."""
        return await read_call(self._bus, self._bus.site, self._call_id)


def shows(label: str) -> Callable[[list[CallTypeAssessed]], bool]:
    return lambda found: bool(found) and found[-1].type == label


def count(number: int) -> Callable[[list[E]], bool]:
    return lambda found: len(found) == number


async def test_a_call_is_assessed_turns_and_its_card_follows(
    settings: Settings, bus: Bus, embedding: ScriptedEmbedding
) -> None:
    """By words where they tell, by meaning where they do not; each final embedded once."""
    await embedding.start()
    call = Call(bus, "c1")
    async with create_app(settings).running():
        await call.starts()
        await call.says("您好请讲", "agent")
        await call.says(meant("咨询"))
        first = (await call.heard_back(CallTypeAssessed, shows("咨询")))[0]
        assert first.at_ms == 10_000
        assert first.by.version.endswith(" 00000001")
        await call.says(clear("发泄"))
        (turned,) = await call.heard_back(CallTypeTurned, count(1))
        assert (turned.previous, turned.type, turned.at_ms) == ("咨询", "发泄", 15_000)
        assert [(e.words, e.role) for e in turned.evidence] == [(clear("发泄"), "caller")]
        assert (await call.heard_back(CallTypeAssessed, shows("发泄")))[-1].previous == "咨询"
        cards = await call.heard_back(CardShown, count(2))
        gone = await call.heard_back(CardWithdrawn, count(1))
        assert [card.card_id for card in cards] == ["advice-1", "advice-3"]
        assert gone[0].card_id == "advice-1"
        about = await described(bus, "call_type")
    assert about.ready
    assert {m.name: m.version for m in about.models}["call-type"] == "00000001"
    assert (about.figures["utterances"], about.figures["words_only"]) == (3, 0)
    assert embedding.asked == 3


async def test_it_starts_without_the_embedding_service_and_uses_it_when_it_comes(
    settings: Settings,
    bus: Bus,
    embedding: ScriptedEmbedding,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It need not be there at the start; a call goes on by words."""
    monkeypatch.setattr(asking, "REST_S", 0.0)
    call = Call(bus, "c2")
    async with create_app(settings).running():
        await call.starts()
        await call.says(clear("投诉"))
        (assessed,) = await call.heard_back(CallTypeAssessed, shows("投诉"))
        assert assessed.by.version.endswith("words only")
        assert (await described(bus, "call_type")).figures["words_only"] == 1
        await embedding.start()
        await call.says(meant("哭诉"))
        found = await call.heard_back(CallTypeAssessed, shows("哭诉"))
        assert not found[-1].by.version.endswith("words only")


async def test_vectors_of_another_model_are_not_mixed_in(
    settings: Settings, bus: Bus, embedding: ScriptedEmbedding
) -> None:
    embedding.model = "another 2"
    await embedding.start()
    call = Call(bus, "c3")
    async with create_app(settings).running():
        await call.starts()
        await call.says(clear("投诉"))
        (assessed,) = await call.heard_back(CallTypeAssessed, shows("投诉"))
        assert assessed.by.version.endswith("words only")


async def test_a_number_that_called_about_the_same_matter_is_pestering(
    settings: Settings, bus: Bus, embedding: ScriptedEmbedding
) -> None:
    """Records is asked once a call."""
    await embedding.start()
    matter = "路口的路灯还是没有修好"
    records = ScriptedRecords(bus, matter)
    await records.start()
    call = Call(bus, "c4")
    async with create_app(settings).running():
        await call.starts()
        await call.says(matter)
        await call.heard_back(CallTypeAssessed, shows("纠缠"))
        (card,) = await call.heard_back(CardShown, count(1))
        assert "此号码近期来电 1 次" in card.why
        about = await described(bus, "call_type")
    await records.stop()
    assert records.asked == 1
    assert (about.figures["numbers_asked"], about.figures["numbers_unanswered"]) == (1, 0)


async def test_a_restart_in_the_middle_of_a_call_doubles_and_contradicts_nothing(
    settings: Settings, bus: Bus, embedding: ScriptedEmbedding
) -> None:
    """The call is read again, now without vectors; what was told by them still stands."""
    await embedding.start()
    call = Call(bus, "c5")
    async with create_app(settings).running():
        await call.starts()
        await call.says(meant("咨询"))
        before = await call.heard_back(CallTypeAssessed, shows("咨询"))
        await call.heard_back(CardShown, count(1))
    await embedding.stop()
    async with create_app(settings).running():
        await call.says(clear("发泄"))
        (turned,) = await call.heard_back(CallTypeTurned, count(1))
        cards = await call.heard_back(CardShown, count(2))
        await call.ends()
    assert turned.previous == "咨询"
    assert [card.card_id for card in cards] == ["advice-1", "advice-3"]
    kept = await call.all()
    after = [event for event in kept if isinstance(event, CallTypeAssessed)]
    assert [event.type for event in after] == ["咨询", "发泄"]
    assert after[0] == before[0]
    assert len({event.event_id for event in kept}) == len(kept)


async def test_what_says_nothing_leaves_a_call_not_yet_known(
    settings: Settings, bus: Bus, embedding: ScriptedEmbedding
) -> None:
    """嗯, another language, nothing at all: no word of it, and the next call is heard."""
    await embedding.start()
    quiet, next_ = Call(bus, "c6"), Call(bus, "c7")
    async with create_app(settings).running():
        await quiet.starts()
        for text in ("嗯", "", "thank you, good bye", "😀"):
            await quiet.says(text)
        await quiet.ends()
        await until(lambda: embedding.asked, lambda asked: asked >= 3)
        await next_.starts()
        await next_.says(clear("咨询"))
        await next_.heard_back(CallTypeAssessed, shows("咨询"))
    kinds = {type(event) for event in await quiet.all()}
    assert kinds == {CallStarted, TranscriptFinal, CallEnded}


async def test_a_mistake_in_a_file_stops_the_start_with_a_sentence(
    settings: Settings, bus: Bus, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"no model")
    model("another 2").save(tmp_path / "other.npz")
    for chosen, said in (
        (CallTypeSettings(tables=tmp_path / "none"), r"signals\.yaml: cannot be read"),
        (CallTypeSettings(types=broken), "make it anew with it"),
        (CallTypeSettings(types=tmp_path / "other.npz"), "train both with one"),
    ):
        service = create_app(settings.model_copy(update={"call_type": chosen}))
        with pytest.raises(CannotStart, match=said):
            async with asyncio.timeout(20), service.running():
                pytest.fail("it must not become ready")
