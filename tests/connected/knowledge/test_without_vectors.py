"""The model of the knowledge base is damaged: what that leaves, with the real embedding service."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.requests import Model
from services.common.bus import Bus
from services.embedding import batching, encoder, matters
from services.embedding.app import create_app
from services.embedding.settings import Settings
from tests.connected.knowledge.test_service import ROWS, Script, bring, look, running
from tests.unit.knowledge.bags import CARD_CITY, WAGES, BagEncoder
from tests.until import described, until

pytestmark = pytest.mark.connected


class Encoder(BagEncoder):
    """A model of either kind."""

    id = "bags 1"
    described = Model(name="bags", version="1")


async def test_words_and_sounds_are_searched_until_the_model_is_back(
    bus: Bus, nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "load", lambda chosen: Encoder())
    monkeypatch.setattr(matters.Matters.__init__, "__defaults__", (tmp_path / "none.npz", 1))
    embedding = Settings(nats_url=nats_url, site=bus.site)
    async with running(bus, nats_url, tmp_path):
        async with create_app(embedding).running():
            await bring(bus, *ROWS, authorised_by="李主任")

            async def said() -> str:
                return (await described(bus, "knowledge")).detail

            detail = await until(said, lambda text: "the model of the knowledge base" in text)
            assert "searching by words and sounds" in detail
            about = await described(bus, "knowledge")
            assert (about.ready, about.figures["by_words_alone"]) == (True, 1.0)
            (hit, *_) = (await look(bus, "社保卡丢了怎么补办")).hits
            assert hit.answer == CARD_CITY.answer
            call = Script(bus, "misheard")
            await call.begin()
            await call.say("我那个射宝卡丢了怎么补办")
            assert await call.cards(1) == [("card.shown", f"kb-{CARD_CITY.id}")]
        monkeypatch.setattr(batching, "load_matters", lambda threads: Encoder())
        async with create_app(embedding).running():
            about = await until(
                lambda: described(bus, "knowledge"), lambda about: not about.figures["lacking"]
            )
            assert (about.detail, about.figures["by_words_alone"]) == ("", 0.0)
            (hit, *_) = (await look(bus, WAGES.question)).hits
            assert hit.answer == WAGES.answer
