"""An entry's life on the pages, with the real knowledge service: drafted by one editor, authorised
by the other, found by an agent, taken back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from contracts.requests import (
    DraftEntry,
    EntryDetail,
    EntryFields,
    Gap,
    GapAsked,
    Office,
    OfficeKept,
    PutOffice,
)
from services.common.bus import Bus
from tests.connected.desk.fake_base import FakeBase
from tests.slow.desk.conftest import Restartable
from tests.slow.desk.watching import CONTRAST, look, visible, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

A_SECOND = 1_000
QUESTION = "托育机构补贴怎么申请"
ANSWER = "请向所在街道提交申请表。<img src=x onerror=\"document.title='broken'\">"
CARD = EntryFields(
    question="社保卡丢了怎么补办",
    answer="请您本人持身份证到省内任一社保卡服务网点申请补卡，一般当场制卡。",
    department="省社会保障卡管理中心",
    region="青川省",
    document="青人社规〔2025〕1号",
    phone="0599-555-0101",
    similar=("我那张社保卡找不着了", "员工把社保卡遗失了"),
)


async def confirm(page: Page) -> None:
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#sure")).to_be_hidden()


async def searched(agent: Page, text: str) -> Any:
    await agent.keyboard.press("/")
    await agent.fill("#search-text", text)
    await agent.keyboard.press("Enter")
    return agent.locator("#found li")


@pytest.mark.usefixtures("knowing")
async def test_from_a_draft_to_taking_back(browser: Browser, restartable: Restartable) -> None:
    desk = await restartable.start()
    async with watched(browser) as seen:
        first, second = await seen.open(desk, "k01"), await seen.open(desk, "k02")
        agent = await seen.open(desk, "a015")
        await visible(first, "没有等待授权的草稿").to_be_visible()
        await first.keyboard.press("n")
        await first.keyboard.press("Control+Enter")
        await expect(first.locator("form.entry .problem")).to_have_text("“问题”不能是空的。")
        await first.fill("[name=question]", QUESTION)
        await first.fill("[name=answer]", ANSWER)
        await first.fill("[name=department]", "临江市卫生健康委员会")
        await first.select_option("[name=region]", "临江市")
        await first.keyboard.press("Control+Enter")
        await visible(first, "您起草的，需由他人授权").to_be_visible()
        await expect(first.get_by_role("button", name="授权答复")).to_have_count(0)
        # Whatever the page offers: the base refuses.
        entry_id = first.url.rpartition("/")[2]
        refused = await first.evaluate(
            """async (id) => {
                const asked = {entry_id: id, revision: 1, decision: "answer", by: "k02"};
                const body = JSON.stringify(asked);
                return (await fetch("/as/k01/kb/ask/decide", {method: "POST", body})).json();
            }""",
            entry_id,
        )
        assert (refused["ok"], refused["field"]) == (False, "by")
        found = await searched(agent, QUESTION)
        await visible(agent, "知识库里没有合适的内容").to_be_visible()

        await second.reload()
        await expect(second.locator("#undecided")).to_have_text("1")
        await second.keyboard.press("j")
        await visible(second, "待授权的新条目 · k01 起草").to_be_visible()
        await second.keyboard.press("a")
        await second.fill("#sure [name=reason]", "已核对")
        await confirm(second)
        await visible(second, "现在可以这样答").to_be_visible()
        await expect(second.locator(".source").first).to_contain_text("授权：k02")
        await expect(second.locator(".history")).to_contain_text("k02 授权答复：已核对")
        await agent.keyboard.press("Enter")
        await agent.fill("#search-text", QUESTION + "？")
        await expect(found).to_contain_text(ANSWER)

        # Taken back, it is nowhere a second later: not in the agent's open search, not on the page
        # of the other editor, who has a dialog open over it.
        await visible(first, "现在可以这样答").to_be_visible()
        await first.keyboard.press("w")
        await second.keyboard.press("w")
        await second.check("#sure [value=absent]")
        await second.fill("#sure [name=reason]", "政策有变")
        await confirm(second)
        await expect(found).to_have_count(0, timeout=A_SECOND)
        await expect(first.get_by_text("现在可以这样答")).to_have_count(0, timeout=A_SECOND)
        await visible(agent, "知识库里没有合适的内容").to_be_visible()
        await visible(second, "已撤回").to_be_visible()
        assert "知识库" in await second.title()


async def test_what_another_changed_meanwhile_is_shown_and_nothing_typed_is_lost(
    browser: Browser, bus: Bus, restartable: Restartable
) -> None:
    desk = await restartable.start()
    base = FakeBase()
    base.hold("card-001", CARD)
    async with base.answering(bus), watched(browser) as seen:
        page = await seen.open(desk, "k02")
        await page.keyboard.press("2")
        await page.locator("[data-id=card-001] .row").click()
        await visible(page, "现在可以这样答").to_be_visible()
        await page.keyboard.press("e")
        await page.fill("[name=answer]", "我写的新答复。")
        theirs = CARD.model_copy(update={"phone": "0599-555-7777"})
        await bus.request(
            DraftEntry(entry_id="card-001", revision=1, fields=theirs, by="k01"), EntryDetail
        )
        await page.keyboard.press("Control+Enter")
        conflict = page.locator(".conflict")
        await expect(conflict).to_contain_text("您编辑的时候，k01 起草了这一条")
        await expect(conflict.locator("ins")).to_have_text("7777")
        await conflict.get_by_role("button", name="采用对方的").click()
        # A tab, a key, the way back: all of them ask first.
        for leave in (page.locator("[data-view=gaps]").click, page.go_back):
            await leave()
            await visible(page, "还有没保存的内容").to_be_visible()
            await page.keyboard.press("Escape")
            await expect(page.locator("[name=answer]")).to_have_value("我写的新答复。")
        await conflict.get_by_role("button", name="再保存").click()
        await visible(page, "您起草的，需由他人授权").to_be_visible()
        draft = base.entries["card-001"].draft
        assert draft and (draft.answer, draft.phone) == ("我写的新答复。", "0599-555-7777")


async def test_an_office_another_changed_or_removed_meanwhile_is_shown_and_nothing_typed_is_lost(
    browser: Browser, bus: Bus, restartable: Restartable
) -> None:
    desk = await restartable.start()
    base = FakeBase()
    office = Office(office_id="o1", name="社保大厅", region="临江市", phone="0599-555-1000")
    async with base.answering(bus), watched(browser) as seen:
        await bus.request(PutOffice(office=office, by="k01"), OfficeKept)
        page = await seen.open(desk, "k02")
        await page.keyboard.press("4")
        await page.locator("[data-id=o1] .row").click()
        await page.fill("[name=hours]", "9:00–12:00")
        theirs = office.model_copy(update={"phone": "0599-555-7777", "aliases": ("社保局",)})
        await bus.request(PutOffice(office=theirs, by="k01"), OfficeKept)
        await page.keyboard.press("Control+Enter")
        conflict = page.locator(".conflict")
        await expect(conflict).to_contain_text("您编辑的时候，k01 改动了这个机构")
        await expect(conflict.locator("ins").first).to_have_text("7777")
        assert await page.evaluate(CONTRAST) == []
        await look(page, "kb-office-conflict")
        await conflict.get_by_role("button", name="采用对方的").first.click()
        await expect(page.locator("[name=hours]")).to_have_value("9:00–12:00")
        await expect(page.locator("[name=phone]")).to_have_value("0599-555-7777")
        await conflict.get_by_role("button", name="再保存").click()
        await expect(conflict).to_be_hidden()
        await visible(page, "k02 更新于").to_be_visible()
        kept = base.offices["o1"]
        assert (kept.hours, kept.phone, kept.aliases) == ("9:00–12:00", "0599-555-7777", ())

        await page.fill("[name=address]", "江滨路 1 号")
        del base.offices["o1"]
        await page.keyboard.press("Control+Enter")
        await expect(conflict).to_contain_text("由别人移除了")
        await expect(page.locator("[name=address]")).to_have_value("江滨路 1 号")
        await conflict.get_by_role("button", name="重新添上").click()
        await expect(page.locator("[data-id=o1] .title")).to_have_text("社保大厅")
        assert base.offices["o1"].address == "江滨路 1 号"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_view_can_be_read(
    browser: Browser, bus: Bus, restartable: Restartable, scheme: Any
) -> None:
    desk = await restartable.start()
    base = FakeBase()
    soon = date.today() + timedelta(days=9)
    base.hold("card-001", CARD, used=12, wrong=1)
    changed = CARD.model_copy(
        update={"answer": "请您本人持身份证到任一网点当场补卡。", "phone": None}
    )
    base.hold(
        "card-002", CARD.model_copy(update={"valid_to": soon}), draft=changed, drafted_by="k01"
    )
    base.hold("old-003", CARD, standing="expired", in_force=None, latest=CARD)
    now = datetime.now(UTC)
    asked = GapAsked(
        call_id="c1", at=now, words=QUESTION, region="临江市", note="新政策", noted_by="015"
    )
    base.gaps["g1"] = Gap(
        gap_id="g1",
        words=QUESTION,
        state="open",
        times=7,
        first_at=now,
        last_at=now,
        asked=(asked,),
    )
    async with (
        base.answering(bus),
        watched(browser, color_scheme=scheme, reduced_motion="reduce") as seen,
    ):
        page = await seen.open(desk, "k02")

        async def can_be_read(name: str) -> None:
            for width in (400, 1280):
                await page.set_viewport_size({"width": width, "height": 800})
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, name
                assert await page.evaluate(CONTRAST) == [], name
                await look(page, f"kb-{name}-{width}-{scheme}")

        await expect(page.locator(".row")).to_have_count(1)
        await can_be_read("drafts")
        await page.keyboard.press("j")
        await expect(page.locator(".pending del").first).to_be_visible()
        await can_be_read("pending")
        await page.keyboard.press("a")
        await can_be_read("decide")
        await page.keyboard.press("Escape")
        await page.keyboard.press("2")
        await page.locator("[data-id=old-003] .row").click()
        await visible(page, "以前是这样").to_be_visible()
        await can_be_read("expired")
        await page.keyboard.press("e")
        await expect(page.locator(".near li")).to_have_count(2)
        await can_be_read("edit")
        await page.keyboard.press("Escape")
        # A gap becomes a draft that knows what was asked, and where.
        await page.keyboard.press("3")
        await expect(page.locator(".row")).to_have_count(1)
        await page.keyboard.press("j")
        await visible(page, "备注").to_be_visible()
        await can_be_read("gap")
        await page.keyboard.press("e")
        await expect(page.locator("[name=question]")).to_have_value(QUESTION)
        await expect(page.locator("[name=region]")).to_have_value("临江市")
        await page.fill("[name=department]", "卫健委")
        await page.keyboard.press("Control+Enter")
        await visible(page, "您起草的，需由他人授权").to_be_visible()
        drafts = [request for request in base.asked if isinstance(request, DraftEntry)]
        assert [(draft.gap_id, draft.by) for draft in drafts] == [("g1", "k02")]
        await page.keyboard.press("4")
        await visible(page, "机构目录还是空的").to_be_visible()
        await page.keyboard.press("n")
        await page.fill("[name=name]", "临江市社保大厅")
        await page.select_option("[name=region]", "临江市")
        await can_be_read("office")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator("[data-id] .title")).to_have_text("临江市社保大厅")
        assert [office.updated_by for office in base.offices.values()] == ["k02"]
        await page.keyboard.press("Escape")
        await page.keyboard.press("5")
        await can_be_read("files")
