"""The editors' page on a real bus: who may ask, and that what is asked arrives in his name."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from contracts.requests import DraftEntry, EntryFields, ListRegions
from services.common.bus import Bus
from services.desk.kb_routes import MAX_BODY
from tests.connected.desk.fake_base import FakeBase
from tests.connected.desk.running import RunningDesk

pytestmark = pytest.mark.connected

FIELDS = EntryFields(
    question="社保卡怎么挂失", answer="拨打热线挂失。", department="社保中心", region="临江市"
)


async def ask(browser: httpx.AsyncClient, account: str, verb: str, **said: Any) -> Any:
    answer = await browser.post(f"/as/{account}/kb/ask/{verb}", json=said)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_only_editors_come_in_and_only_from_our_page(desk: RunningDesk, bus: Bus) -> None:
    base = FakeBase()
    async with base.answering(bus), desk.browser() as browser:
        await desk.links()
        assert (await browser.get("/as/k01/kb")).status_code == 303
        assert (await browser.post("/as/k01/kb/ask/list")).status_code == 401
        for account in ("a015", "b01"):
            await desk.enter(browser, account)
            assert (await browser.get(f"/as/{account}/kb")).status_code == 403
            assert (await browser.post(f"/as/{account}/kb/ask/list")).status_code == 403
        await desk.enter(browser, "k01")
        assert (await browser.get("/as/k01/kb")).status_code == 200
        assert (await browser.get("/as/k01/desk")).status_code == 403
        assert (await browser.post("/as/k02/kb/ask/list")).status_code == 401
        foreign = {"Origin": "http://evil.example"}
        answer = await browser.post("/as/k01/kb/ask/list", headers=foreign)
        assert answer.status_code == 403
        # The desk asks for the regions by itself; nothing that a page sent came through.
        assert [asked for asked in base.asked if not isinstance(asked, ListRegions)] == []
        assert (await browser.post("/as/k01/kb/ask/search")).status_code == 404
        assert (await ask(browser, "k01", "list"))["data"]["total"] == 0
        large = b"x" * (MAX_BODY + 1)
        assert (await browser.post("/as/k01/kb/ask/draft", content=large)).status_code == 413


async def test_one_drafts_and_only_another_authorises(desk: RunningDesk, bus: Bus) -> None:
    base = FakeBase()
    async with base.answering(bus), desk.browser() as browser:
        await desk.enter(browser, "k01")
        await desk.enter(browser, "k02")
        draft = {"revision": 0, "fields": FIELDS.model_dump(mode="json"), "by": "k02"}
        kept = (await ask(browser, "k01", "draft", **draft))["data"]
        assert kept["drafted_by"] == "k01"
        which = {"entry_id": kept["entry_id"], "revision": kept["revision"]}
        decision = which | {"decision": "answer", "by": "k02"}
        refused = await ask(browser, "k01", "decide", **decision)
        assert (refused["ok"], refused["field"]) == (False, "by")
        assert "另一位采编员" in refused["message"]
        assert (await ask(browser, "k02", "decide", **decision))["data"]["authorised_by"] == "k02"
        late = await ask(browser, "k01", "draft", **(draft | which | {"revision": 0}))
        assert (late["code"], late["field"]) == ("conflict", "revision")
        asked = [request.by for request in base.asked if isinstance(request, DraftEntry)]
        assert asked == ["k01", "k01"]


async def test_a_base_that_is_away_is_said(desk: RunningDesk) -> None:
    async with desk.browser() as browser:
        await desk.enter(browser, "k01")
        away = await ask(browser, "k01", "read", entry_id="e1")
        assert (away["ok"], away["code"]) == (False, "unavailable")
        assert "知识库暂时没有回应" in away["message"]
