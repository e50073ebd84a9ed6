"""The embedding service on a real bus, with a scripted encoder in the model's place."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from contracts import subjects
from contracts.requests import Embed, Embedding, Model
from services.common.bus import Bus, RequestFailed
from services.common.failure import CannotStart
from services.embedding import encoder, matters
from services.embedding.app import create_app
from services.embedding.encoder import Purpose, Vectors
from services.embedding.settings import EmbeddingSettings, Settings
from tests.until import described

pytestmark = pytest.mark.connected


class ScriptedEncoder:
    """Unit vectors that point to the length of the text."""

    id = "scripted 1"
    described = Model(name="scripted", version="1")
    dimension = 8

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        if "break" in texts:
            raise ValueError(texts[0])
        return np.eye(8, dtype=np.float32)[[len(text) % 8 for text in texts]]


@pytest.fixture
def settings(nats_url: str, site: str) -> Settings:
    return Settings(nats_url=nats_url, site=site)


async def test_texts_become_vectors_in_order(
    settings: Settings, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "load", lambda chosen: ScriptedEncoder())
    async with create_app(settings).running():
        await described(bus, "embedding")
        reply = await bus.request(Embed(texts=("a", "bbb", "a")), Embedding)
        about = await described(bus, "embedding")
    assert (reply.model, reply.dimension) == ("scripted 1", 8)
    assert [vector.index(1.0) for vector in reply.vectors] == [1, 3, 1]
    assert about.ready
    assert [model.name for model in about.models] == ["scripted", "banxi-matters"]
    assert about.figures["cache_misses"] == 2
    assert about.figures["queue_depth{texts}"] == 0


async def test_what_cannot_be_embedded_gets_a_reply_that_says_so(
    settings: Settings, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "load", lambda chosen: ScriptedEncoder())
    subject = subjects.command(bus.site, "embedding", "embed")
    async with create_app(settings).running():
        await described(bus, "embedding")
        for bad in (b"no json", b'{"texts": "one"}', b'{"texts": ["a"], "purpose": "fun"}'):
            answer = await bus.client.request(subject, bad, timeout=5)
            assert b'"code":"invalid"' in answer.data.replace(b" ", b"")
        with pytest.raises(RequestFailed) as failed:
            await bus.request(Embed(texts=("break",)), Embedding)
        assert failed.value.problem.code == "internal"
        assert "break" not in failed.value.problem.message
        monkeypatch.setattr(ScriptedEncoder, "dimension", 8192)
        with pytest.raises(RequestFailed, match="at most 10 texts"):
            await bus.request(Embed(texts=("a",) * 64), Embedding)
        monkeypatch.undo()
        assert (await bus.request(Embed(texts=("fine",)), Embedding)).vectors


async def test_a_model_that_is_not_there_stops_the_service_with_a_sentence(
    nats_url: str, site: str, bus: Bus
) -> None:
    chosen = EmbeddingSettings(model="/no/such/model")
    service = create_app(Settings(nats_url=nats_url, site=site, embedding=chosen))
    with pytest.raises(CannotStart, match=r"BANXI_EMBEDDING__MODEL: no model /no/such/model"):
        async with service.running():
            pytest.fail("it must not become ready")


@pytest.mark.parametrize("content", [None, b"", matters.LEARNED.read_bytes()[:5_000]])
async def test_without_the_model_of_the_knowledge_base_the_general_one_is_served(
    settings: Settings,
    bus: Bus,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    content: bytes | None,
) -> None:
    damaged = tmp_path / "matters.npz"
    if content is not None:
        damaged.write_bytes(content)
    monkeypatch.setattr(encoder, "load", lambda chosen: ScriptedEncoder())
    monkeypatch.setattr(matters.Matters.__init__, "__defaults__", (damaged, 1))
    async with create_app(settings).running():
        about = await described(bus, "embedding")
        assert (await bus.request(Embed(texts=("a",)), Embedding)).vectors
        with pytest.raises(RequestFailed, match="model of the knowledge base cannot be") as failed:
            await bus.request(Embed(texts=("a",), model="matters"), Embedding)
    assert failed.value.problem.code == "unavailable"
    assert [model.name for model in about.models] == ["scripted"]
    assert (about.ready, about.figures["lacking"]) == (True, 1.0)
    assert "model of the knowledge base cannot be loaded" in about.detail
    assert "`banxi train knowledge`" in about.detail


async def test_who_asked_while_loading_failed_is_told(
    settings: Settings, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def load(chosen: EmbeddingSettings) -> None:
        assert asked.wait(10)
        raise CannotStart("the model is broken")

    monkeypatch.setattr(encoder, "load", load)
    service = create_app(settings)

    async def ask() -> None:
        await described(bus, "embedding")
        asking = asyncio.create_task(bus.request(Embed(texts=("a",)), Embedding))
        await bus.heard()
        await described(bus, "embedding")  # asked after it
        asked.set()
        with pytest.raises(RequestFailed, match="cannot be loaded") as failed:
            await asking
        assert failed.value.problem.code == "unavailable"

    told = asyncio.create_task(ask())
    with pytest.raises(CannotStart, match="broken"):
        async with service.running():
            pytest.fail("it must not become ready")
    await told
